#include "base/hash.h"
#include "os/clock.h"
#include "os/counter.h"
#include "os/entropy.h"
#include "os/secret.h"

#include "cmocka_all.h"

#include <string.h>

static void expect_digest(struct slice bytes, const char *expected)
{
    uint8_t digest[SECRET_DIGEST_BYTES];
    uint8_t wanted[SECRET_DIGEST_BYTES];
    digest_sha256(bytes, digest);
    assert_true(hex_decode(wanted, sizeof wanted, slice_from_text(expected)));
    assert_memory_equal(digest, wanted, sizeof digest);
}

/* FIPS 180-2, appendix B.1, and the empty message. */
static void digests_are_those_of_the_standard(void **state)
{
    (void)state;
    expect_digest(SLICE_OF("abc"),
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_digest(SLICE_OF(""),
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_digest(slice_from_text(NULL),
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void secrets_are_compared_and_wiped(void **state)
{
    (void)state;
    char one[] = "0123456789";
    char other[] = "0123456780";
    assert_true(secret_equal(one, other, 9));
    assert_false(secret_equal(one, other, 10));
    secret_wipe(one, sizeof one);
    for (size_t i = 0; i < sizeof one; i++)
        assert_int_equal(one[i], 0);
}

static void entropy_fills_every_byte_and_never_repeats(void **state)
{
    (void)state;
    static uint8_t bytes[1000];
    uint8_t seen[sizeof bytes] = { 0 };
    for (int round = 0; round < 16; round++) {
        entropy_fill(bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes; i++)
            seen[i] |= bytes[i];
    }
    for (size_t i = 0; i < sizeof seen; i++)
        assert_int_not_equal(seen[i], 0);
    assert_int_not_equal(entropy_u64(), entropy_u64());
}

static void expect_time(int64_t wall_ms, const char *expected)
{
    char text[CLOCK_TEXT_BYTES];
    clock_text(wall_ms, text);
    assert_string_equal(text, expected);
}

static void times_are_written_in_utc(void **state)
{
    (void)state;
    expect_time(0, "1970-01-01T00:00:00.000Z");
    expect_time(951782399999, "2000-02-28T23:59:59.999Z");
    expect_time(951782400000, "2000-02-29T00:00:00.000Z");
    expect_time(-1, "1969-12-31T23:59:59.999Z");
    expect_time(INT64_MAX, "9999-12-31T23:59:59.999Z");
    expect_time(INT64_MIN, "0000-01-01T00:00:00.000Z");
}

static void clocks_go_forward(void **state)
{
    (void)state;
    int64_t before_us = clock_monotonic_us();
    int64_t before_ms = clock_monotonic_ms();
    assert_true(before_ms >= before_us / 1000);
    while (clock_monotonic_us() == before_us)
        continue;
    assert_true(clock_monotonic_us() > before_us);
    assert_true(clock_wall_ms() > 1700000000000);
}

static void counters_count_and_gauges_are_set(void **state)
{
    (void)state;
    counter_add(COUNTER_COMMANDS, 2);
    counter_add(COUNTER_COMMANDS, 3);
    assert_int_equal(counter_read(COUNTER_COMMANDS), 5);
    counter_set(COUNTER_LINKS_OPEN, 7);
    assert_int_equal(counter_read(COUNTER_LINKS_OPEN), 7);
    assert_string_equal(counter_row(COUNTER_COMMANDS)->name, "commands");
    assert_false(counter_row(COUNTER_COMMANDS)->gauge);
    assert_true(counter_row(COUNTER_LINKS_OPEN)->gauge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_the_standard),
        cmocka_unit_test(secrets_are_compared_and_wiped),
        cmocka_unit_test(entropy_fills_every_byte_and_never_repeats),
        cmocka_unit_test(times_are_written_in_utc),
        cmocka_unit_test(clocks_go_forward),
        cmocka_unit_test(counters_count_and_gauges_are_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
