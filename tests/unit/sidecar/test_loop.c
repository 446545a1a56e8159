#include "cmocka_all.h"

#include "sidecar/loop.h"

#include <poll.h>
#include <unistd.h>

struct seen {
    struct loop *loop;
    struct loop_source *other;
    int count;
    int order;
};

static int order_next;

static void count(void *owner)
{
    struct seen *seen = owner;
    seen->count++;
    seen->order = ++order_next;
}

static void wait_and_dispatch(struct loop *loop)
{
    struct pollfd ready = { .fd = loop_fd(loop), .events = POLLIN };
    assert_int_equal(poll(&ready, 1, 2000), 1);
    loop_dispatch(loop);
}

static void timers_fire_once_in_the_order_they_are_due(void **state)
{
    (void)state;
    struct loop loop;
    struct loop_timer late = { 0 }, soon = { 0 }, cleared = { 0 }, moved = { 0 };
    struct seen of_late = { 0 }, of_soon = { 0 }, of_cleared = { 0 }, of_moved = { 0 };
    assert_int_equal(loop_init(&loop), ERR_OK);
    loop_timer_set(&loop, &late, 40, count, &of_late);
    loop_timer_set(&loop, &soon, 10, count, &of_soon);
    loop_timer_set(&loop, &cleared, 1, count, &of_cleared);
    loop_timer_set(&loop, &moved, 1, count, &of_moved);
    loop_timer_set(&loop, &moved, 60, count, &of_moved);
    loop_timer_clear(&loop, &cleared);
    loop_timer_clear(&loop, &cleared);
    while (of_moved.count == 0)
        wait_and_dispatch(&loop);
    assert_int_equal(of_soon.count, 1);
    assert_int_equal(of_late.count, 1);
    assert_int_equal(of_cleared.count, 0);
    assert_true(of_soon.order < of_late.order && of_late.order < of_moved.order);
    assert_false(loop_timer_is_set(&soon));
    struct pollfd idle = { .fd = loop_fd(&loop), .events = POLLIN };
    assert_int_equal(poll(&idle, 1, 30), 0);
    loop_finish(&loop);
}

static void a_delay_without_end_is_not_over_at_once(void **state)
{
    (void)state;
    struct loop loop;
    struct loop_timer endless = { 0 }, soon = { 0 };
    struct seen of_endless = { 0 }, of_soon = { 0 };
    assert_int_equal(loop_init(&loop), ERR_OK);
    loop_timer_set(&loop, &endless, INT64_MAX, count, &of_endless);
    loop_timer_set(&loop, &soon, 5, count, &of_soon);
    while (of_soon.count == 0)
        wait_and_dispatch(&loop);
    assert_int_equal(of_endless.count, 0);
    assert_true(loop_timer_is_set(&endless));
    loop_finish(&loop);
}

static void read_and_unwatch_other(void *owner)
{
    struct seen *seen = owner;
    count(owner);
    loop_unwatch(seen->loop, seen->other);
}

/* Both are ready in one round; whichever comes first takes the other out. */
static void a_source_taken_out_is_not_called_any_more(void **state)
{
    (void)state;
    struct loop loop;
    struct loop_source sources[2] = { { 0 }, { 0 } };
    int ends[2][2];
    assert_int_equal(loop_init(&loop), ERR_OK);
    struct seen seen[2] = { { &loop, &sources[1], 0, 0 }, { &loop, &sources[0], 0, 0 } };
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(ends[i]), 0);
        assert_int_equal(write(ends[i][1], "x", 1), 1);
        assert_int_equal(loop_watch(&loop, &sources[i], ends[i][0], false,
                                    read_and_unwatch_other, &seen[i]),
                         ERR_OK);
    }
    wait_and_dispatch(&loop);
    assert_int_equal(seen[0].count + seen[1].count, 1);
    for (int i = 0; i < 2; i++) {
        loop_unwatch(&loop, &sources[i]);
        close(ends[i][0]);
        close(ends[i][1]);
    }
    loop_finish(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_once_in_the_order_they_are_due),
        cmocka_unit_test(a_delay_without_end_is_not_over_at_once),
        cmocka_unit_test(a_source_taken_out_is_not_called_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
