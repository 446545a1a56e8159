/*
 * report.h - what an agent says about a task it holds, or believes it holds.
 */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include "core/agent.h"
#include "core/task.h"

/* Says task_ack to the asker. */
void report_acknowledge(struct step *step, uint64_t task, uint64_t generation,
                        struct slice status);

/*
 * Why the agent may not speak for the task under this generation, or ERROR_NONE when it
 * may: it holds the task, assigned or working.
 */
enum error_code report_check(const struct task *task, const struct agent *agent,
                             uint64_t generation);

/*
 * Loads the asker and the task it speaks of. False: refused. An agent that goes on with a
 * task cancelled under it may have missed that: it is told again.
 */
bool report_speaker(struct step *step, struct slice id, bool has_generation,
                    int64_t generation, struct task *task, struct agent *agent);

/* Refuses, with v1.1's prefix when there is one, and says where the task stands. */
void report_refuse(struct step *step, struct slice prefix, enum error_code code,
                   struct slice task_id, const struct task *task);

#endif
