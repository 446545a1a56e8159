#include "os/ring.h"
#include "os/thread.h"
#include "os/wake.h"

#include "cmocka_all.h"

#include <sched.h>

enum { ITEMS = 2 * 1000 * 1000, CAPACITY = 256 };

static void a_full_ring_refuses_and_an_empty_one_gives_nothing(void **state)
{
    (void)state;
    static int items[5];
    struct ring *ring = ring_create(4);
    assert_non_null(ring);

    assert_null(ring_pop(ring));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ring_room(ring), 4 - i);
        assert_true(ring_push(ring, &items[i]));
        assert_int_equal(ring_count(ring), i + 1);
    }
    assert_int_equal(ring_room(ring), 0);
    assert_false(ring_push(ring, &items[4]));

    assert_ptr_equal(ring_pop(ring), &items[0]);
    assert_true(ring_push(ring, &items[4]));
    for (int i = 1; i < 5; i++)
        assert_ptr_equal(ring_pop(ring), &items[i]);
    assert_null(ring_pop(ring));
    ring_destroy(ring);
}

struct pair {
    struct ring *ring;
    struct wake wake;
};

static void push_all(void *argument)
{
    struct pair *pair = argument;

    for (size_t i = 1; i <= ITEMS; i++) {
        while (!ring_push(pair->ring, (void *)i))
            (void)sched_yield();
        wake_signal(&pair->wake);
    }
}

/* The consumer sleeps whenever it finds nothing: a lost wake-up would hang it. */
static void millions_of_items_cross_two_threads_in_order(void **state)
{
    (void)state;
    struct pair pair = { .ring = ring_create(CAPACITY) };
    assert_non_null(pair.ring);
    assert_int_equal(wake_init(&pair.wake), ERR_OK);
    struct thread producer;
    assert_int_equal(thread_start(&producer, "producer", push_all, &pair), ERR_OK);

    size_t expected = 1;
    while (expected <= ITEMS) {
        assert_true(wake_wait(&pair.wake, 10 * 1000));
        wake_clear(&pair.wake);
        void *item;
        while ((item = ring_pop(pair.ring)) != NULL) {
            assert_int_equal((size_t)item, expected);
            expected++;
        }
    }
    thread_join(&producer);
    assert_int_equal(ring_count(pair.ring), 0);
    wake_finish(&pair.wake);
    ring_destroy(pair.ring);
}

static void room_that_was_promised_is_kept(void **state)
{
    (void)state;
    static int item;
    struct ring *ring = ring_create(8);
    assert_non_null(ring);

    for (int round = 0; round < 100; round++) {
        size_t room = ring_room(ring);
        assert_int_equal(room + ring_count(ring), 8);
        for (size_t i = 0; i < room; i++)
            assert_true(ring_push(ring, &item));
        for (int i = 0; i < 1 + round % 8; i++)
            assert_ptr_equal(ring_pop(ring), &item);
    }
    while (ring_pop(ring) != NULL)
        continue;
    ring_destroy(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_ring_refuses_and_an_empty_one_gives_nothing),
        cmocka_unit_test(millions_of_items_cross_two_threads_in_order),
        cmocka_unit_test(room_that_was_promised_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
