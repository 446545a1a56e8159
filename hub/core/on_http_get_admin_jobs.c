#include "core/handlers.h"
#include "core/job.h"

enum { JOBS_LISTED_DEFAULT = 20 };

static struct message_job job_view(struct step *step, const struct job *job)
{
    return (struct message_job){
        .id = (int64_t)job->number,
        .kind = job_kind_name(job->kind),
        .status = job_state_name(job->state),
        .trigger = job_trigger_name(job),
        .requested_by = job->requested_by,
        .subject = job->subject,
        .created_at = job->created_ms,
        .started_at = job->started_ms,
        .has_started_at = job->started_ms != 0,
        .finished_at = job->finished_ms,
        .has_finished_at = job->finished_ms != 0,
        .done = (int64_t)job->done,
        .total = (int64_t)job->total,
        .outcome = job->outcome,
        .reason = job->reason,
        .bytes = (int64_t)job->bytes,
        .sequence = (int64_t)job->sequence,
        .tables_total = job->tables_total,
        .tables_success = job->tables_success,
        .results = job_results(step, job),
    };
}

void on_get_admin_job(struct step *step, const struct message_get_admin_job *message)
{
    struct message answer = { .type = MESSAGE_GET_ADMIN_JOB_ANSWER };
    struct job job;
    uint64_t number;
    if (!slice_parse_u64(message->job_id, &number) || !job_load(step, number, &job)) {
        if (!step_failed(step))
            step_refuse(step, ERROR_JOB_NOT_FOUND);
        return;
    }
    answer.as.get_admin_job_answer = job_view(step, &job);
    step_answer(step, &answer, 0);
}

void on_get_admin_jobs(struct step *step, const struct message_get_admin_jobs *message)
{
    struct message answer = { .type = MESSAGE_GET_ADMIN_JOBS_ANSWER };
    size_t limit = message->has_limit && message->limit > 0 ? (size_t)message->limit
                                                            : JOBS_LISTED_DEFAULT;
    if (limit > JOBS_KEPT_MAX)
        limit = JOBS_KEPT_MAX;
    enum job_kind kind = JOB_KIND_END;
    bool filtered = job_kind_parse(message->kind, &kind);
    struct message_job *jobs = step_take_many(step, limit, sizeof *jobs);
    struct job job;
    uint64_t number = UINT64_MAX;
    size_t count = 0;
    while (jobs != NULL && count < limit && job_next_older(step, &number, &job))
        if (!filtered || job.kind == kind)
            jobs[count++] = job_view(step, &job);
    answer.as.get_admin_jobs_answer.jobs = (struct message_list){ jobs, count };
    answer.as.get_admin_jobs_answer.count = (int64_t)count;
    step_answer(step, &answer, 0);
}
