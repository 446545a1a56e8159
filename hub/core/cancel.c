#include "core/cancel.h"

#include "core/agent.h"
#include "core/depend.h"
#include "core/hold.h"

/* The holder keeps its slot until it says it has stopped, or the timer that runs for it
 * now ends: an agent at work is not given more. */
static void holder_stop(struct step *step, struct task *task, struct slice reason)
{
    struct agent agent;
    if (!agent_load(step, task->agent, &agent)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    task_wall_timer_set(step, task, 0);
    hold_tell_to_stop(step, task, &agent, reason);
}

void task_cancel(struct step *step, struct task *task, struct slice reason)
{
    if (task->state == TASK_BLOCKED)
        depend_forget(step, task);
    if (task->held) {
        holder_stop(step, task, reason);
    } else {
        task_timer_set(step, task, 0);
        task_wall_timer_set(step, task, 0);
    }
    task->blocked_on = 0;
    task_move(step, task, TASK_CANCELLED);
    task_history_add(step, task, EVENT_CANCELLED, task->agent, reason);
    task_save(step, task);
    depend_announce(step, task);
}
