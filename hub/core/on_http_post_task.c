#include "core/handlers.h"
#include "core/idempotency.h"

void on_post_task(struct step *step, const struct message_post_task *message)
{
    struct submission submission = {
        .description = message->description,
        .priority = message->priority,
        .metadata = message->metadata,
        .kind = message->kind,
        .has_max_retries = message->has_max_retries,
        .max_retries = message->max_retries,
        .has_complete_by = message->has_complete_by,
        .complete_by = message->complete_by,
        .has_not_before = message->has_not_before,
        .not_before = message->not_before,
        .needed_capabilities = message->needed_capabilities,
        .depends_on = message->depends_on,
    };
    struct submitted submitted;
    if (!idempotency_submit(step, message->idempotency_key, &submission, &submitted))
        return;

    struct message answer = { .type = MESSAGE_POST_TASK_ANSWER };
    answer.as.post_task_answer = (struct message_post_task_answer){
        .status = SLICE_OF("queued"),
        .task_id = task_id(step, submitted.task),
        .priority = submitted.lane,
        .created_at = submitted.created_ms,
        .state = task_state_name(submitted.state),
    };
    step_answer(step, &answer, 0);
    if (submitted.replayed && step->effects->last != NULL)
        step->effects->last->replayed = true;
}
