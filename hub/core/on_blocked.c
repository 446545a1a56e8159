#include "core/handlers.h"
#include "core/hold.h"
#include "core/report.h"

void on_task_blocked(struct step *step, const struct message_task_blocked *message)
{
    struct task task;
    struct agent agent;
    if (!report_speaker(step, message->task_id, true, message->generation, &task, &agent))
        return;
    hold_start(step, &task);
    hold_block(step, &task, message->reason);
    task_save(step, &task);
    report_acknowledge(step, task.number, task.generation, SLICE_OF("blocked"));
}

void on_task_unblocked(struct step *step, const struct message_task_unblocked *message)
{
    struct task task;
    struct agent agent;
    if (!report_speaker(step, message->task_id, true, message->generation, &task, &agent))
        return;
    hold_start(step, &task);
    hold_unblock(step, &task);
    task_save(step, &task);
    report_acknowledge(step, task.number, task.generation, SLICE_OF("unblocked"));
}
