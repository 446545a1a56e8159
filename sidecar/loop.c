#include "sidecar/loop.h"

#include "base/ensure.h"
#include "os/clock.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 64 };

static const uint32_t TIMER_SLOT = UINT32_MAX;

/* A hub may name any number; a year is for ever. */
#define DELAY_MAX_MS ((int64_t)365 * 24 * 3600 * 1000)

static uint64_t event_key(uint32_t slot, uint32_t use)
{
    return (uint64_t)use << 32 | slot;
}

enum err loop_init(struct loop *loop)
{
    memset(loop, 0, sizeof *loop);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = TIMER_SLOT };
    if (loop->epoll_fd < 0 || loop->timer_fd < 0 ||
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->timer_fd, &event) != 0) {
        loop_finish(loop);
        return ERR_IO;
    }
    return ERR_OK;
}

void loop_finish(struct loop *loop)
{
    if (loop->timer_fd >= 0)
        close(loop->timer_fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    loop->timer_fd = loop->epoll_fd = -1;
}

int loop_fd(const struct loop *loop)
{
    return loop->epoll_fd;
}

enum err loop_watch(struct loop *loop, struct loop_source *source, int fd, bool writing,
                    void (*ready)(void *owner), void *owner)
{
    uint32_t slot = 0;
    while (slot < LOOP_SOURCES_MAX && loop->sources[slot] != NULL)
        slot++;
    if (slot == LOOP_SOURCES_MAX)
        return ERR_LIMIT;

    uint32_t use = ++loop->uses[slot];
    struct epoll_event event = { .events = writing ? EPOLLOUT : EPOLLIN,
                                 .data.u64 = event_key(slot, use) };
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        return ERR_IO;
    *source = (struct loop_source){ ready, owner, fd, slot };
    loop->sources[slot] = source;
    return ERR_OK;
}

void loop_unwatch(struct loop *loop, struct loop_source *source)
{
    if (source->ready == NULL)
        return;
    ENSURE(loop->sources[source->slot] == source);
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    loop->sources[source->slot] = NULL;
    *source = (struct loop_source){ .fd = -1 };
}

/* Sets the descriptor to the earliest timer, or to nothing. */
static void timers_arm(struct loop *loop)
{
    int64_t due_ms = 0;
    for (const struct loop_timer *timer = loop->timers; timer != NULL;
         timer = timer->next)
        if (due_ms == 0 || timer->due_ms < due_ms)
            due_ms = timer->due_ms;

    struct itimerspec when = { .it_value = { due_ms / 1000, due_ms % 1000 * 1000000 } };
    int set = timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
    ENSURE(set == 0);
}

static void timer_unlink(struct loop *loop, struct loop_timer *timer)
{
    for (struct loop_timer **at = &loop->timers; *at != NULL; at = &(*at)->next) {
        if (*at == timer) {
            *at = timer->next;
            break;
        }
    }
    timer->next = NULL;
    timer->due_ms = 0;
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t delay_ms,
                    void (*fire)(void *owner), void *owner)
{
    if (loop_timer_is_set(timer))
        timer_unlink(loop, timer);
    if (delay_ms > DELAY_MAX_MS)
        delay_ms = DELAY_MAX_MS;
    int64_t due_ms = clock_monotonic_ms() + (delay_ms > 0 ? delay_ms : 0);
    *timer = (struct loop_timer){ fire, owner, due_ms > 0 ? due_ms : 1, loop->timers };
    loop->timers = timer;
    timers_arm(loop);
}

void loop_timer_clear(struct loop *loop, struct loop_timer *timer)
{
    if (!loop_timer_is_set(timer))
        return;
    timer_unlink(loop, timer);
    timers_arm(loop);
}

/* A timer that fires may set and clear any other, so the list is read anew each time. */
static void timers_fire(struct loop *loop)
{
    int64_t now_ms = clock_monotonic_ms();
    for (;;) {
        struct loop_timer *due = NULL;
        for (struct loop_timer *timer = loop->timers; timer != NULL; timer = timer->next)
            if (timer->due_ms <= now_ms && (due == NULL || timer->due_ms < due->due_ms))
                due = timer;
        if (due == NULL)
            break;
        timer_unlink(loop, due);
        due->fire(due->owner);
    }
    timers_arm(loop);
}

void loop_dispatch(struct loop *loop)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, 0);
    for (int i = 0; i < count; i++) {
        uint32_t slot = (uint32_t)events[i].data.u64;
        if (slot == TIMER_SLOT)
            continue;
        /* An earlier event of this round may have removed or replaced the source. */
        struct loop_source *source = loop->sources[slot];
        if (source != NULL && events[i].data.u64 == event_key(slot, loop->uses[slot]))
            source->ready(source->owner);
    }
    timers_fire(loop);
}
