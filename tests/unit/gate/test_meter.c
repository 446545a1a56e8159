/*
 * Goal: a wait is promised exactly, grows while it is not heeded, and is forgiven.
 * Method: nothing sleeps. Each test hands in its own clock readings.
 */
#include "gate/meter.h"

#include "cmocka_all.h"

#define WINDOW_MS ((int64_t)60 * 1000)
#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static const struct rate FAST = { 10, 6000 }; /* ten at once, one in ten milliseconds */
static const struct rate SLOW = { 10, 10 };   /* one in six seconds */

static struct meter meter;
static int64_t retry_ms;

static int begin(void **state)
{
    (void)state;
    meter = (struct meter){ 0 };
    retry_ms = 0;
    return 0;
}

static enum meter_word take(struct rate rate, int64_t now_ms)
{
    return meter_take(&meter, rate, WINDOW_MS, now_ms, &retry_ms);
}

static void drain(struct rate rate, int64_t now_ms)
{
    while (meter_remaining(&meter, rate, now_ms) > 0)
        assert_int_equal(take(rate, now_ms), METER_ALLOWED);
}

static void each_violation_in_a_row_costs_more_until_the_last_step(void **state)
{
    (void)state;
    static const int64_t waits_ms[] = { 1000, 2000, 5000, 10000, 30000, 30000, 30000 };
    int64_t now_ms = 0;
    for (size_t i = 0; i < sizeof waits_ms / sizeof *waits_ms; i++) {
        drain(FAST, now_ms);
        assert_int_equal(take(FAST, now_ms), METER_VIOLATED);
        assert_int_equal(retry_ms, waits_ms[i]);
        now_ms += waits_ms[i];
    }
}

static void while_a_wait_runs_all_is_refused_with_what_is_left_of_it(void **state)
{
    (void)state;
    drain(FAST, 0);
    assert_int_equal(take(FAST, 0), METER_VIOLATED);
    for (int64_t now_ms = 1; now_ms < 1000; now_ms++) {
        assert_int_equal(take(FAST, now_ms), METER_REFUSED);
        assert_int_equal(retry_ms, 1000 - now_ms);
    }
    /* Refusals are no violations: the first wait is over as promised. */
    assert_int_equal(take(FAST, 1000), METER_ALLOWED);
    assert_int_equal(meter_violations(&meter, WINDOW_MS, 1000), 1);
}

static void a_wait_is_never_shorter_than_the_bucket_needs(void **state)
{
    (void)state;
    drain(SLOW, 0);
    assert_int_equal(take(SLOW, 0), METER_VIOLATED);
    assert_int_equal(retry_ms, 6000);
    assert_int_equal(take(SLOW, 5999), METER_REFUSED);
    assert_int_equal(retry_ms, 1);
    assert_int_equal(take(SLOW, 6000), METER_ALLOWED);
}

static void a_minute_without_a_refusal_forgives_everything(void **state)
{
    (void)state;
    drain(FAST, 0);
    assert_int_equal(take(FAST, 0), METER_VIOLATED);
    assert_int_equal(take(FAST, 500), METER_REFUSED);
    assert_int_equal(meter_violations(&meter, WINDOW_MS, 500 + WINDOW_MS - 1), 1);
    assert_int_equal(meter_violations(&meter, WINDOW_MS, 500 + WINDOW_MS), 0);
    drain(FAST, 500 + WINDOW_MS);
    assert_int_equal(take(FAST, 500 + WINDOW_MS), METER_VIOLATED);
    assert_int_equal(retry_ms, 1000);
}

static void who_heeds_the_wait_but_goes_too_far_again_climbs(void **state)
{
    (void)state;
    drain(FAST, 0);
    assert_int_equal(take(FAST, 0), METER_VIOLATED);
    drain(FAST, WINDOW_MS - 1);
    assert_int_equal(take(FAST, WINDOW_MS - 1), METER_VIOLATED);
    assert_int_equal(retry_ms, 2000);
}

static void a_clock_that_steps_back_makes_no_wait_longer(void **state)
{
    (void)state;
    drain(FAST, DAY_MS);
    assert_int_equal(take(FAST, DAY_MS), METER_VIOLATED);
    assert_int_equal(take(FAST, 0), METER_REFUSED);
    assert_true(retry_ms <= 1000);
    assert_int_equal(meter_wait_left_ms(&meter, -DAY_MS), 1000);
}

static void only_a_meter_that_owes_nothing_may_be_forgotten(void **state)
{
    (void)state;
    assert_true(meter_is_fresh(&meter, WINDOW_MS, 0));
    assert_int_equal(take(SLOW, 0), METER_ALLOWED);
    assert_false(meter_is_fresh(&meter, WINDOW_MS, 5999));
    assert_true(meter_is_fresh(&meter, WINDOW_MS, 6000));
    drain(SLOW, 6000);
    assert_int_equal(take(SLOW, 6000), METER_VIOLATED);
    /* The bucket is full again at the same instant at which all is forgiven. */
    assert_false(meter_is_fresh(&meter, WINDOW_MS, 6000 + WINDOW_MS - 1));
    assert_true(meter_is_fresh(&meter, WINDOW_MS, 6000 + WINDOW_MS));
}

static void a_block_is_the_longest_wait_whatever_is_in_the_bucket(void **state)
{
    (void)state;
    meter_block(&meter, FAST, 100);
    assert_int_equal(take(FAST, 100), METER_REFUSED);
    assert_int_equal(retry_ms, METER_WAIT_MAX_MS);
    assert_int_equal(take(FAST, 100 + METER_WAIT_MAX_MS), METER_ALLOWED);
}

static void the_largest_numbers_overflow_nothing(void **state)
{
    (void)state;
    const struct rate most = { UINT32_MAX, UINT32_MAX };
    assert_int_equal(take(most, 0), METER_ALLOWED);
    assert_int_equal(take(most, INT64_MAX / 2), METER_ALLOWED);
    assert_int_equal(meter_remaining(&meter, most, INT64_MAX / 2), UINT32_MAX - 1);
    assert_int_equal(meter_full_ms(&meter, INT64_MAX / 2), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_violation_in_a_row_costs_more_until_the_last_step,
                               begin),
        cmocka_unit_test_setup(while_a_wait_runs_all_is_refused_with_what_is_left_of_it,
                               begin),
        cmocka_unit_test_setup(a_wait_is_never_shorter_than_the_bucket_needs, begin),
        cmocka_unit_test_setup(a_minute_without_a_refusal_forgives_everything, begin),
        cmocka_unit_test_setup(who_heeds_the_wait_but_goes_too_far_again_climbs, begin),
        cmocka_unit_test_setup(a_clock_that_steps_back_makes_no_wait_longer, begin),
        cmocka_unit_test_setup(only_a_meter_that_owes_nothing_may_be_forgotten, begin),
        cmocka_unit_test_setup(a_block_is_the_longest_wait_whatever_is_in_the_bucket,
                               begin),
        cmocka_unit_test_setup(the_largest_numbers_overflow_nothing, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
