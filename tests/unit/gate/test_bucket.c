/*
 * Goal: the bucket is exact at any polling rate, and only time fills it.
 * Method: nothing sleeps. Each test hands in its own clock readings.
 */
#include "gate/bucket.h"

#include "cmocka_all.h"

#define MINUTE_MS ((int64_t)60 * 1000)

static void the_promised_wait_is_enough_and_no_longer(void **state)
{
    (void)state;
    struct bucket bucket;
    int64_t retry_ms = 0;
    int64_t unused;

    bucket_init(&bucket, (struct bucket_rate){ .burst = 3, .per_minute = 7 }, 0);
    while (bucket_take(&bucket, 0, &retry_ms))
        continue;

    assert_false(bucket_take(&bucket, retry_ms - 1, &unused));
    assert_true(bucket_take(&bucket, retry_ms, &unused));
}

static void polling_every_millisecond_rounds_nothing_away(void **state)
{
    (void)state;
    struct bucket bucket;
    int64_t unused;
    int taken = 0;

    bucket_init(&bucket, (struct bucket_rate){ .burst = 2, .per_minute = 7 }, 0);
    for (int64_t now_ms = 0; now_ms <= 60 * MINUTE_MS; now_ms++)
        taken += bucket_take(&bucket, now_ms, &unused);

    assert_int_equal(taken, 2 + 7 * 60); /* the burst, then an hour's refill */
}

static void a_long_silence_fills_it_to_the_burst_and_not_beyond(void **state)
{
    (void)state;
    struct bucket bucket;
    int64_t unused;
    int taken = 0;

    bucket_init(&bucket, (struct bucket_rate){ .burst = 5, .per_minute = 60 }, 0);
    while (bucket_take(&bucket, 0, &unused))
        continue;
    while (bucket_take(&bucket, INT64_MAX, &unused))
        taken++;

    assert_int_equal(taken, 5);
}

static void a_clock_that_steps_back_fills_nothing(void **state)
{
    (void)state;
    struct bucket bucket;
    int64_t unused;

    bucket_init(&bucket, (struct bucket_rate){ .burst = 1, .per_minute = 60 }, 10000);
    assert_true(bucket_take(&bucket, 10000, &unused));
    assert_false(bucket_take(&bucket, -MINUTE_MS, &unused));
    assert_false(bucket_take(&bucket, 10999, &unused));
    assert_true(bucket_take(&bucket, 11000, &unused));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_promised_wait_is_enough_and_no_longer),
        cmocka_unit_test(polling_every_millisecond_rounds_nothing_away),
        cmocka_unit_test(a_long_silence_fills_it_to_the_burst_and_not_beyond),
        cmocka_unit_test(a_clock_that_steps_back_fills_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
