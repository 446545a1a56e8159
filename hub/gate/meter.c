#include "gate/meter.h"

static const int64_t WAITS_MS[] = { 1000, 2000, 5000, 10 * 1000, METER_WAIT_MAX_MS };

enum { WAIT_COUNT = sizeof WAITS_MS / sizeof WAITS_MS[0] };

static bool is_new(const struct meter *meter)
{
    return meter->bucket.rate.per_minute == 0;
}

static void begin(struct meter *meter, struct rate rate, int64_t now_ms)
{
    if (is_new(meter))
        bucket_init(&meter->bucket,
                    (struct bucket_rate){ rate.capacity, rate.per_minute }, now_ms);
}

int64_t meter_wait_left_ms(const struct meter *meter, int64_t now_ms)
{
    int64_t passed_ms = now_ms - meter->wait_since_ms;
    /* A clock that steps back makes no wait longer than it was. */
    if (passed_ms < 0)
        passed_ms = 0;
    return passed_ms < meter->wait_ms ? meter->wait_ms - passed_ms : 0;
}

uint32_t meter_violations(const struct meter *meter, int64_t window_ms, int64_t now_ms)
{
    return now_ms - meter->refused_ms < window_ms ? meter->violations : 0;
}

static int64_t wait_of(uint32_t violations)
{
    return WAITS_MS[violations < WAIT_COUNT ? violations - 1 : WAIT_COUNT - 1];
}

static void wait_begin(struct meter *meter, int64_t wait_ms, int64_t now_ms)
{
    meter->wait_since_ms = now_ms;
    meter->wait_ms = wait_ms;
    meter->refused_ms = now_ms;
}

enum meter_word meter_take(struct meter *meter, struct rate rate, int64_t window_ms,
                           int64_t now_ms, int64_t *ret_retry_ms)
{
    int64_t refill_ms = 0;
    int64_t left_ms = meter_wait_left_ms(meter, now_ms);

    begin(meter, rate, now_ms);
    meter->violations = meter_violations(meter, window_ms, now_ms);
    if (left_ms > 0) {
        meter->refused_ms = now_ms;
        *ret_retry_ms = left_ms;
        return METER_REFUSED;
    }
    if (bucket_take(&meter->bucket, now_ms, &refill_ms))
        return METER_ALLOWED;
    if (meter->violations < UINT32_MAX)
        meter->violations++;
    int64_t wait_ms = wait_of(meter->violations);
    wait_begin(meter, wait_ms > refill_ms ? wait_ms : refill_ms, now_ms);
    *ret_retry_ms = meter->wait_ms;
    return METER_VIOLATED;
}

void meter_block(struct meter *meter, struct rate rate, int64_t now_ms)
{
    begin(meter, rate, now_ms);
    if (meter->violations < WAIT_COUNT)
        meter->violations = WAIT_COUNT;
    wait_begin(meter, METER_WAIT_MAX_MS, now_ms);
}

bool meter_is_fresh(const struct meter *meter, int64_t window_ms, int64_t now_ms)
{
    return is_new(meter) || (meter_violations(meter, window_ms, now_ms) == 0 &&
                             meter_wait_left_ms(meter, now_ms) == 0 &&
                             bucket_full_ms(&meter->bucket, now_ms) == 0);
}

uint32_t meter_remaining(const struct meter *meter, struct rate rate, int64_t now_ms)
{
    return is_new(meter) ? rate.capacity : bucket_tokens(&meter->bucket, now_ms);
}

int64_t meter_full_ms(const struct meter *meter, int64_t now_ms)
{
    return is_new(meter) ? 0 : bucket_full_ms(&meter->bucket, now_ms);
}
