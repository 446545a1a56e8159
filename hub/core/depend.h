/*
 * depend.h - tasks that wait for tasks.
 */
#ifndef CORE_DEPEND_H
#define CORE_DEPEND_H

#include "core/task.h"

/*
 * The task has been completed or cancelled and is saved: those that wait for it have one
 * dependency less, or are cancelled too. In batches: what is left goes on at the next
 * tick. Also the way to go on.
 */
void depend_settle(struct step *step, const struct task *task);

/* As depend_settle(), all of it at the next tick: a chain of cancelled tasks is as long as
 * a client makes it. */
void depend_announce(struct step *step, const struct task *task);

/* A blocked task gives up waiting: its rows leave TABLE_WAITER. */
void depend_forget(struct step *step, const struct task *task);

/* Where a task without unfinished dependencies belongs: scheduled or queued. */
enum task_state depend_state_when_free(const struct step *step, const struct task *task);

#endif
