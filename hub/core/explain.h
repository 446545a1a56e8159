/*
 * explain.h - why a task does not go on: its own reason, and one for each agent.
 */
#ifndef CORE_EXPLAIN_H
#define CORE_EXPLAIN_H

#include "core/task.h"

enum {
    EXPLAIN_AGENTS_MAX = 100,
    EXPLAIN_WAITS_MAX = 4, /* ids named of those a task waits for */
};

/* NULL for a task that waits for nothing: at work, or in an end state. */
struct message_pending *explain_task(struct step *step, const struct task *task);

#endif
