#include "gate/attempts.h"

#include "base/hash.h"
#include "gate/address.h"
#include "gate/bucket.h"
#include "os/entropy.h"

#include <stdlib.h>

enum {
    ROWS = 2,
    COLUMNS = 2048, /* a power of two */
};

static const struct bucket_rate FAILURES = { .burst = 10, .per_minute = 10 };

struct attempts {
    struct siphash_key keys[ROWS];
    struct bucket buckets[ROWS][COLUMNS];
};

struct attempts *attempts_create(int64_t now_ms)
{
    struct attempts *attempts = malloc(sizeof *attempts);
    if (attempts == NULL)
        return NULL;
    entropy_fill(attempts->keys, sizeof attempts->keys);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t column = 0; column < COLUMNS; column++)
            bucket_init(&attempts->buckets[row][column], FAILURES, now_ms);
    return attempts;
}

void attempts_destroy(struct attempts *attempts)
{
    free(attempts);
}

static struct bucket *find(struct attempts *attempts, size_t row, struct slice address)
{
    struct in6_addr space;
    struct slice network = address_network(address, &space);
    return &attempts->buckets[row][siphash(attempts->keys[row], network) % COLUMNS];
}

bool attempts_count(struct attempts *attempts, struct slice address, int64_t now_ms,
                    int64_t *ret_retry_ms)
{
    bool allowed = false;
    int64_t soonest_ms = INT64_MAX;
    for (size_t row = 0; row < ROWS; row++) {
        int64_t retry_ms = 0;
        if (bucket_take(find(attempts, row, address), now_ms, &retry_ms))
            allowed = true;
        else if (retry_ms < soonest_ms)
            soonest_ms = retry_ms;
    }
    if (!allowed)
        *ret_retry_ms = soonest_ms;
    return allowed;
}
