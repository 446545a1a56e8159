#include "core/agent.h"
#include "core/cancel.h"
#include "core/handlers.h"
#include "core/steer.h"

void on_post_task_cancel(struct step *step,
                         const struct message_post_task_cancel *message)
{
    struct task task;
    if (!task_load_steered(step, message->task_id, &task))
        return;
    /* Said twice, it is still cancelled; other end states are not left this way. */
    if (task_state_is_end(task.state) && task.state != TASK_CANCELLED) {
        step_refuse(step, ERROR_INVALID_STATE);
        return;
    }
    if (task.state != TASK_CANCELLED)
        task_cancel(step, &task, message->reason);

    struct message answer = { .type = MESSAGE_POST_TASK_CANCEL_ANSWER };
    answer.as.post_task_cancel_answer = (struct message_post_task_cancel_answer){
        .status = task_status_word(TASK_CANCELLED),
        .task_id = task_id(step, task.number),
        .state = task_state_name(TASK_CANCELLED),
        .assigned_to = task.held ? agent_id(step, task.agent) : (struct slice){ 0 },
    };
    step_answer(step, &answer, 0);
}
