/*
 * bucket.h - a token bucket in integers: exact at any rate and any polling.
 *
 * Time is an argument; a clock that steps back fills nothing and breaks nothing.
 */
#ifndef GATE_BUCKET_H
#define GATE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket_rate {
    uint32_t burst;
    uint32_t per_minute;
};

struct bucket {
    struct bucket_rate rate;
    int64_t filled_at_ms;
    uint64_t level;
};

/* Starts full. Both figures of the rate are above zero. */
void bucket_init(struct bucket *bucket, struct bucket_rate rate, int64_t now_ms);

/* True: one token is gone. False: *ret_retry_ms is when one is there again. */
bool bucket_take(struct bucket *bucket, int64_t now_ms, int64_t *ret_retry_ms);

/* Whole tokens in it now. */
uint32_t bucket_tokens(const struct bucket *bucket, int64_t now_ms);

/* How long until it is full; zero when it is. */
int64_t bucket_full_ms(const struct bucket *bucket, int64_t now_ms);

#endif
