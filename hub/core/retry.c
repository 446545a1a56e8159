#include "core/retry.h"

#include "core/blob.h"
#include "core/giveback.h"
#include "core/set.h"

bool task_retry(struct step *step, struct task *task)
{
    struct task_body body;
    struct set set;
    if (!task_body_load(step, task->number, &body))
        return false;
    set_make(step, body.needed_capabilities, &set);
    if (!set_intern_needed(step, &set, &task->set)) {
        if (!step_failed(step))
            step_refuse(step, ERROR_UNAVAILABLE);
        return false;
    }
    task->attempts = 0;
    task->generation++;
    task->progress = PROGRESS_UNKNOWN;
    blob_remove(step, task->number, BLOB_TASK_ERROR);
    task_make_ready(step, task);
    if (task_load(step, task->number, task))
        return true;
    step_fail(step, ERR_CORRUPT);
    return false;
}
