#include "core/handlers.h"
#include "core/retry.h"
#include "core/steer.h"

void on_post_task_retry(struct step *step, const struct message_post_task_retry *message)
{
    struct task task;
    if (!task_load_steered(step, message->task_id, &task))
        return;
    if (task.state != TASK_DEAD_LETTER) {
        step_refuse(step, ERROR_INVALID_STATE);
        return;
    }
    if (!task_retry(step, &task))
        return;

    struct message answer = { .type = MESSAGE_POST_TASK_RETRY_ANSWER };
    answer.as.post_task_retry_answer = (struct message_post_task_retry_answer){
        .status = SLICE_OF("requeued"),
        .task_id = task_id(step, task.number),
        .priority = task.lane,
    };
    step_answer(step, &answer, 0);
}
