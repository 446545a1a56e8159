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

static int64_t time_for(const struct bucket *bucket, uint64_t missing)
{
    uint32_t per_ms = bucket->rate.per_minute;
    return (int64_t)((missing + per_ms - 1) / per_ms);
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

    *ret_retry_ms = time_for(bucket, TOKEN - bucket->level);
    return false;
}

uint32_t bucket_tokens(const struct bucket *bucket, int64_t now_ms)
{
    struct bucket filled = *bucket;
    refill(&filled, now_ms);
    return (uint32_t)(filled.level / TOKEN);
}

int64_t bucket_full_ms(const struct bucket *bucket, int64_t now_ms)
{
    struct bucket filled = *bucket;
    refill(&filled, now_ms);
    return time_for(&filled, full(&filled) - filled.level);
}
