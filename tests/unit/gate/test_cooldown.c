/*
 * Goal: each time in a row costs more, and time alone forgives.
 */
#include "gate/cooldown.h"

#include "cmocka_all.h"

#include <stdio.h>

#define S ((int64_t)1000)
#define ADA SLICE_OF("ada")
#define BOB SLICE_OF("bob")

static struct cooldowns *cooldowns;

static int begin(void **state)
{
    (void)state;
    cooldowns = cooldowns_create();
    return cooldowns == NULL;
}

static int end(void **state)
{
    (void)state;
    cooldowns_destroy(cooldowns);
    return 0;
}

static void assert_begins(struct slice name, int64_t now_ms, uint32_t times,
                          int64_t length_ms)
{
    struct cooldown cooldown = cooldowns_begin(cooldowns, name, now_ms);
    assert_int_equal(cooldown.times, times);
    assert_int_equal(cooldown.length_ms, length_ms);
    assert_int_equal(cooldowns_left_ms(cooldowns, name, now_ms), length_ms);
}

static void each_time_costs_more_up_to_five_minutes(void **state)
{
    (void)state;
    assert_begins(ADA, 0, 1, 30 * S);
    assert_begins(ADA, 40 * S, 2, 60 * S);
    assert_begins(ADA, 200 * S, 3, 300 * S);
    assert_begins(ADA, 600 * S, 4, 300 * S);
    assert_begins(ADA, 1000 * S, 5, 300 * S);
}

static void a_cooldown_ends_on_the_millisecond(void **state)
{
    (void)state;
    assert_begins(ADA, 5, 1, 30 * S);
    assert_int_equal(cooldowns_left_ms(cooldowns, ADA, 5 + 30 * S - 1), 1);
    assert_int_equal(cooldowns_left_ms(cooldowns, ADA, 5 + 30 * S), 0);
    assert_int_equal(cooldowns_left_ms(cooldowns, ADA, 5 + 31 * S), 0);
}

static void who_behaves_for_ten_minutes_is_forgotten(void **state)
{
    (void)state;
    assert_begins(ADA, 0, 1, 30 * S);
    assert_begins(ADA, 600 * S, 2, 60 * S);
    /* Ten minutes after the last time, not after the first. */
    assert_begins(ADA, 1200 * S, 3, 300 * S);
    assert_begins(ADA, 1800 * S + 1, 1, 30 * S);
}

static void one_does_not_pay_for_another(void **state)
{
    (void)state;
    assert_begins(ADA, 0, 1, 30 * S);
    assert_begins(ADA, 1, 2, 60 * S);
    assert_int_equal(cooldowns_left_ms(cooldowns, BOB, 1), 0);
    assert_begins(BOB, 2, 1, 30 * S);
    assert_int_equal(cooldowns_left_ms(cooldowns, ADA, 2), 60 * S - 1);
}

static struct slice numbered(char text[32], int number)
{
    snprintf(text, 32, "agent-%d", number);
    return slice_from_text(text);
}

static void a_full_table_forgets_the_oldest_alone(void **state)
{
    (void)state;
    char text[32];
    for (int i = 0; i < COOLDOWNS_MAX; i++)
        assert_begins(numbered(text, i), i, 1, 30 * S);
    assert_begins(ADA, COOLDOWNS_MAX, 1, 30 * S);
    assert_int_equal(cooldowns_left_ms(cooldowns, numbered(text, 0), COOLDOWNS_MAX), 0);
    for (int i = 1; i < COOLDOWNS_MAX; i++)
        assert_int_equal(cooldowns_left_ms(cooldowns, numbered(text, i), COOLDOWNS_MAX),
                         30 * S + i - COOLDOWNS_MAX);
    assert_begins(numbered(text, 7), COOLDOWNS_MAX + 1, 2, 60 * S);
}

static void what_is_forgotten_makes_way_first(void **state)
{
    (void)state;
    char text[32];
    assert_begins(ADA, 0, 1, 30 * S);
    int64_t later_ms = 601 * S;
    for (int i = 0; i < COOLDOWNS_MAX; i++)
        assert_begins(numbered(text, i), later_ms + i, 1, 30 * S);
    for (int i = 0; i < COOLDOWNS_MAX; i++)
        assert_true(cooldowns_left_ms(cooldowns, numbered(text, i), later_ms + 2000) > 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_time_costs_more_up_to_five_minutes),
        CASE(a_cooldown_ends_on_the_millisecond),
        CASE(who_behaves_for_ten_minutes_is_forgotten),
        CASE(one_does_not_pay_for_another),
        CASE(a_full_table_forgets_the_oldest_alone),
        CASE(what_is_forgotten_makes_way_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
