/*
 * job_event.h - what the event log is told of jobs.
 */
#ifndef CORE_JOB_EVENT_H
#define CORE_JOB_EVENT_H

#include "core/job.h"

void job_event_started(struct step *step, const struct job *job);
void job_event_progress(struct step *step, const struct job *job);

/* It is complete or has failed. */
void job_event_ended(struct step *step, const struct job *job);

/* One that was due by the clock did not begin; `why` is an error's name. */
void job_event_skipped(struct step *step, enum job_kind kind, struct slice why,
                       int64_t retry_ms);

#endif
