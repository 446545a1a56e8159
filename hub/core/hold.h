/*
 * hold.h - a task in the hands of an agent: handed out, started, renewed, let go.
 *
 * While task->held is set there is a row in TABLE_HOLDING, a slot of the agent is taken,
 * and a timer of the task is running: nothing is held without an end.
 */
#ifndef CORE_HOLD_H
#define CORE_HOLD_H

#include "core/agent.h"
#include "core/task.h"

/* A queued task goes to a connected agent with room. Saves both. */
void hold_assign(struct step *step, struct task *task, struct agent *agent);

/* Says task_assign (again) to the holder. */
void hold_offer(struct step *step, const struct task *task, const struct agent *agent);

/* The acceptance timeout starts anew. The caller saves the task. */
void hold_wait_for_acceptance(struct step *step, struct task *task);

/* The holder works on it: assigned becomes working, and the lease runs from now. The
 * caller saves the task. */
void hold_start(struct step *step, struct task *task);

/* The lease runs from now; its deadline row is moved when it fires. The caller saves. */
void hold_renew(struct step *step, struct task *task);

/* The holder cannot go on, for a reason (absent: none was given), or can again. The caller
 * saves the task. */
void hold_block(struct step *step, struct task *task, struct slice reason);
void hold_unblock(struct step *step, struct task *task);

/* Frees the slot and stops the timers. The caller saves both. */
void hold_release(struct step *step, struct task *task, struct agent *agent);

/* Tells the holder, when it is connected, to stop. */
void hold_tell_to_stop(struct step *step, const struct task *task,
                       const struct agent *agent, struct slice reason);

/* Moves the task's deadline row on a clock; 0: none. The caller saves the task. */
void task_timer_set(struct step *step, struct task *task, int64_t due_ms);
void task_wall_timer_set(struct step *step, struct task *task, int64_t due_ms);

#endif
