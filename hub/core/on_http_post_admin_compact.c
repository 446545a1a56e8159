#include "core/event.h"
#include "core/handlers.h"
#include "core/table_name.h"
#include "core/upkeep.h"

static int64_t duration_ms(const struct job *job, int64_t now_ms)
{
    return job->started_ms != 0 && now_ms > job->started_ms ? now_ms - job->started_ms
                                                            : 0;
}

/* A word of v1.1's for a table, or for the whole. */
static struct slice status_of(const struct job *job)
{
    if (job->state != JOB_COMPLETE)
        return job_state_name(job->state);
    return job->tables_success == 0 ? SLICE_OF("skipped") : SLICE_OF("compacted");
}

static void answer_table(struct step *step, const struct job *job, uint16_t status)
{
    struct message answer = { .type = MESSAGE_POST_ADMIN_COMPACT_TABLE_ANSWER };
    answer.as.post_admin_compact_table_answer =
        (struct message_post_admin_compact_table_answer){
            .table = job->subject,
            .status = status_of(job),
            .duration_ms = duration_ms(job, step->command->wall_ms),
            .job_id = (int64_t)job->number,
        };
    step_answer_to(step, job->wait_link, job->wait_request, &answer, status);
}

void compact_job_answer(struct step *step, const struct job *job)
{
    struct message answer = { .type = MESSAGE_POST_ADMIN_COMPACT_ANSWER };
    bool complete = job->state == JOB_COMPLETE;
    if (slice_is_present(job->subject) && job->subject.size > 0) {
        answer_table(step, job, complete ? 0 : 202);
        return;
    }
    answer.as.post_admin_compact_answer = (struct message_post_admin_compact_answer){
        .status = job_state_name(job->state),
        .job_id = (int64_t)job->number,
        .dry_run = (job->flags & JOB_DRY_RUN) != 0,
        .bytes_before = (int64_t)job->total,
        .has_bytes_before = complete,
        .bytes_after = (int64_t)job->bytes,
        .has_bytes_after = complete,
        .tables_total = job->tables_total,
        .tables_compacted = job->tables_success,
        .tables_skipped = (int64_t)job->tables_total - job->tables_success,
        .results = complete ? job_results(step, job) : SLICE_OF("[]"),
    };
    step_answer_to(step, job->wait_link, job->wait_request, &answer, complete ? 0 : 202);
}

void compact_job_ended(struct step *step, const struct job *job)
{
    struct message event = { .type = MESSAGE_EVENT_COMPACTION_COMPLETE };
    if (job->state == JOB_FAILED) {
        event.type = MESSAGE_EVENT_COMPACTION_FAILED;
        event.as.event_compaction_failed = (struct message_event_compaction_failed){
            .job_id = (int64_t)job->number,
            .reason = job->reason,
        };
    } else if (job->tables_success > 0) {
        event.as.event_compaction_complete = (struct message_event_compaction_complete){
            .job_id = (int64_t)job->number,
            .bytes_before = (int64_t)job->total,
            .bytes_after = (int64_t)job->bytes,
        };
    } else {
        return;
    }
    event_add(step, &event);
}

void on_post_admin_compact(struct step *step,
                           const struct message_post_admin_compact *message)
{
    bool dry_run = message->has_dry_run && message->dry_run;
    bool forced = !message->has_force || message->force;
    struct job job = {
        .kind = JOB_COMPACT,
        .flags = (forced ? JOB_FORCED : 0u) | (dry_run ? JOB_DRY_RUN : 0u),
        .requested_by = step->command->actor,
    };
    if (job_create(step, &job))
        job_wait(step, &job, !message->has_wait || message->wait);
}

void on_post_admin_compact_table(struct step *step,
                                 const struct message_post_admin_compact_table *message)
{
    struct job job = {
        .kind = JOB_COMPACT,
        .flags = JOB_FORCED,
        .requested_by = step->command->actor,
        .subject = message->table,
    };
    if (!table_name_known(message->table)) {
        step_refuse(step, ERROR_UNKNOWN_TABLE);
        return;
    }
    if (job_create(step, &job))
        job_wait(step, &job, true);
}
