#include "core/backup.h"
#include "core/handlers.h"

void backup_job_answer(struct step *step, const struct job *job)
{
    struct message answer = { .type = MESSAGE_POST_ADMIN_BACKUP_ANSWER };
    bool complete = job->state == JOB_COMPLETE;
    answer.as.post_admin_backup_answer = (struct message_post_admin_backup_answer){
        .status = job_state_name(job->state),
        .job_id = (int64_t)job->number,
        .backup = job->outcome,
        .bytes = (int64_t)job->bytes,
        .has_bytes = complete,
        .sequence = (int64_t)job->sequence,
        .has_sequence = complete,
        .tables_total = job->tables_total,
        .tables_success = job->tables_success,
        .results = complete ? job_results(step, job) : SLICE_OF("[]"),
    };
    step_answer_to(step, job->wait_link, job->wait_request, &answer, complete ? 0 : 202);
}

void on_post_admin_backup(struct step *step,
                          const struct message_post_admin_backup *message)
{
    struct job job = { .kind = JOB_BACKUP, .requested_by = step->command->actor };
    if (!job_create(step, &job))
        return;
    job_wait(step, &job, !message->has_wait || message->wait);
}

/* One that is on its way will do, and the full queue will be empty again. */
static bool backup_is_on_its_way(struct step *step)
{
    uint64_t number = UINT64_MAX;
    struct job job;
    if (step_counter(step, COUNTER_JOBS_OPEN) >= JOBS_OPEN_MAX)
        return true;
    for (int i = 0; i < JOBS_OPEN_MAX && job_next_older(step, &number, &job); i++)
        if (job.kind == JOB_BACKUP && job_is_open(&job))
            return true;
    return false;
}

void on_backup_wanted(struct step *step, const struct message_backup_wanted *message)
{
    struct job job = { .kind = JOB_BACKUP, .scheduled = true };
    (void)message;
    if (!backup_is_on_its_way(step))
        (void)job_create(step, &job);
}
