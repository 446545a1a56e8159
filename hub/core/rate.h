/*
 * rate.h - who has limits of its own, or none: what operators set, kept for the gate.
 *
 *   rate         name   an override
 *   rate_exempt  name   index: has no limits
 *
 * Names need not be known to the fleet yet. The gate hears of each change and enforces
 * it; the core only leaves agents out of the line that went too far.
 */
#ifndef CORE_RATE_H
#define CORE_RATE_H

#include "core/agent.h"
#include "message/rate.h"

enum {
    RATE_NAME_BYTES_MAX = 480, /* it is a key */
    RATE_OVERRIDES_MAX = 1000,
    RATE_EXEMPT_MAX = 1000,
    RATE_CAPACITY_MAX = 10 * 1000 * 1000, /* of either number, as the schema says */
};

/* False for an empty or overlong name, and for one with a NUL in it. */
bool rate_name_is_valid(struct slice name);

/* False: as many have one as may; nothing is changed. */
bool rate_override_put(struct step *step, struct slice name,
                       const struct rate_override *override);
void rate_override_remove(struct step *step, struct slice name);

/* Likewise. Who is exempt already, or is not, stays so. */
bool rate_exempt_put(struct step *step, struct slice name);
void rate_exempt_remove(struct step *step, struct slice name);

/* Goes through those who are exempt, in order: start with an empty name. */
bool rate_exempt_next(struct step *step, struct slice after, struct slice *ret_name);

bool rate_override_load(struct step *step, struct slice name,
                        struct rate_override *ret_override);

/* The agent gets no task for so long; never less than it was told before. */
void rate_hold_back(struct step *step, struct agent *agent, int64_t for_ms);

/* It may get tasks again. */
void rate_forgive(struct step *step, struct slice name);

/* The deadline of an agent that was held back. */
void rate_hold_over(struct step *step, uint64_t agent, int64_t due_ms);

#endif
