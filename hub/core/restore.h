/*
 * restore.h - a store that was a backup, made fit to be lived in again.
 *
 * Time has gone on since it was taken: agents hold tasks of it that they have finished,
 * and tokens in it were revoked. So every generation rises past any that an agent can have
 * seen, of another restore of the same backup too, and so do the numbers of tasks; every
 * task that was held is queued at its old place (which counts as no attempt), nobody is
 * connected, and the events and mailboxes begin a new epoch.
 *
 * Done in bounded steps on a store that nobody else has open.
 */
#ifndef CORE_RESTORE_H
#define CORE_RESTORE_H

#include "core/core.h"

/* More than one store has handed out a task, or given out numbers while its clock stood. */
enum { RESTORE_LEAP = 1000000 };

/* What the store's own log is told of it. */
struct core_restore_story {
    bool automatic; /* nobody asked: the store was broken */
    bool lost_known;
    uint64_t commands_lost;
    bool revocations_kept;
    uint32_t backups_skipped;
    struct slice reason; /* absent: the store given up was good */
    struct slice kept;   /* where its file is; absent: it is gone */
};

struct core_restore {
    struct slice backup;
    struct slice requested_by; /* absent: somebody at the machine */
    uint64_t epoch;            /* greater than that of the store given up, when known */
    int64_t wall_ms;
    uint64_t task;               /* where the steps have come to */
    uint8_t token[DIGEST_BYTES]; /* likewise */
};

/* The epoch of a store restored now: past the one given up, if that is known, and past
 * every generation in it, which begin at its epoch. */
uint64_t core_restore_epoch(uint64_t given_up, int64_t wall_ms);

/* One step; *ret_done after the last. ERR_CORRUPT and the transaction's own. */
enum err core_restore_step(const struct core_settings *settings,
                           struct transaction *transaction, struct core_restore *restore,
                           bool *ret_done);

/* What was revoked in the store given up (`live`) stays revoked, what ends sooner there
 * ends then, and no number of a task is given out again. One step, likewise. */
enum err core_restore_tokens(const struct core_settings *settings,
                             struct transaction *transaction, struct transaction *live,
                             struct core_restore *restore, bool *ret_done);

/* The last step: the event that tells of it. */
enum err core_restore_tell(const struct core_settings *settings,
                           struct transaction *transaction,
                           const struct core_restore *restore,
                           const struct core_restore_story *story);

#endif
