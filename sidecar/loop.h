/*
 * loop.h - one epoll set and a few timers: what the sidecar waits for besides the hub.
 *
 * The set's own descriptor is given to libwebsockets, which wakes loop_dispatch() when
 * anything in it is ready; so one thread waits in one place for everything.
 *
 * Ownership  Sources and timers belong to the caller and must be removed before they go.
 * Threads    One.
 */
#ifndef SIDECAR_LOOP_H
#define SIDECAR_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOOP_SOURCES_MAX = 512 };

struct loop_source {
    void (*ready)(void *owner);
    void *owner;
    int fd; /* -1: not watched */
    uint32_t slot;
};

struct loop_timer {
    void (*fire)(void *owner);
    void *owner;
    int64_t due_ms; /* on the monotonic clock; 0: not set */
    struct loop_timer *next;
};

struct loop {
    int epoll_fd;
    int timer_fd;
    struct loop_timer *timers;
    struct loop_source *sources[LOOP_SOURCES_MAX];
    uint32_t uses[LOOP_SOURCES_MAX]; /* tells an event of a slot's former source */
};

enum err loop_init(struct loop *loop);
void loop_finish(struct loop *loop);

/* Becomes readable when loop_dispatch() has something to do. */
int loop_fd(const struct loop *loop);

/* Calls whatever is ready or due, once, without waiting. */
void loop_dispatch(struct loop *loop);

/* Watches `fd` for reading, or for writing. `source` must not be watched already. */
enum err loop_watch(struct loop *loop, struct loop_source *source, int fd, bool writing,
                    void (*ready)(void *owner), void *owner);

/* Does nothing for a source that is not watched. Leaves the descriptor open. */
void loop_unwatch(struct loop *loop, struct loop_source *source);

/* Fires once, `delay_ms` from now; replaces what the timer was set to. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t delay_ms,
                    void (*fire)(void *owner), void *owner);

void loop_timer_clear(struct loop *loop, struct loop_timer *timer);

static inline bool loop_timer_is_set(const struct loop_timer *timer)
{
    return timer->due_ms != 0;
}

#endif
