/*
 * task_event.h - what the event log says of a task.
 */
#ifndef CORE_TASK_EVENT_H
#define CORE_TASK_EVENT_H

#include "core/task.h"

void task_event_submitted(struct step *step, const struct task *task,
                          const struct task_body *body);

void task_event_imported(struct step *step, const struct task *task,
                         struct slice description);

/* A dead letter is back in the queue. */
void task_event_requeued(struct step *step, const struct task *task);

/* The event that goes with an entry of the task's history. */
void task_event_add(struct step *step, const struct task *task, enum task_event event,
                    uint64_t agent, struct slice details);

#endif
