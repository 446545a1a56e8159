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
