#include "os/clock.h"
#include "os/thread.h"
#include "os/wake.h"

#include "cmocka_all.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

static bool is_readable(const struct wake *wake)
{
    struct pollfd poller = { .fd = wake_fd(wake), .events = POLLIN };
    return poll(&poller, 1, 0) == 1;
}

static void a_signal_stays_until_it_is_cleared(void **state)
{
    (void)state;
    struct wake wake;
    assert_int_equal(wake_init(&wake), ERR_OK);

    assert_false(wake_wait(&wake, 0));
    wake_signal(&wake);
    assert_true(wake_wait(&wake, 0));
    assert_true(wake_wait(&wake, -1));
    assert_true(is_readable(&wake));
    wake_clear(&wake);
    assert_false(wake_wait(&wake, 0));
    assert_false(is_readable(&wake));
    wake_finish(&wake);
}

static void many_signals_are_cleared_at_once_and_the_next_one_counts(void **state)
{
    (void)state;
    struct wake wake;
    assert_int_equal(wake_init(&wake), ERR_OK);

    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 1000; i++)
            wake_signal(&wake);
        assert_true(wake_wait(&wake, 0));
        wake_clear(&wake);
        assert_false(wake_wait(&wake, 0));
    }
    wake_finish(&wake);
}

static void clearing_what_is_not_set_does_not_wait(void **state)
{
    (void)state;
    struct wake wake;
    assert_int_equal(wake_init(&wake), ERR_OK);
    wake_clear(&wake);
    assert_false(wake_wait(&wake, 0));
    wake_signal(&wake);
    assert_true(wake_wait(&wake, 0));
    wake_finish(&wake);
}

static void a_wait_ends_at_its_time(void **state)
{
    (void)state;
    struct wake wake;
    assert_int_equal(wake_init(&wake), ERR_OK);
    int64_t before_ms = clock_monotonic_ms();
    assert_false(wake_wait(&wake, 20));
    assert_true(clock_monotonic_ms() - before_ms >= 19);
    wake_finish(&wake);
}

struct seen {
    sigset_t blocked;
    char name[16];
};

static void look_around(void *argument)
{
    struct seen *seen = argument;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &seen->blocked);
    (void)pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
}

static void a_thread_has_its_name_and_takes_no_signals(void **state)
{
    (void)state;
    struct seen seen;
    struct thread thread;
    assert_int_equal(thread_start(&thread, "a_name_that_is_too_long", look_around, &seen),
                     ERR_OK);
    thread_join(&thread);
    assert_string_equal(seen.name, "a_name_that_is_");
    assert_true(sigismember(&seen.blocked, SIGTERM));
    assert_true(sigismember(&seen.blocked, SIGHUP));

    sigset_t own;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &own);
    assert_false(sigismember(&own, SIGTERM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_stays_until_it_is_cleared),
        cmocka_unit_test(many_signals_are_cleared_at_once_and_the_next_one_counts),
        cmocka_unit_test(clearing_what_is_not_set_does_not_wait),
        cmocka_unit_test(a_wait_ends_at_its_time),
        cmocka_unit_test(a_thread_has_its_name_and_takes_no_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
