/*
 * job.h - one task in work, from its frame to its report.
 *
 * Two ways to work: a command of ours that reads the task and writes the result, or
 * AgentCom v1.1's wake_command, which wakes an agent that answers by files.
 *
 * Ownership  The sidecar's list owns the job. job_end() reports, takes it out of the
 *            list and destroys it.
 * Threads    One.
 */
#ifndef SIDECAR_JOB_H
#define SIDECAR_JOB_H

#include "message/row.h"
#include "sidecar/environment.h"
#include "sidecar/outbox.h"
#include "sidecar/output.h"
#include "sidecar/run.h"

struct sidecar;

enum job_stop {
    JOB_GOES_ON,
    JOB_CANCELLED,  /* the hub wants it cancelled */
    JOB_TIME_LIMIT, /* it took too long */
    JOB_SHUTDOWN,   /* the sidecar is told to end */
    JOB_FORGOTTEN,  /* the task is somebody else's now: no report */
};

enum wake_state {
    WAKE_RUNNING,    /* the wake_command */
    WAKE_PAUSING,    /* until it is run again */
    WAKE_CONFIRMING, /* until the agent says it has started */
    WAKE_WORKING,    /* until the agent has a result */
};

/* What v1.1's way keeps besides. */
struct wake {
    enum wake_state state;
    size_t failures;
    struct buffer line;
    char started_path[PATH_MAX];
    char result_path[PATH_MAX];
    struct loop_timer poll;
    struct loop_timer limit;
    int64_t deadline_ms; /* of the confirmation */
    int64_t result_size; /* as last seen, and since when */
    int64_t result_time_ns;
    int64_t result_since_ms;
};

struct job {
    struct job *next;
    struct sidecar *sidecar;
    char task_id[TASK_ID_BYTES_MAX + 1];
    int64_t generation;
    struct arena arena; /* of the task's parts and the environment */
    struct task task;
    struct run run;
    struct output output;
    struct capture errors;
    enum job_stop stop;
    struct wake wake;
    struct loop_timer renew;
    struct loop_timer progress; /* the next one is not sent earlier */
    struct slice again;         /* the frame of a later hand-out of the same task */
};

/* Takes the task up: records it as begun, accepts it, starts working. On failure the
 * failure is reported already. `resumed`: a predecessor had begun it. */
void job_start(struct sidecar *sidecar, struct slice frame,
               const struct message_task_assign *assign, bool resumed);

struct job *job_find(const struct sidecar *sidecar, struct slice task_id);

/* Asks it to end, for the first reason given. */
void job_stop(struct job *job, enum job_stop why);

/* No grace any more. */
void job_kill(struct job *job);

/* Says again what a hub may not know that has the task anew from this sidecar. */
void job_say_again(struct job *job);

/* Renews the lease now. */
void job_renew(struct job *job);

/* --- the two ways to work, and what they share --- */

enum err job_command_start(struct job *job);
enum err job_wake_start(struct job *job, bool resumed);
void job_wake_stop(struct job *job);
void job_wake_finish(struct job *job);

/* The report, then the end of the job: `job` is gone after each of these. */
void job_end_complete(struct job *job, struct slice result, int64_t tokens_used);
void job_end_failed(struct job *job, struct slice error);
void job_end_stopped(struct job *job); /* by what job->stop says */

/* No report: the task stays recorded as begun, for the next sidecar to go on with. */
void job_leave(struct job *job);

#endif
