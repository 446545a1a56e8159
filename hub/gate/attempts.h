/*
 * attempts.h - how often an address may still fail to say who it is.
 *
 * Every address has two buckets among many, found by hashes under a secret key, and may
 * fail as long as one of them has a token. Nothing is ever evicted, so nobody gets a full
 * bucket back by crowding the table; who shares one bucket with a guesser still has the
 * other. Who shows a good token is never counted, so no guesser locks anybody out. IPv6 addresses count by their network of 64 bits.
 *
 * Memory     Fixed at creation.
 * Threads    One at a time.
 */
#ifndef GATE_ATTEMPTS_H
#define GATE_ATTEMPTS_H

#include "base/slice.h"

struct attempts;

/* NULL without memory. */
struct attempts *attempts_create(int64_t now_ms);
void attempts_destroy(struct attempts *attempts); /* accepts NULL */

/* Counts one failure. False when it was one too many: *ret_retry_ms is when the address
 * may be told again that it is wrong. */
bool attempts_count(struct attempts *attempts, struct slice address, int64_t now_ms,
                    int64_t *ret_retry_ms);

#endif
