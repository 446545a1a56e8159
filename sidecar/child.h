/*
 * child.h - one command in a process group of its own, with pipes at its ends.
 *
 * Between the sidecar and the command stands a guardian, the group's leader: it waits
 * for the command, ends the way the command ended, and kills the whole group as soon as
 * the sidecar dies, however that happens; so too the group the command itself makes, as
 * timeout(1) does. So no command outlives its sidecar; what it starts does only if it
 * leaves the group on purpose (setsid).
 */
#ifndef SIDECAR_CHILD_H
#define SIDECAR_CHILD_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct child {
    pid_t pid;  /* of the guardian, and of the group; 0: none */
    int pid_fd; /* readable when the command has ended */
    int in;     /* ours to write, non-blocking; -1 once closed */
    int out;    /* ours to read, non-blocking */
    int err;
};

struct child_plan {
    char *const *argv; /* argv[0] is a path, not searched for */
    char *const *environment;
    const char *directory;
};

enum err child_start(const struct child_plan *plan, struct child *ret_child);

/* To the whole group, and to the one the command has made of its own. */
void child_signal(const struct child *child, int signal_number);

/* To be called when pid_fd is readable: kills what is left of the group and fetches the
 * command's wait status. Leaves the pipes open. */
int child_reap(struct child *child);

/* Closes whatever is open. The command must have been reaped. */
void child_close(struct child *child);

/* The full path of a program, as execvp() would find it. */
bool program_find(const char *name, const char *directory, char *target, size_t size);

#endif
