#include "core/handlers.h"
#include "core/idempotency.h"
#include "core/presence.h"

void on_task_submit(struct step *step, const struct message_task_submit *message)
{
    struct agent agent;
    struct submitted submitted;
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
    if (!presence_asker(step, &agent) ||
        !idempotency_submit(step, message->idempotency_key, &submission, &submitted))
        return;

    struct message answer = { .type = MESSAGE_TASK_SUBMITTED };
    answer.as.task_submitted = (struct message_task_submitted){
        .task_id = task_id(step, submitted.task),
        .status = task_state_name(submitted.state),
        .priority = submitted.lane,
        .created_at = submitted.created_ms,
        .request_id = message->request_id,
    };
    step_answer(step, &answer, 0);
}
