/*
 * replay.h - the command journal applied once more to an older copy of the store.
 *
 * State is a function of the ordered commands: after the same commands with the same
 * settings every table holds the same bytes as the hub's did after that commit. Nothing is
 * said to anybody.
 *
 * Threads    One; nobody else has the store open.
 */
#ifndef ENGINE_REPLAY_H
#define ENGINE_REPLAY_H

#include "core/core.h"
#include "store/journal_read.h"
#include "store/store.h"

struct replayer;

/* `digest` as in the hub's settings, whose numbers the journal has. NULL without memory. */
struct replayer *replayer_create(event_digest *digest);
void replayer_destroy(struct replayer *replayer); /* accepts NULL */

/* One record onto tables that stand at its `before`, sealed; the caller commits. Errors as
 * replay_run()'s, and the transaction's: then it must be aborted. */
enum err replayer_apply(struct replayer *replayer, struct transaction *transaction,
                        const struct segment_head *head,
                        const struct segment_record *record,
                        struct store_problem *ret_problem);

/* The last commit never happened. */
void replayer_forget(struct replayer *replayer);

struct replay_options {
    struct store *store;
    const char *journal; /* its directory */
    struct journal_line line;
    uint64_t sequence;    /* the last commit to be applied; UINT64_MAX: all there is */
    event_digest *digest; /* as in the hub's settings, whose numbers the journal has */
    /* False: give up. NULL: go on in any case. Called often. */
    bool (*go_on)(void *context);
    void *context;
};

struct replay_result {
    struct core_place place; /* where the store stands now */
    uint64_t commits;
    int64_t wall_ms; /* of the last commit applied; 0: there was none */
};

/*
 * ERR_NOT_FOUND: commands are missing between the store and there. ERR_UNSUPPORTED: another
 * program wrote them. ERR_CORRUPT: a record is not what a hub writes, or does not fit the
 * store. ERR_CLOSED: given up. *ret_problem says why; the store is then somewhere between.
 */
enum err replay_run(const struct replay_options *options,
                    struct replay_result *ret_result, struct store_problem *ret_problem);

/* A commit, as the journal tells of it. */
struct replay_commit {
    uint64_t before; /* the store's sequence */
    uint64_t after;
    uint64_t event_last; /* the highest event then */
    int64_t wall_ms;
};

/* The commit with that event, or the last one when `event` is UINT64_MAX. ERR_NOT_FOUND: the
 * journal does not have it; *ret_problem says what it has. */
enum err replay_find(const char *journal, const struct journal_line *line, uint64_t event,
                     struct replay_commit *ret_commit, struct store_problem *ret_problem);

#endif
