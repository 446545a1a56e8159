#include "sidecar/run.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum {
    READ_BYTES = 65536,
    READS_AT_END_MAX = 64, /* somebody outside the group may hold the pipe and write on */
};

/* False at the end of the stream, or when nothing is there now. */
static bool pipe_read(int fd, void (*take)(void *owner, struct slice bytes), void *owner,
                      bool *ret_over)
{
    char bytes[READ_BYTES];
    ssize_t size;
    do
        size = read(fd, bytes, sizeof bytes);
    while (size < 0 && errno == EINTR);
    *ret_over = size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
    if (size <= 0)
        return false;
    take(owner, slice_make(bytes, (size_t)size));
    return true;
}

static void out_ready(void *owner)
{
    struct run *run = owner;
    bool over;
    (void)pipe_read(run->child.out, run->listener.out, run->listener.owner, &over);
    if (over)
        loop_unwatch(run->loop, &run->out);
}

static void err_ready(void *owner)
{
    struct run *run = owner;
    bool over;
    (void)pipe_read(run->child.err, run->listener.err, run->listener.owner, &over);
    if (over)
        loop_unwatch(run->loop, &run->err);
}

static void in_close(struct run *run)
{
    loop_unwatch(run->loop, &run->in);
    if (run->child.in >= 0)
        close(run->child.in);
    run->child.in = -1;
}

static void in_ready(void *owner)
{
    struct run *run = owner;
    while (run->input.size > 0) {
        ssize_t size = write(run->child.in, run->input.data, run->input.size);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (size < 0)
            break; /* the command does not care to read */
        run->input = slice_skip(run->input, (size_t)size);
    }
    in_close(run);
}

static void run_unwatch(struct run *run)
{
    loop_unwatch(run->loop, &run->in);
    loop_unwatch(run->loop, &run->out);
    loop_unwatch(run->loop, &run->err);
    loop_unwatch(run->loop, &run->end);
    loop_timer_clear(run->loop, &run->limit);
    loop_timer_clear(run->loop, &run->kill);
}

static void end_ready(void *owner)
{
    struct run *run = owner;
    int status = child_reap(&run->child);
    bool over;
    for (int i = 0; i < READS_AT_END_MAX; i++)
        if (!pipe_read(run->child.out, run->listener.out, run->listener.owner, &over))
            break;
    for (int i = 0; i < READS_AT_END_MAX; i++)
        if (!pipe_read(run->child.err, run->listener.err, run->listener.owner, &over))
            break;
    run_unwatch(run);
    child_close(&run->child);
    run->active = false;
    run->listener.ended(run->listener.owner, status);
}

static void limit_reached(void *owner)
{
    struct run *run = owner;
    run->listener.limit(run->listener.owner);
    run_stop(run);
}

enum err run_start(struct run *run, struct loop *loop, const struct child_plan *plan,
                   struct slice input, int64_t limit_ms, int64_t grace_ms,
                   struct run_listener listener)
{
    *run = (struct run){
        .loop = loop, .listener = listener, .input = input, .grace_ms = grace_ms
    };
    enum err err = child_start(plan, &run->child);
    if (err != ERR_OK)
        return err;
    run->active = true;
    if (loop_watch(loop, &run->end, run->child.pid_fd, false, end_ready, run) != ERR_OK ||
        loop_watch(loop, &run->out, run->child.out, false, out_ready, run) != ERR_OK ||
        loop_watch(loop, &run->err, run->child.err, false, err_ready, run) != ERR_OK ||
        loop_watch(loop, &run->in, run->child.in, true, in_ready, run) != ERR_OK) {
        run_unwatch(run);
        child_signal(&run->child, SIGKILL);
        (void)child_reap(&run->child);
        child_close(&run->child);
        run->active = false;
        return ERR_LIMIT;
    }
    if (limit_ms > 0)
        loop_timer_set(loop, &run->limit, limit_ms, limit_reached, run);
    return ERR_OK;
}

static void grace_over(void *owner)
{
    run_kill(owner);
}

void run_stop(struct run *run)
{
    if (!run->active || run->stopping)
        return;
    run->stopping = true;
    loop_timer_clear(run->loop, &run->limit);
    child_signal(&run->child, SIGTERM);
    loop_timer_set(run->loop, &run->kill, run->grace_ms, grace_over, run);
}

void run_kill(struct run *run)
{
    if (!run->active)
        return;
    run->stopping = true;
    loop_timer_clear(run->loop, &run->kill);
    child_signal(&run->child, SIGKILL);
}
