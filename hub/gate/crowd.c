#include "gate/crowd.h"

#include "base/ensure.h"
#include "base/hash.h"
#include "os/entropy.h"

#include <stdlib.h>

enum { ROWS = 2 };

struct crowd {
    struct siphash_key keys[ROWS];
    uint32_t columns;
    uint32_t kinds;
    struct meter meters[]; /* row by row, column by column */
};

struct crowd *crowd_create(uint32_t columns, uint32_t kinds)
{
    ENSURE(columns > 0 && (columns & (columns - 1)) == 0 && kinds > 0);
    size_t count = (size_t)ROWS * columns * kinds;
    struct crowd *crowd = calloc(1, sizeof *crowd + count * sizeof(struct meter));
    if (crowd == NULL)
        return NULL;
    entropy_fill(crowd->keys, sizeof crowd->keys);
    crowd->columns = columns;
    crowd->kinds = kinds;
    return crowd;
}

void crowd_destroy(struct crowd *crowd)
{
    free(crowd);
}

static struct meter *find(struct crowd *crowd, uint32_t row, struct slice name,
                          uint32_t kind)
{
    uint64_t column = siphash(crowd->keys[row], name) & (crowd->columns - 1);
    return &crowd->meters[((size_t)row * crowd->columns + column) * crowd->kinds + kind];
}

enum meter_word crowd_take(struct crowd *crowd, struct slice name, uint32_t kind,
                           struct rate rate, int64_t window_ms, int64_t now_ms,
                           int64_t *ret_retry_ms, const struct meter **ret_meter)
{
    ENSURE(kind < crowd->kinds);
    enum meter_word best = METER_REFUSED;
    int64_t soonest_ms = INT64_MAX;
    struct meter *better = NULL;
    for (uint32_t row = 0; row < ROWS; row++) {
        struct meter *meter = find(crowd, row, name, kind);
        int64_t retry_ms = 0;
        enum meter_word word = meter_take(meter, rate, window_ms, now_ms, &retry_ms);
        if (better == NULL || retry_ms < soonest_ms ||
            (retry_ms == soonest_ms && bucket_tokens(&meter->bucket, now_ms) >
                                           bucket_tokens(&better->bucket, now_ms))) {
            better = meter;
            soonest_ms = retry_ms;
        }
        if (word == METER_ALLOWED || (word == METER_VIOLATED && best == METER_REFUSED))
            best = word;
    }
    *ret_retry_ms = soonest_ms;
    *ret_meter = better;
    return best;
}

bool crowd_is_fresh(struct crowd *crowd, struct slice name, int64_t window_ms,
                    int64_t now_ms)
{
    for (uint32_t row = 0; row < ROWS; row++)
        for (uint32_t kind = 0; kind < crowd->kinds; kind++)
            if (!meter_is_fresh(find(crowd, row, name, kind), window_ms, now_ms))
                return false;
    return true;
}
