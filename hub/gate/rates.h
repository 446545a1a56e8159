/*
 * rates.h - may this one say one thing more? All limits by rate, in memory.
 *
 * Who is known counts by name, whoever is not by address (of IPv6 by the network of 64
 * bits); sockets and HTTP apart, each tier apart. A name may have numbers of its own, or
 * be exempt: these come from the core, and each change forgets what was counted for it.
 * Names that find no room of their own share that of their class.
 *
 * Memory     Fixed at creation but for the names and their own numbers, which are bounded.
 * Threads    One at a time.
 */
#ifndef GATE_RATES_H
#define GATE_RATES_H

#include "base/buffer.h"
#include "base/map.h"
#include "gate/crowd.h"
#include "gate/hour.h"
#include "gate/subject.h"
#include "message/envelope.h"
#include "message/row.h"

struct rates_options {
    struct rate_defaults defaults;
    int64_t window_ms; /* so long without a refusal, and the back-off begins anew */
    uint32_t subjects_max;
};

/* What was set for one name, and the meters of the numbers of its own. */
struct rate_rule {
    bool exempt;
    struct rate_override override;
    struct meter meters[RATE_CHANNELS][RATE_TIERS];
};

struct rates {
    struct rates_options options;
    struct map *rules; /* by name */
    struct subjects *subjects;
    struct crowd *addresses;
    struct crowd *crowds[RATE_CLASSES]; /* of those without a place among the subjects */
    struct hour violations;
};

struct rate_asker {
    struct slice actor; /* empty: nobody knows who it is */
    uint32_t role;
    struct slice address;
};

struct rate_answer {
    enum meter_word word;
    bool limited; /* false: exempt, or of a tier without limit; nothing else is told */
    enum rate_tier tier;
    struct rate rate;
    uint32_t remaining;
    int64_t retry_ms; /* not METER_ALLOWED: when it will be */
    int64_t full_ms;  /* when all tokens are back */
};

/* NULL without memory. */
struct rates *rates_create(const struct rates_options *options);
void rates_destroy(struct rates *rates); /* accepts NULL */

/* What was counted begins anew; what was set stays. ERR_MEMORY changes nothing. */
enum err rates_forget(struct rates *rates);

/* One message or request more. */
struct rate_answer rates_take(struct rates *rates, const struct rate_asker *asker,
                              enum rate_channel channel, enum message_tier tier,
                              int64_t now_ms);

/* How long a wait that has begun for the name still runs; zero: none does. */
int64_t rates_wait_left_ms(const struct rates *rates, const struct rate_asker *asker,
                           enum rate_channel channel, enum message_tier tier,
                           int64_t now_ms);

bool rates_is_exempt(const struct rates *rates, struct slice name);

/* The longest wait begins for the name. */
void rates_block(struct rates *rates, const struct rate_asker *asker,
                 enum rate_channel channel, enum message_tier tier, int64_t now_ms);

/* An empty override: the defaults again. ERR_MEMORY or ERR_LIMIT change nothing. */
enum err rates_override(struct rates *rates, struct slice name,
                        const struct rate_override *override);
enum err rates_exempt(struct rates *rates, struct slice name, bool exempt);

/* A text for the tier: "light". */
struct slice rate_tier_name(enum rate_tier tier);

/* Appends the answers of the routes that show all this. Without memory the buffer fails. */
void rates_render_limits(const struct rates *rates, struct buffer *buffer);
void rates_render_exempt(const struct rates *rates, struct buffer *buffer);
void rates_render_usage(const struct rates *rates, int64_t now_ms, struct buffer *buffer);

#endif
