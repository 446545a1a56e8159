/*
 * retention.h - finished tasks go, after a time or when there are too many.
 *
 * A finished task that nobody holds and nobody waits for stands in TABLE_FINISHED, by its
 * end state and the time it ended. The oldest go first: by age each end state has a term
 * of its own; past finished_tasks_max completed and cancelled ones go, then dead letters.
 * A sweep takes a bounded number of rows, and the next one follows.
 */
#ifndef CORE_RETENTION_H
#define CORE_RETENTION_H

#include "core/task.h"

/* The row of a finished task in TABLE_FINISHED. */
struct slice retention_key(const struct task *task, struct number_key *key);

/* May its row stand there now? */
bool retention_is_free(struct step *step, const struct task *task);

/* Something about the task has changed: it has ended, or nobody holds it or waits for it
 * any more. Puts its row if it may stand; again is fine. */
void retention_settle(struct step *step, const struct task *task);

/* The task is queued again. */
void retention_leave(struct step *step, const struct task *task);

/* The hub starts: the settings may be others. */
void retention_start(struct step *step);

/* DEADLINE_RETENTION. */
void retention_sweep(struct step *step, int64_t due_ms);

#endif
