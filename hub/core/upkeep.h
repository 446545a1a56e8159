/*
 * upkeep.h - what the hub has done to its store by the clock: backups,
 * compaction and scrub.
 *
 * Each is a deadline on the wall clock that counts from the last time, so that a restart
 * neither skips nor repeats; what was missed while the hub was down is made up once. Whether
 * there is anything to do the ops thread finds out.
 */
#ifndef CORE_UPKEEP_H
#define CORE_UPKEEP_H

#include "core/job.h"

/* The hub starts: the deadlines stand where the settings want them. */
void upkeep_schedule(struct step *step);

/* A deadline, in a tick: a job is queued; or, when the store has no room for one or too
 * many are open, it is tried again later, and that is told. */
void upkeep_due(struct step *step, uint32_t deadline, int64_t due_ms);

/* The next job of a kind comes no later than that. */
void upkeep_hurry(struct step *step, enum job_kind kind, int64_t due_ms);

/* What whoever waits for a compaction is told. */
void compact_job_answer(struct step *step, const struct job *job);

/* A compaction has ended. */
void compact_job_ended(struct step *step, const struct job *job);

/* The same of a verification; `code` is that of the error it ended with. */
void verify_job_answer(struct step *step, const struct job *job);
void verify_job_ended(struct step *step, const struct job *job, struct slice code);

/* How many deadlines of upkeep there should be. */
unsigned upkeep_deadlines(struct step *step);

#endif
