/*
 * wake.h - one thread tells another that there is something to do.
 *
 * The waker publishes its work first and signals then. The woken one clears first and
 * looks for work then: so no work is left behind, and nobody wakes twice for one batch.
 *
 * Threads    Any number may signal; one waits and clears.
 */
#ifndef OS_WAKE_H
#define OS_WAKE_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>

struct wake {
    int fd;
    atomic_bool set;
};

enum err wake_init(struct wake *wake);
void wake_finish(struct wake *wake);

/* Readable while the wake-up is set: for poll() among other descriptors. */
int wake_fd(const struct wake *wake);

/* Costs no system call when it is set already. Safe in a signal handler. */
void wake_signal(struct wake *wake);

/* True when it is set; false after `timeout_ms` (negative: never) or on a signal. Does
 * not clear. */
bool wake_wait(struct wake *wake, int timeout_ms);

void wake_clear(struct wake *wake);

#endif
