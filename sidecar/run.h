/*
 * run.h - one run of a command: fed, listened to, stopped when asked, watched to its end.
 *
 * Ownership  `input` is borrowed until the run has ended. The listener may start a new
 *            run, or let the owner of this one go, from `ended`.
 * Threads    One.
 */
#ifndef SIDECAR_RUN_H
#define SIDECAR_RUN_H

#include "base/slice.h"
#include "sidecar/child.h"
#include "sidecar/loop.h"

struct run_listener {
    void (*out)(void *owner, struct slice bytes);
    void (*err)(void *owner, struct slice bytes);
    void (*limit)(void *owner); /* the time limit is reached; the run is being stopped */
    void (*ended)(void *owner, int wait_status);
    void *owner;
};

struct run {
    struct loop *loop;
    struct run_listener listener;
    struct child child;
    struct slice input; /* what is still to be written */
    struct loop_source in;
    struct loop_source out;
    struct loop_source err;
    struct loop_source end;
    struct loop_timer limit;
    struct loop_timer kill;
    int64_t grace_ms;
    bool active;
    bool stopping;
};

/* limit_ms 0: none. */
enum err run_start(struct run *run, struct loop *loop, const struct child_plan *plan,
                   struct slice input, int64_t limit_ms, int64_t grace_ms,
                   struct run_listener listener);

/* SIGTERM to the group, SIGKILL after the grace. Does nothing for a run that has ended. */
void run_stop(struct run *run);

/* SIGKILL at once. */
void run_kill(struct run *run);

#endif
