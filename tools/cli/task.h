/*
 * task.h - what the commands about tasks share.
 */
#ifndef CLI_TASK_H
#define CLI_TASK_H

#include "cli/command.h"

enum outcome task_submit_run(struct invocation *invocation);

/* Polls a task until it has ended; tells what happens meanwhile. */
enum outcome task_follow(struct invocation *invocation, struct slice task_id);

/* What is known about a task. */
enum outcome task_show(const struct answer *answer);

#endif
