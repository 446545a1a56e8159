/*
 * steer.h - who may change what becomes of a task that another has submitted.
 */
#ifndef CORE_STEER_H
#define CORE_STEER_H

#include "core/task.h"

/* Loads a task that the asker may cancel or queue again: operators and admins any, others
 * what they have submitted themselves. False: the asker has been refused. */
bool task_load_steered(struct step *step, struct slice task_id, struct task *ret_task);

#endif
