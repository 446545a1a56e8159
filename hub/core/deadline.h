/*
 * deadline.h - everything that waits for a time, in one time-ordered table.
 */
#ifndef CORE_DEADLINE_H
#define CORE_DEADLINE_H

#include "core/step.h"

/* Stored: never renumber. */
enum deadline_clock {
    CLOCK_FLEET = 0,
    CLOCK_WALL = 1,
};

/* Stored: never renumber. */
enum deadline_kind {
    DEADLINE_TASK = 1,        /* acceptance, lease or retry delay: by the task's state */
    DEADLINE_TASK_WALL = 2,   /* not_before or complete_by: by the task's state */
    DEADLINE_GRACE = 3,       /* subject: agent; its reconnect grace is over */
    DEADLINE_MATCH = 4,       /* subject: agent; it may have room for more */
    DEADLINE_WAITERS = 5,     /* subject: task; tell those who wait for it */
    DEADLINE_IDEMPOTENCY = 6, /* subject: see idempotency.h */
    DEADLINE_MATCH_TASK = 7,  /* subject: task; somebody may have room for it */
    DEADLINE_RESEND = 8,      /* subject: task; its holder has come back, unaware of it */

    DEADLINE_FANOUT = 20,     /* subject: 0; letters wait to be given to many */
    DEADLINE_MAIL = 21,       /* subject: box; its oldest letter may be too old */
    DEADLINE_MAIL_SWEEP = 22, /* subject: box; look into all from this one on */

    DEADLINE_TOKEN = 120,       /* subject: digest; the token ends */
    DEADLINE_FEED = 140,        /* subject: 0; changes of agents are to be said */
    DEADLINE_FEED_LINGER = 141, /* subject: 0; the feed may rest */
    DEADLINE_EVENTS = 160,      /* subject: 0; events may be too old or too many */

    DEADLINE_RATE = 110, /* subject: agent; it may get tasks again */

    DEADLINE_RESET = 130, /* subject: 0; a reset goes on, see reset.h */

    DEADLINE_JOB_WAIT = 180, /* subject: job; its asker is not kept waiting any longer */
    DEADLINE_BACKUP = 181,   /* subject: 0; the next scheduled backup */

    DEADLINE_RETENTION = 142, /* subject: 0; finished tasks are to go */
    DEADLINE_COMPACT = 196,   /* subject: 0; it is asked whether the store wants it */
    DEADLINE_SCRUB = 197,     /* subject: 0; the next scrub */
};

/* `subject` is at most 64 bytes; number subjects are 8 bytes big-endian. Adding what is
 * there already is fine. */
void deadline_add(struct step *step, enum deadline_clock clock, int64_t due_ms,
                  enum deadline_kind kind, struct slice subject);

/* Must be there. */
void deadline_remove(struct step *step, enum deadline_clock clock, int64_t due_ms,
                     enum deadline_kind kind, struct slice subject);

void deadline_add_number(struct step *step, enum deadline_clock clock, int64_t due_ms,
                         enum deadline_kind kind, uint64_t number);
void deadline_remove_number(struct step *step, enum deadline_clock clock, int64_t due_ms,
                            enum deadline_kind kind, uint64_t number);

bool deadline_has(struct step *step, enum deadline_clock clock, int64_t due_ms,
                  enum deadline_kind kind, struct slice subject);

struct deadline {
    enum deadline_clock clock;
    int64_t due_ms;
    enum deadline_kind kind;
    struct slice subject; /* in the arena */
};

/* The earliest on a clock; false when nothing waits there. */
bool deadline_first(struct step *step, enum deadline_clock clock,
                    struct deadline *ret_deadline);

#endif
