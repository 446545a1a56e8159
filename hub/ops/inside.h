/*
 * inside.h - what the jobs of this room share.
 *
 * To add a kind of job: its number in core/job.h, a runner here, a line in RUNNERS.
 */
#ifndef OPS_INSIDE_H
#define OPS_INSIDE_H

#include "core/job.h"
#include "engine/door.h"
#include "ops/ops.h"
#include "ops/vault.h"
#include "os/thread.h"
#include "os/wake.h"

struct ops_job {
    uint64_t number;
    uint32_t kind;
    uint32_t flags;
    char subject[JOB_TEXT_BYTES_MAX + 1]; /* "": none */
};

/* How a job ended; all zero: it failed for no reason given. */
struct ops_outcome {
    bool complete;
    bool silent;                  /* the order is not told: it ends with this job */
    const char *code;             /* of the error its asker is answered with */
    struct vault_problem problem; /* why it failed */
    char made[MANIFEST_NAME_BYTES + 1];
    uint64_t bytes;
    uint64_t bytes_before; /* of a compaction; 0: none */
    uint64_t sequence;
    uint32_t tables_total;
    uint32_t tables_success;
    struct buffer results; /* JSON text of an array; empty: none */
};

struct ops {
    struct ops_options options;
    struct door *door;
    struct wake wake;
    struct thread thread;
    atomic_bool stopping;
    bool started;

    struct ops_job queue[JOBS_OPEN_MAX]; /* oldest first */
    uint32_t queue_count;
    int64_t told_ms;  /* monotonic: when progress was last told */
    int64_t event_ms; /* likewise, when the event log last was, and of how much */
    uint64_t event_done;
    bool heard;   /* the order is done with what it was last told and heard of */
    bool refused; /* and could not write it down */

    struct vault vault;
    bool vault_told;
    int64_t vault_changed_ns; /* as it was when it was last told */

    int64_t journal_watched_ms; /* monotonic; 0: never */
    int64_t backup_wanted_ms;   /* monotonic: when one was last asked for; 0: never */

    char restored[MANIFEST_NAME_BYTES + 1]; /* the backup that is */
    atomic_bool restore_ready;
};

/*
 * Waits until `fd` (-1: none) can be read, at most `timeout_ms`; takes in new jobs
 * meanwhile. False: the hub ends, and so must the job. To be called several times a
 * second by whatever takes long.
 */
bool ops_attend(struct ops *ops, int fd, int timeout_ms);

/* Takes the envelope (NULL is ignored) into the order; waits for room. */
void ops_tell(struct ops *ops, struct envelope *envelope);

/* Likewise, and waits for what came of it. False: it was refused (there is no room), or
 * nothing was heard of it. */
bool ops_tell_and_hear(struct ops *ops, struct envelope *envelope);

/* False: the hub ends. */
bool ops_pause(struct ops *ops, int64_t pause_ms);

/* A command of the hub's own; NULL without memory. */
struct envelope *ops_envelope(enum message_type type);

/* At most once in a while, whatever is asked. */
void ops_tell_progress(struct ops *ops, const struct ops_job *job, uint64_t done,
                       uint64_t total);

__attribute__((format(printf, 3, 4))) void ops_fail(struct ops_outcome *outcome,
                                                    const char *code, const char *format,
                                                    ...);

/* The directory of backups, open. False: *ret_problem says why it cannot be. */
bool ops_vault(struct ops *ops, struct vault_problem *ret_problem);

/* Tells the order what the directory holds. */
void ops_tell_backups(struct ops *ops);

/* Asks for a backup when the command journal has none to start from. */
void journal_watch(struct ops *ops);

/* A child of this program, heard to its end: its exit code, or -1 when the hub ends. */
int ops_run_child(struct ops *ops, const char *const *arguments, struct buffer *said);

/*
 * A store that nobody has open, walked from end to end by a child: its exit code, or -1 when
 * the hub ends. 0: it is whole, and *ret_manifest (NULL: nobody asks) tells of it. Else the
 * job has failed, with `code`, and what the child said behind `doing`.
 */
int ops_walk(struct ops *ops, const char *directory, const char *code, const char *doing,
             struct manifest *ret_manifest, struct ops_outcome *outcome);

struct copy_result {
    uint64_t bytes;
    char sha256[MANIFEST_DIGEST_BYTES + 1];
};

/*
 * The live store, copied to `data` no faster than the setting allows. ERR_CLOSED: the hub
 * ends. ERR_MAP_FULL: the store had to grow; try again. ERR_LIMIT: it grew too much
 * meanwhile. ERR_UNSUPPORTED: try again with `whole`.
 */
enum err copy_store(struct ops *ops, const struct ops_job *job, int data, bool whole,
                    struct copy_result *ret_result);

/* What NAME.partial holds, read back by a child from its first byte to its last row; held
 * against what was written, unless that is NULL. False: it is not good. */
bool backup_verify(struct ops *ops, const char *name, const struct copy_result *copied,
                   struct manifest *manifest, struct ops_outcome *outcome);

/* It gets its name, which begins with its kind, and is finished. False: it is gone. */
bool backup_finish(struct ops *ops, const char *kind, const char *name,
                   struct manifest *manifest, struct ops_outcome *outcome);
void backup_tell(const struct manifest *manifest, struct ops_outcome *outcome);

/* The same, into a file in the directory of backups, tried again when the store had to
 * grow beneath it. */
enum err backup_data_make(struct ops *ops, const struct ops_job *job, int data,
                          struct copy_result *ret_result);

/* True when one more copy of the store fits there. */
bool backup_has_room(struct ops *ops);

/* The outcome's results, one per table; `path` NULL: there is none to name. */
void backup_results_write(const struct manifest *manifest, const char *status,
                          const char *path, struct ops_outcome *outcome);

/* The runners. */
void backup_run(struct ops *ops, const struct ops_job *job, struct ops_outcome *outcome);
void compact_run(struct ops *ops, const struct ops_job *job, struct ops_outcome *outcome);
void scrub_run(struct ops *ops, const struct ops_job *job, struct ops_outcome *outcome);
void verify_run(struct ops *ops, const struct ops_job *job, struct ops_outcome *outcome);
void restore_run(struct ops *ops, const struct ops_job *job, struct ops_outcome *outcome);
void store_at_run(struct ops *ops, const struct ops_job *job,
                  struct ops_outcome *outcome);

#endif
