/*
 * crowd.h - meters for any number of names in a fixed room.
 *
 * Every name has two meters among many, found by hashes under a secret key, and may go on
 * as long as one of them lets it. Nothing is ever evicted, so nobody gets a full bucket
 * back by crowding the room; who shares one meter with a greedy name still has the other.
 *
 * Memory     Fixed at creation, touched where it is used.
 * Threads    One at a time.
 */
#ifndef GATE_CROWD_H
#define GATE_CROWD_H

#include "base/slice.h"
#include "gate/meter.h"

struct crowd;

/* `columns` is a power of two; each name has `kinds` pairs of meters. NULL without
 * memory. */
struct crowd *crowd_create(uint32_t columns, uint32_t kinds);
void crowd_destroy(struct crowd *crowd); /* accepts NULL */

/* As meter_take(), for the name's pair `kind`; *ret_meter is the better one of the two. */
enum meter_word crowd_take(struct crowd *crowd, struct slice name, uint32_t kind,
                           struct rate rate, int64_t window_ms, int64_t now_ms,
                           int64_t *ret_retry_ms, const struct meter **ret_meter);

/* True when nothing is lost by counting the name elsewhere from now on. */
bool crowd_is_fresh(struct crowd *crowd, struct slice name, int64_t window_ms,
                    int64_t now_ms);

#endif
