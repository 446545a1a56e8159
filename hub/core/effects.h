/*
 * effects.h - what a command asks of the world, held until its batch is committed.
 *
 * Slices inside effects live in the effects' arena or in the command, or are constant:
 * render them before either is let go.
 */
#ifndef CORE_EFFECTS_H
#define CORE_EFFECTS_H

#include "message/envelope.h"
#include "message/rate.h"

enum effect_kind {
    EFFECT_SEND,       /* `message` to `link` */
    EFFECT_BROADCAST,  /* `message` to every identified link but `link` */
    EFFECT_ANSWER,     /* `message` is the HTTP answer to (`link`, `request`); `status` */
    EFFECT_BIND,       /* `link` is identified from now on */
    EFFECT_CLOSE,      /* close `link` with `code`; `reason` is its name */
    EFFECT_KEY_ADD,    /* `digest`, `actor`, `role`, `scopes`, ... join the ring */
    EFFECT_KEY_REMOVE, /* `digest` leaves it; links it opened are closed */
    EFFECT_SUBSCRIBE,  /* `link` gets what is published from now on */
    EFFECT_UNSUBSCRIBE,   /* and does not any more */
    EFFECT_PUBLISH,       /* `message` to every subscribed link; whoever is slow misses it
                           and is told so */
    EFFECT_RATE_OVERRIDE, /* `actor` has the limits of `override`; empty: the defaults */
    EFFECT_RATE_EXEMPT,   /* `actor` has no limits, or has them again: `exempt` */
    EFFECT_RESET,      /* drop what can be had anew; every key is told again after this */
    EFFECT_KEYS_TOLD,  /* that was every key: others leave the ring */
    EFFECT_RESET_DONE, /* `request` differences were put right */
    EFFECT_JOB,        /* `job` of `job_kind` is the ops thread's to do */
    EFFECT_JOB_SKIPPED, /* one of `job_kind` was due and is not to be done, for `reason` */
    EFFECT_EVENTS,      /* to (`link`, `request`), which follows the log: `message`, or
                          nothing, and the place behind it */
};

struct effect {
    struct effect *next;
    enum effect_kind kind;
    uint64_t link;
    uint64_t request;
    uint16_t status;     /* of an answer; the message's own when 0 */
    bool replayed;       /* an answer to a repeated idempotent request */
    uint64_t tag;        /* of an answer: what it shows, for its ETag; 0: none */
    uint16_t code;       /* of a close */
    struct slice reason; /* of a close; of EFFECT_EVENTS: what the message is called */
    uint8_t digest[DIGEST_BYTES];
    struct slice actor;
    uint32_t role;
    uint64_t scopes;
    int64_t expires_wall_ms;
    struct rate_override override;
    bool exempt;
    uint64_t job;
    uint32_t job_kind;  /* core/job.h */
    uint32_t job_flags; /* likewise */
    struct slice subject;
    uint64_t event_epoch; /* of EFFECT_EVENTS: the reader's place */
    uint64_t event_last;
    bool more; /* there are events behind it already */
    struct message message;
};

struct effects {
    struct arena *arena;
    struct effect *first;
    struct effect *last;
    uint32_t count;
    bool more_due;       /* a tick left due deadlines behind */
    bool changed;        /* a row was put or removed */
    uint64_t event_last; /* the highest event added; 0 none */
};

static inline void effects_init(struct effects *effects, struct arena *arena)
{
    *effects = (struct effects){ .arena = arena };
}

/* Appends a zeroed effect; NULL when the arena is spent (then arena_failed()). */
struct effect *effects_add(struct effects *effects, enum effect_kind kind);

#endif
