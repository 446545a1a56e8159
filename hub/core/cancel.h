/*
 * cancel.h - a task is taken back.
 */
#ifndef CORE_CANCEL_H
#define CORE_CANCEL_H

#include "core/task.h"

/*
 * Cancels a task that is in no end state (the caller has checked): at once when nobody
 * holds it; else its holder gets task_cancel and keeps its slot until it says it has
 * stopped, or its lease ends. Tasks that depend on it are cancelled too, in batches.
 * `reason` is shown to the holder and kept in the history. Saves the head.
 */
void task_cancel(struct step *step, struct task *task, struct slice reason);

#endif
