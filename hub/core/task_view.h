/*
 * task_view.h - a task's rows as the answer a client reads.
 */
#ifndef CORE_TASK_VIEW_H
#define CORE_TASK_VIEW_H

#include "core/task.h"

/* Everything but `pending`. All of it lives in the arena. False: the step has failed. */
bool task_view(struct step *step, const struct task *task, struct message_task *ret_view);

/* About how many bytes it is on the wire: never less than the text it carries. */
size_t task_view_bytes(const struct message_task *view);

#endif
