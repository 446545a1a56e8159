/*
 * Goal: an hour holds what the last sixty minutes held, whatever was before.
 */
#include "gate/hour.h"

#include "cmocka_all.h"

#define MINUTE_MS ((int64_t)60 * 1000)
#define BOOT_MS (INT64_C(123) * 60 * MINUTE_MS)

static void sixty_minutes_are_counted_and_no_more(void **state)
{
    (void)state;
    struct hour hour = { 0 };
    for (int minute = 0; minute < 90; minute++)
        hour_add(&hour, BOOT_MS + minute * MINUTE_MS);
    assert_int_equal(hour_total(&hour, BOOT_MS + 89 * MINUTE_MS), 60);
    assert_int_equal(hour_total(&hour, BOOT_MS + 90 * MINUTE_MS), 59);
    assert_int_equal(hour_total(&hour, BOOT_MS + 148 * MINUTE_MS), 1);
    assert_int_equal(hour_total(&hour, BOOT_MS + 149 * MINUTE_MS), 0);
}

static void what_is_counted_after_a_silence_stands_alone(void **state)
{
    (void)state;
    struct hour hour = { 0 };
    for (int i = 0; i < 1000; i++)
        hour_add(&hour, BOOT_MS);
    hour_add(&hour, BOOT_MS + 30 * MINUTE_MS);
    assert_int_equal(hour_total(&hour, BOOT_MS + 30 * MINUTE_MS), 1001);
    hour_add(&hour, BOOT_MS + 60 * MINUTE_MS);
    assert_int_equal(hour_total(&hour, BOOT_MS + 60 * MINUTE_MS), 2);
    hour_add(&hour, BOOT_MS + 60 * 24 * 365 * MINUTE_MS);
    assert_int_equal(hour_total(&hour, BOOT_MS + 60 * 24 * 365 * MINUTE_MS), 1);
}

static void asking_changes_nothing(void **state)
{
    (void)state;
    struct hour hour = { 0 };
    hour_add(&hour, BOOT_MS);
    assert_int_equal(hour_total(&hour, BOOT_MS + 60 * MINUTE_MS), 0);
    assert_int_equal(hour_total(&hour, BOOT_MS), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixty_minutes_are_counted_and_no_more),
        cmocka_unit_test(what_is_counted_after_a_silence_stands_alone),
        cmocka_unit_test(asking_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
