/*
 * meter.h - one bucket, and the back-off of who went on when it was empty.
 *
 * Each time the bucket is found empty is a violation, and a wait begins: the longer the
 * more there were in a row, never shorter than the bucket needs. While it runs everything
 * is refused with what is left of it. Who is not refused for a whole window is forgiven.
 *
 * A meter of all zeros has seen nothing yet.
 */
#ifndef GATE_METER_H
#define GATE_METER_H

#include "gate/bucket.h"
#include "message/rate.h"

/* The longest wait for its own sake. */
enum { METER_WAIT_MAX_MS = 30 * 1000 };

struct meter {
    struct bucket bucket;
    int64_t wait_since_ms;
    int64_t wait_ms; /* zero: none begun */
    int64_t refused_ms;
    uint32_t violations; /* in a row; zero: never refused, or forgiven */
};

enum meter_word {
    METER_ALLOWED,
    METER_REFUSED,  /* the wait still runs */
    METER_VIOLATED, /* a wait has begun */
};

/* Takes one token. Not METER_ALLOWED: *ret_retry_ms is when it will be. */
enum meter_word meter_take(struct meter *meter, struct rate rate, int64_t window_ms,
                           int64_t now_ms, int64_t *ret_retry_ms);

/* What is left of the wait; zero: none runs. */
int64_t meter_wait_left_ms(const struct meter *meter, int64_t now_ms);

/* The longest wait begins, whatever is in the bucket. */
void meter_block(struct meter *meter, struct rate rate, int64_t now_ms);

/* Violations not forgiven yet. */
uint32_t meter_violations(const struct meter *meter, int64_t window_ms, int64_t now_ms);

/* True when nothing is lost by forgetting it. */
bool meter_is_fresh(const struct meter *meter, int64_t window_ms, int64_t now_ms);

/* Tokens left, and how long until all are. */
uint32_t meter_remaining(const struct meter *meter, struct rate rate, int64_t now_ms);
int64_t meter_full_ms(const struct meter *meter, int64_t now_ms);

#endif
