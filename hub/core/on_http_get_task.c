#include "core/explain.h"
#include "core/handlers.h"
#include "core/task_view.h"

void on_get_task(struct step *step, const struct message_get_task *message)
{
    struct task task;
    if (!task_load_id(step, message->task_id, &task)) {
        step_refuse(step, ERROR_TASK_NOT_FOUND);
        return;
    }
    struct message answer = { .type = MESSAGE_GET_TASK_ANSWER };
    if (!task_view(step, &task, &answer.as.get_task_answer))
        return;
    answer.as.get_task_answer.pending = explain_task(step, &task);
    step_answer(step, &answer, 0);
}
