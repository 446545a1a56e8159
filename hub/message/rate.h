/*
 * rate.h - how much may be said: the numbers, as settings, rows and effects carry them.
 */
#ifndef MESSAGE_RATE_H
#define MESSAGE_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
    uint32_t capacity; /* that many at once */
    uint32_t per_minute;
};

/* The tiers that are limited, in the order of enum message_tier from TIER_LIGHT on. */
enum rate_tier { RATE_LIGHT, RATE_NORMAL, RATE_HEAVY, RATE_TIERS };

/* Whose defaults: every role has one of these. */
enum rate_class {
    RATE_ANYBODY, /* who has not said who it is: by address */
    RATE_AGENT,
    RATE_SUBMITTER,
    RATE_VIEWER,
    RATE_OPERATOR,
    RATE_ADMIN,
    RATE_CLASSES
};

struct rate_defaults {
    struct rate of[RATE_CLASSES][RATE_TIERS];
};

/* Numbers of one name's own, in place of its defaults. */
struct rate_override {
    bool set[RATE_TIERS];
    struct rate rates[RATE_TIERS];
};

static inline bool rate_override_is_empty(const struct rate_override *override)
{
    return !override->set[RATE_LIGHT] && !override->set[RATE_NORMAL] &&
           !override->set[RATE_HEAVY];
}

#endif
