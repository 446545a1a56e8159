/*
 * job.h - work for the ops thread, from being asked for to its end.
 *
 * A job is a row: asked for by a command, handed to the ops thread as an effect once that
 * command is committed, and moved on by what the ops thread says (job_started,
 * job_progress, job_finished). They are done one at a time, oldest first. What a hub that
 * ended left unfinished, the next one finds failed: nothing is done twice.
 *
 *   job          version, fields; see job.c
 *   blob         BLOB_JOB_RESULTS: what it did to each table, as JSON text
 */
#ifndef CORE_JOB_H
#define CORE_JOB_H

#include "core/step.h"

/* Stored: never renumber. */
enum job_kind {
    JOB_BACKUP = 1,
    JOB_RESTORE = 2,
    JOB_COMPACT = 3,
    JOB_VERIFY = 4,
    JOB_SCRUB = 5,
    JOB_STORE_AT = 6,
    JOB_KIND_END
};

/* Stored: never renumber. */
enum job_state {
    JOB_QUEUED = 1,
    JOB_RUNNING = 2,
    JOB_COMPLETE = 3,
    JOB_FAILED = 4,
    JOB_STATE_END
};

/* Bits; stored: never renumber. */
enum job_flag {
    JOB_FORCED = 1,
    JOB_DRY_RUN = 2,
};

enum {
    JOBS_OPEN_MAX = 8, /* the ring to the ops thread holds more */
    JOBS_KEPT_MAX = 100,
    JOB_WAIT_MS = 20 * 1000, /* then its asker is told to ask again */
    JOB_TEXT_BYTES_MAX = 256,
};

struct job {
    uint64_t number;
    enum job_kind kind;
    enum job_state state;
    uint32_t flags;
    bool scheduled;
    int64_t created_ms;  /* wall, like all that people see */
    int64_t started_ms;  /* 0: not yet */
    int64_t finished_ms; /* 0: not yet */
    uint64_t done;
    uint64_t total;
    uint64_t wait_link; /* whoever waits for its end; 0: nobody */
    uint64_t wait_request;
    int64_t wait_until_ms; /* fleet clock: due time of the deadline row; 0 no row */
    uint32_t tables_total;
    uint32_t tables_success;
    uint64_t bytes;
    uint64_t sequence;
    uint32_t results_bytes;    /* of its results' text; 0: none */
    struct slice requested_by; /* absent: the hub itself */
    struct slice subject;      /* a backup, a table; absent: none */
    struct slice outcome;      /* what it made */
    struct slice reason;       /* why it failed */
};

/* Fills `number` and `created_ms` and hands the job out. False: the asker has been
 * refused (jobs_full), or the step has failed. */
bool job_create(struct step *step, struct job *job);

/* Whoever asks waits for the end, or, without `wait`, is told at once that there is a
 * job. After job_create(). */
void job_wait(struct step *step, struct job *job, bool wait);

/* False: no such job (or the step has failed). Texts are copied. */
bool job_load(struct step *step, uint64_t number, struct job *ret_job);
void job_save(struct step *step, const struct job *job);

/* From the youngest: start with *number = UINT64_MAX. False at the end. */
bool job_next_older(struct step *step, uint64_t *number, struct job *ret_job);

/* JSON text of an array, in the arena; "[]" when there is none. */
struct slice job_results(struct step *step, const struct job *job);

bool job_is_open(const struct job *job);
struct slice job_kind_name(enum job_kind kind);
bool job_kind_parse(struct slice word, enum job_kind *ret_kind);
struct slice job_state_name(enum job_state state);
struct slice job_trigger_name(const struct job *job);

/* Tells whoever waits how the job stands: it is complete, or it takes too long. */
void job_answer(struct step *step, const struct job *job);

/* The hub starts: whatever is open has come to nothing. */
void jobs_interrupt(struct step *step);

/* A deadline: the asker is told to ask again. */
void job_wait_over(struct step *step, uint64_t number, int64_t due_ms);

#endif
