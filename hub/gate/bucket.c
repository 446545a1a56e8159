#include "gate/bucket.h"

#include "base/ensure.h"

/*
 * The level is counted in sixty-thousandths of a token. In that unit a bucket that earns
 * N tokens a minute earns exactly N a millisecond, so no rate and no polling interval
 * ever rounds.
 */
enum { TOKEN = 60 * 1000 };

static uint64_t full(const struct bucket *bucket)
{
    return (uint64_t)bucket->rate.burst * TOKEN;
}

static void refill(struct bucket *bucket, int64_t now_ms)
{
    if (now_ms <= bucket->filled_at_ms)
        return;

    uint64_t elapsed_ms = (uint64_t)now_ms - (uint64_t)bucket->filled_at_ms;
    uint64_t missing = full(bucket) - bucket->level;

    /* Compare by division: after a long silence the product would overflow. */
    if (elapsed_ms > missing / bucket->rate.per_minute)
        bucket->level = full(bucket);
    else
        bucket->level += elapsed_ms * bucket->rate.per_minute;
    bucket->filled_at_ms = now_ms;
}

void bucket_init(struct bucket *bucket, struct bucket_rate rate, int64_t now_ms)
{
    ENSURE(rate.burst > 0);
    ENSURE(rate.per_minute > 0);

    *bucket = (struct bucket){ .rate = rate, .filled_at_ms = now_ms };
    bucket->level = full(bucket);
}

bool bucket_take(struct bucket *bucket, int64_t now_ms, int64_t *ret_retry_ms)
{
    refill(bucket, now_ms);
    ENSURE(bucket->level <= full(bucket));

    if (bucket->level >= TOKEN) {
        bucket->level -= TOKEN;
        return true;
    }

    uint64_t missing = TOKEN - bucket->level;
    uint32_t per_ms = bucket->rate.per_minute;
    *ret_retry_ms = (int64_t)((missing + per_ms - 1) / per_ms);
    return false;
}
