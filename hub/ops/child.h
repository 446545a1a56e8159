/*
 * child.h - this very program once more, for what must not endanger the hub.
 *
 * Ownership  The child is killed and reaped by child_end(), whatever it does.
 */
#ifndef OPS_CHILD_H
#define OPS_CHILD_H

#include "base/buffer.h"
#include "base/err.h"

#include <sys/types.h>

struct child {
    pid_t pid; /* 0: none */
    int out;   /* what it says, on standard output and standard error */
};

/* `arguments` ends with NULL and does not name the program. */
enum err child_begin(const char *const *arguments, struct child *ret_child);

/* Appends what it has said by now; false at the end. */
bool child_read(struct child *child, struct buffer *text);

/* Its exit code, or 128 and the signal that ended it. `stop`: it is killed first. */
int child_end(struct child *child, bool stop);

/* That code of one that read a store says that the store is broken: it found it so, or died
 * of it, for LMDB ends who reads pages that are no pages. Other signals say nothing of the
 * store. */
bool child_found_broken(int code);

#endif
