#include "core/job_event.h"

#include "core/event.h"

void job_event_started(struct step *step, const struct job *job)
{
    struct message event = { .type = MESSAGE_EVENT_JOB_STARTED };
    event.as.event_job_started = (struct message_event_job_started){
        .job_id = (int64_t)job->number,
        .kind = job_kind_name(job->kind),
        .trigger = job_trigger_name(job),
        .requested_by = job->requested_by,
        .subject = job->subject,
    };
    event_add(step, &event);
}

void job_event_progress(struct step *step, const struct job *job)
{
    struct message event = { .type = MESSAGE_EVENT_JOB_PROGRESS };
    event.as.event_job_progress = (struct message_event_job_progress){
        .job_id = (int64_t)job->number,
        .kind = job_kind_name(job->kind),
        .done = (int64_t)job->done,
        .total = (int64_t)job->total,
    };
    event_add(step, &event);
}

void job_event_ended(struct step *step, const struct job *job)
{
    struct message event = { .type = MESSAGE_EVENT_JOB_COMPLETE };
    if (job->state == JOB_COMPLETE) {
        event.as.event_job_complete = (struct message_event_job_complete){
            .job_id = (int64_t)job->number,
            .kind = job_kind_name(job->kind),
            .outcome = job->outcome,
            .bytes = (int64_t)job->bytes,
            .sequence = (int64_t)job->sequence,
            .has_sequence = job->sequence != 0,
        };
    } else {
        event.type = MESSAGE_EVENT_JOB_FAILED;
        event.as.event_job_failed = (struct message_event_job_failed){
            .job_id = (int64_t)job->number,
            .kind = job_kind_name(job->kind),
            .subject = job->subject,
            .reason = job->reason,
        };
    }
    event_add(step, &event);
}

void job_event_skipped(struct step *step, enum job_kind kind, struct slice why,
                       int64_t retry_ms)
{
    struct message event = { .type = MESSAGE_EVENT_JOB_SKIPPED };
    event.as.event_job_skipped = (struct message_event_job_skipped){
        .kind = job_kind_name(kind),
        .reason = why,
        .retry_at = retry_ms,
    };
    event_add(step, &event);
}
