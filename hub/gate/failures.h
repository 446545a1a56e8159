/*
 * failures.h - the figures of what was refused as invalid: the last ones, who sent how
 * many within the hour, and who was sent away for it.
 *
 * They help people; nothing is decided by them. They begin anew with the hub.
 *
 * Memory     Fixed at creation: the oldest makes way, long texts are cut.
 * Threads    One at a time.
 */
#ifndef GATE_FAILURES_H
#define GATE_FAILURES_H

#include "gate/cooldown.h"
#include "gate/moment.h"
#include "wire/wire.h"

enum {
    FAILURES_RECENT_MAX = 50,
    FAILURES_ITEMS_MAX = 4, /* of one failure */
    FAILURES_AGENTS_MAX = 256,
    FAILURES_DISCONNECTS_MAX = 20,
    FAILURES_WARNING = 50, /* in an hour; more are worth a look */
};

struct failures;

/* Who did it: an agent, or else whoever is at the address. */
struct offender {
    struct slice actor; /* absent while nobody knows */
    struct slice address;
};

/* NULL without memory. */
struct failures *failures_create(void);
void failures_destroy(struct failures *failures); /* accepts NULL */

/* A message of `type` (absent: unknown) was refused. */
void failures_add(struct failures *failures, struct offender offender, struct slice type,
                  const struct refusal *refusal, struct gate_time now);

/* The offender's connection was closed for it. */
void failures_add_disconnect(struct failures *failures, struct offender offender,
                             struct cooldown cooldown, struct gate_time now);

/* Appends everything as the answer of GET /api/validation. */
void failures_render(const struct failures *failures, int64_t monotonic_ms,
                     struct buffer *buffer);

#endif
