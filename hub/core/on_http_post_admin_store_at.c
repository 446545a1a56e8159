#include "core/backup.h"
#include "core/handlers.h"

#include <string.h>

enum { SUBJECT_BYTES = sizeof "18446744073709551615@18446744073709551615" };

void store_at_job_answer(struct step *step, const struct job *job)
{
    struct message answer = { .type = MESSAGE_POST_ADMIN_STORE_AT_ANSWER };
    bool complete = job->state == JOB_COMPLETE;
    answer.as.post_admin_store_at_answer = (struct message_post_admin_store_at_answer){
        .status = job_state_name(job->state),
        .job_id = (int64_t)job->number,
        .backup = job->outcome,
        .bytes = (int64_t)job->bytes,
        .has_bytes = complete,
        .sequence = (int64_t)job->sequence,
        .has_sequence = complete,
    };
    step_answer_to(step, job->wait_link, job->wait_request, &answer, complete ? 0 : 202);
}

/* EVENT, or EVENT@EPOCH; the ops thread reads it (ops/store_at_job.c). */
static struct slice subject_write(struct step *step,
                                  const struct message_post_admin_store_at *message)
{
    char bytes[SUBJECT_BYTES];
    struct buffer text = { .data = bytes,
                           .room = SUBJECT_BYTES,
                           .bytes_max = SUBJECT_BYTES };
    if (message->has_event)
        buffer_append_i64(&text, message->event);
    else
        buffer_append_text(&text, "last");
    if (message->has_epoch) {
        buffer_append_byte(&text, '@');
        buffer_append_i64(&text, message->epoch);
    }
    return step_copy(step, buffer_slice(&text));
}

void on_post_admin_store_at(struct step *step,
                            const struct message_post_admin_store_at *message)
{
    struct job job = {
        .kind = JOB_STORE_AT,
        .requested_by = step->command->actor,
        .subject = subject_write(step, message),
    };
    if (job_create(step, &job))
        job_wait(step, &job, !message->has_wait || message->wait);
}
