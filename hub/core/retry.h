/*
 * retry.h - an operator gives a dead task a new life.
 */
#ifndef CORE_RETRY_H
#define CORE_RETRY_H

#include "core/task.h"

/*
 * Takes a task out of the dead-letter lane (the caller has checked its state): attempts
 * from zero, no last error, generation one up, back to its old place. False: refused
 * through step_refuse (too many capability sets), nothing changed. Saves the head and
 * looks for an agent.
 */
bool task_retry(struct step *step, struct task *task);

#endif
