#include "core/agent.h"
#include "core/handlers.h"
#include "core/submit.h"

void on_post_admin_push_task(struct step *step,
                             const struct message_post_admin_push_task *message)
{
    struct agent agent;
    struct task task;
    if (!agent_load_id(step, message->agent_id, &agent) || agent.link == 0) {
        if (!step_failed(step))
            step_refuse(step, ERROR_AGENT_NOT_CONNECTED);
        return;
    }
    struct submission submission = {
        .description = message->description,
        .metadata = message->metadata,
        .pin = agent.number,
    };
    if (!task_submit(step, &submission, &task))
        return;

    struct message answer = { .type = MESSAGE_POST_ADMIN_PUSH_TASK_ANSWER };
    answer.as.post_admin_push_task_answer = (struct message_post_admin_push_task_answer){
        .status = SLICE_OF("pushed"),
        .task_id = task_id(step, task.number),
        .agent_id = message->agent_id,
    };
    step_answer(step, &answer, 0);
}
