#include "core/steer.h"

static bool may_steer(struct step *step, const struct task *task)
{
    struct task_body body;
    if ((step->command->role & (ROLE_OPERATOR | ROLE_ADMIN | ROLE_HUB)) != 0)
        return true;
    return task_body_load(step, task->number, &body) &&
           slice_equal(body.submitted_by, step_actor(step));
}

bool task_load_steered(struct step *step, struct slice task_id, struct task *ret_task)
{
    if (!task_load_id(step, task_id, ret_task)) {
        step_refuse(step, ERROR_TASK_NOT_FOUND);
        return false;
    }
    if (!may_steer(step, ret_task)) {
        step_refuse(step, ERROR_FORBIDDEN);
        return false;
    }
    return true;
}
