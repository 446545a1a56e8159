#include "core/event.h"
#include "core/handlers.h"
#include "core/upkeep.h"

void verify_job_answer(struct step *step, const struct job *job)
{
    struct message answer = { .type = MESSAGE_POST_ADMIN_VERIFY_ANSWER };
    bool complete = job->state == JOB_COMPLETE;
    answer.as.post_admin_verify_answer = (struct message_post_admin_verify_answer){
        .status = job_state_name(job->state),
        .job_id = (int64_t)job->number,
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

void verify_job_ended(struct step *step, const struct job *job, struct slice code)
{
    if (!slice_equal(code, ERROR_ROWS[ERROR_STORE_CORRUPT].name))
        return;
    struct message event = { .type = MESSAGE_EVENT_STORE_CORRUPT };
    event.as.event_store_corrupt = (struct message_event_store_corrupt){
        .job_id = (int64_t)job->number,
        .reason = job->reason,
    };
    event_add(step, &event);
}

void on_post_admin_verify(struct step *step,
                          const struct message_post_admin_verify *message)
{
    struct job job = { .kind = JOB_VERIFY, .requested_by = step->command->actor };
    if (job_create(step, &job))
        job_wait(step, &job, !message->has_wait || message->wait);
}
