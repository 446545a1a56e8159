/*
 * Goal: an address fails ten times and then once in six seconds, and nothing it can do
 * with other addresses gives it more.
 */
#include "gate/attempts.h"

#include "cmocka_all.h"

#include <stdio.h>

static struct attempts *attempts;

static int begin(void **state)
{
    (void)state;
    attempts = attempts_create(0);
    return attempts == NULL;
}

static int end(void **state)
{
    (void)state;
    attempts_destroy(attempts);
    return 0;
}

static int failures(const char *address, int64_t now_ms)
{
    int64_t unused;
    int count = 0;
    while (attempts_count(attempts, slice_from_text(address), now_ms, &unused))
        count++;
    return count;
}

static void ten_failures_are_free_and_then_one_in_six_seconds(void **state)
{
    (void)state;
    int64_t retry_ms = 0;

    assert_int_equal(failures("10.0.0.1", 0), 10);
    assert_false(attempts_count(attempts, SLICE_OF("10.0.0.1"), 0, &retry_ms));
    assert_int_equal(retry_ms, 6000);
    assert_int_equal(failures("10.0.0.1", 5999), 0);
    assert_int_equal(failures("10.0.0.1", 6000), 1);
}

static void a_crowd_of_addresses_refills_nobody(void **state)
{
    (void)state;
    char address[32];
    int64_t unused;

    assert_int_equal(failures("10.0.0.1", 0), 10);
    for (int i = 0; i < 100000; i++) {
        snprintf(address, sizeof address, "172.%d.%d.%d", i >> 16, (i >> 8) & 255,
                 i & 255);
        attempts_count(attempts, slice_from_text(address), 0, &unused);
    }
    assert_int_equal(failures("10.0.0.1", 0), 0);
}

static void one_guesser_leaves_the_others_their_tries(void **state)
{
    (void)state;
    char address[32];
    int limited = 0;

    failures("10.0.0.1", 0);
    for (int i = 0; i < 200; i++) {
        snprintf(address, sizeof address, "192.168.%d.9", i);
        limited += failures(address, 0) == 0;
    }
    /* Each drains its own two; who shares one still has the other. */
    assert_true(limited <= 10);
}

static void a_network_of_ipv6_counts_as_one(void **state)
{
    (void)state;
    assert_int_equal(failures("2001:db8:1:2::1", 0), 10);
    assert_int_equal(failures("2001:db8:1:2:ffff::9", 0), 0);
    assert_int_equal(failures("2001:db8:1:3::1", 0), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ten_failures_are_free_and_then_one_in_six_seconds,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_crowd_of_addresses_refills_nobody, begin, end),
        cmocka_unit_test_setup_teardown(one_guesser_leaves_the_others_their_tries, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_network_of_ipv6_counts_as_one, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
