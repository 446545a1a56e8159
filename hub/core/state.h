/*
 * state.h - the states of a task and the moves between them, as data.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "core/task.h"

/* True when the table of moves has this one. */
bool task_state_may_move(enum task_state from, enum task_state to);

#endif
