/* Goal: every deadline fires once, never early, and late by a grain at most. */
#include "net/wheel.h"

#include "cmocka_all.h"

#include <stdlib.h>

enum { NODES = 2000, REACH_MS = WHEEL_GRAIN_MS * WHEEL_SLOTS };

static struct wheel wheel;

static void every_node_fires_in_time_and_never_early(void **state)
{
    (void)state;
    static struct wheel_node nodes[NODES];
    int fired = 0;
    srandom(1);
    wheel_init(&wheel, 5000);
    for (int i = 0; i < NODES; i++)
        wheel_put(&wheel, &nodes[i], 5000 + random() % (REACH_MS - WHEEL_GRAIN_MS));
    for (int64_t now_ms = 5000; now_ms < 5000 + REACH_MS; now_ms += 37) {
        struct wheel_node *node;
        while ((node = wheel_take(&wheel, now_ms)) != NULL) {
            assert_true(node->due_ms <= now_ms);
            assert_true(now_ms - node->due_ms <= WHEEL_GRAIN_MS + 37);
            fired++;
        }
    }
    assert_int_equal(fired, NODES);
}

static void a_moved_node_fires_once_at_its_new_time(void **state)
{
    (void)state;
    struct wheel_node node = { 0 };
    wheel_init(&wheel, 0);
    wheel_put(&wheel, &node, 10000);
    wheel_put(&wheel, &node, 1000);
    assert_null(wheel_take(&wheel, 999));
    assert_ptr_equal(wheel_take(&wheel, 1000 + WHEEL_GRAIN_MS), &node);
    assert_null(wheel_take(&wheel, 20000));
}

static void a_removed_node_never_fires(void **state)
{
    (void)state;
    struct wheel_node node = { 0 };
    wheel_init(&wheel, 0);
    wheel_put(&wheel, &node, 500);
    wheel_remove(&node);
    wheel_remove(&node);
    assert_null(wheel_take(&wheel, REACH_MS * 2));
}

static void what_is_past_fires_at_the_next_turn(void **state)
{
    (void)state;
    struct wheel_node node = { 0 };
    wheel_init(&wheel, 100000);
    wheel_put(&wheel, &node, 5);
    assert_ptr_equal(wheel_take(&wheel, 100000 + WHEEL_GRAIN_MS), &node);
}

static void a_deadline_beyond_the_reach_shows_up_at_the_reach(void **state)
{
    (void)state;
    struct wheel_node node = { 0 };
    wheel_init(&wheel, 0);
    wheel_put(&wheel, &node, (int64_t)REACH_MS * 1000);
    assert_null(wheel_take(&wheel, REACH_MS - 2 * WHEEL_GRAIN_MS));
    assert_ptr_equal(wheel_take(&wheel, REACH_MS + WHEEL_GRAIN_MS), &node);
}

static void a_long_sleep_loses_nothing(void **state)
{
    (void)state;
    static struct wheel_node nodes[NODES];
    int fired = 0;
    wheel_init(&wheel, 0);
    for (int i = 0; i < NODES; i++)
        wheel_put(&wheel, &nodes[i], i * 10);
    while (wheel_take(&wheel, (int64_t)1 << 40) != NULL)
        fired++;
    assert_int_equal(fired, NODES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_fires_in_time_and_never_early),
        cmocka_unit_test(a_moved_node_fires_once_at_its_new_time),
        cmocka_unit_test(a_removed_node_never_fires),
        cmocka_unit_test(what_is_past_fires_at_the_next_turn),
        cmocka_unit_test(a_deadline_beyond_the_reach_shows_up_at_the_reach),
        cmocka_unit_test(a_long_sleep_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
