/*
 * giveback.h - an attempt at a task has come to nothing.
 */
#ifndef CORE_GIVEBACK_H
#define CORE_GIVEBACK_H

#include "core/agent.h"
#include "core/task.h"

/*
 * Takes a held task (assigned or working) from its agent and counts the attempt: back to
 * its old place with a new generation, or to the dead-letter lane when it was the last.
 * `event` is EVENT_RETRY (the agent reported a failure) or EVENT_RECLAIMED; `why` goes
 * into the history and becomes the last error. Saves both, then looks for work for the
 * agent and for an agent for the task.
 */
void task_give_back(struct step *step, struct task *task, struct agent *agent,
                    enum task_event event, struct slice why);

/* Lets a cancelled task go at last: its slot is free. Saves both and looks for work. */
void task_let_go(struct step *step, struct task *task, struct agent *agent);

/* A task whose time has come, or whose last dependency is completed, is ready. Saves it
 * and looks for an agent. */
void task_make_ready(struct step *step, struct task *task);

#endif
