/*
 * environment.h - what a command finds in its environment.
 */
#ifndef SIDECAR_ENVIRONMENT_H
#define SIDECAR_ENVIRONMENT_H

#include "sidecar/config.h"

struct task {
    const char *id;
    int64_t generation;
    struct slice description;
    struct slice metadata; /* JSON */
    struct slice frame;    /* the whole task, JSON; a line break stands behind it */
};

/* NULL-terminated, in `arena`; NULL without memory. Values too large for an environment,
 * or with a NUL inside, are left out: they stand on standard input. */
char **environment_make(const struct config *config, const struct task *task,
                        struct arena *arena);

/* As above, with v1.1's TASK_ID, TASK_JSON and TASK_DESCRIPTION besides. ERR_LIMIT when
 * one of these does not fit. */
enum err environment_make_wake(const struct config *config, const struct task *task,
                               struct arena *arena, char ***ret_environment);

/*
 * A wake_command made safe: where a ${TASK_...} stands, the shell itself expands a
 * variable, in quotes that fit the place, and never reads a task's text as shell. A
 * reference inside single quotes, which the shell would not expand, is taken out of them.
 */
void wake_line_make(struct slice line, struct buffer *buffer);

#endif
