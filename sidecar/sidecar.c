#include "sidecar/sidecar.h"

#include "base/ensure.h"
#include "sidecar/words.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define MESSAGE_BYTES_MAX ((size_t)32 * 1024 * 1024)

enum {
    FAREWELL_MS = 1000, /* for the last reports, after the last task has ended */
    GOODBYE_MS = 300,   /* for the closing handshake */
    RENEW_LEAST_MS = 50,
    LEASE_PARTS = 3, /* renewals per lease */
};

bool sidecar_say(struct sidecar *sidecar, const struct buffer *frame)
{
    return !buffer_failed(frame) && hub_link_send(sidecar->link, buffer_slice(frame));
}

int64_t sidecar_renew_ms(const struct sidecar *sidecar)
{
    int64_t renew_ms = sidecar->lease_ms > 0 ? sidecar->lease_ms / LEASE_PARTS
                                             : sidecar->config->lease_renew_ms;
    return renew_ms < RENEW_LEAST_MS ? RENEW_LEAST_MS : renew_ms;
}

/* --- The end --- */

static void end_now(void *owner)
{
    struct sidecar *sidecar = owner;
    sidecar->over = true;
}

static void goodbye(void *owner)
{
    struct sidecar *sidecar = owner;
    sidecar->closing = true;
    hub_link_close(sidecar->link);
    loop_timer_set(&sidecar->loop, &sidecar->farewell,
                   hub_link_is_up(sidecar->link) || sidecar->identified ? GOODBYE_MS : 0,
                   end_now, sidecar);
}

/* Once no task runs: reports that can go, go; then the connection is closed. */
static void end_advance(struct sidecar *sidecar)
{
    if (!sidecar->stopping || sidecar->job_count > 0 || sidecar->closing)
        return;
    if (sidecar->identified && sidecar->outbox.count > 0) {
        if (!sidecar->saying_last) {
            sidecar->saying_last = true;
            loop_timer_set(&sidecar->loop, &sidecar->farewell, FAREWELL_MS, goodbye,
                           sidecar);
        }
        return;
    }
    sidecar->closing = true;
    loop_timer_set(&sidecar->loop, &sidecar->farewell, 0, goodbye, sidecar);
}

/* Nothing is in hand any more: it may leave. */
static void drain_advance(struct sidecar *sidecar)
{
    if (sidecar->draining && !sidecar->stopping && sidecar->job_count == 0 &&
        sidecar->waiting_count == 0)
        sidecar_stop(sidecar, 0);
}

void sidecar_job_over(struct sidecar *sidecar)
{
    drain_advance(sidecar);
    end_advance(sidecar);
}

void sidecar_stop(struct sidecar *sidecar, int exit_status)
{
    if (sidecar->stopping)
        return;
    LOG_INFO("sidecar_stops", LOG_NUMBER("exit_status", exit_status));
    loop_timer_clear(&sidecar->loop, &sidecar->drain);
    sidecar->stopping = true;
    sidecar->exit_status = exit_status;
    /* A job that ends at once leaves the list. */
    for (struct job *job = sidecar->jobs, *next; job != NULL; job = next) {
        next = job->next;
        job_stop(job, JOB_SHUTDOWN);
    }
    end_advance(sidecar);
}

void sidecar_say_draining(struct sidecar *sidecar)
{
    struct buffer frame;
    if (!sidecar->draining || !sidecar->identified)
        return;
    buffer_init(&frame, 256);
    words_drain(&frame);
    (void)sidecar_say(sidecar, &frame);
    buffer_finish(&frame);
}

static void drain_is_long(void *owner)
{
    LOG_WARNING("drain_takes_too_long");
    sidecar_stop(owner, 0);
}

static void drain(struct sidecar *sidecar)
{
    LOG_INFO("sidecar_drains", LOG_NUMBER("tasks", (int64_t)sidecar->job_count));
    sidecar->draining = true;
    if (sidecar->config->drain_limit_ms > 0)
        loop_timer_set(&sidecar->loop, &sidecar->drain, sidecar->config->drain_limit_ms,
                       drain_is_long, sidecar);
    sidecar_say_draining(sidecar);
    drain_advance(sidecar);
}

/* The first asks it to finish, the second to stop, the third has no more grace. */
static void told_to_end(struct sidecar *sidecar)
{
    if (sidecar->stopping)
        for (struct job *job = sidecar->jobs; job != NULL; job = job->next)
            job_kill(job);
    else if (sidecar->draining)
        sidecar_stop(sidecar, 0);
    else
        drain(sidecar);
}

static void signals_ready(void *owner)
{
    struct sidecar *sidecar = owner;
    struct signalfd_siginfo info;
    while (read(sidecar->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            if (sidecar->config->log_file != NULL)
                (void)log_open(sidecar->config->log_file);
            continue;
        }
        told_to_end(sidecar);
    }
}

/* --- The connection --- */

static void on_up(void *owner)
{
    struct sidecar *sidecar = owner;
    struct buffer frame;
    buffer_init(&frame, 65536);
    /* Who leaves takes nothing, not even before the hub has heard that it drains. */
    words_identify(sidecar->config,
                   sidecar->draining ? 0 : sidecar->config->max_concurrent, &frame);
    LOG_INFO("connected");
    if (!sidecar_say(sidecar, &frame))
        hub_link_drop(sidecar->link);
    buffer_finish(&frame);
}

static void on_text(void *owner, struct slice text)
{
    struct sidecar *sidecar = owner;
    tasks_text(sidecar, text);
    end_advance(sidecar);
}

static void on_down(void *owner, uint16_t code, struct slice reason)
{
    struct sidecar *sidecar = owner;
    LOG_WARNING("disconnected", LOG_NUMBER("code", code), LOG_TEXT("reason", reason));
    sidecar->identified = false;
    delivery_down(sidecar, code);
    /* With work in hand, be back before the hub gives it to somebody else. */
    bool in_hand = sidecar->job_count > 0 || sidecar->outbox.count > 0;
    hub_link_hurry(sidecar->link,
                   in_hand && sidecar->grace_ms > 0 ? sidecar->grace_ms / 4 + 1 : 0);
    if (code >= CLOSE_FINAL_FIRST && code <= CLOSE_FINAL_LAST) {
        bool replaced = code == CLOSE_ROWS[CLOSE_SESSION_REPLACED].code;
        LOG_ERROR(replaced ? "another_connection_took_over" : "turned_away",
                  LOG_NUMBER("code", code), LOG_TEXT("reason", reason));
        hub_link_close(sidecar->link);
        sidecar_stop(sidecar, replaced ? EXIT_UNAVAILABLE : EXIT_NO_PERMISSION);
    }
    if (sidecar->closing)
        sidecar->over = true;
    end_advance(sidecar);
}

/* --- The beginning --- */

static void begun_add(void *owner, const struct begun *begun)
{
    struct sidecar *sidecar = owner;
    struct slice task_id = slice_from_text(begun->task_id);
    if (outbox_find(&sidecar->outbox, task_id, begun->generation) != NULL)
        outbox_end(&sidecar->outbox, begun->task_id); /* its report is there already */
    else if (sidecar->recovering_count < RECOVERING_MAX)
        sidecar->recovering[sidecar->recovering_count++] = *begun;
}

static enum err signals_watch(struct sidecar *sidecar)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &wanted, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return ERR_IO;
    sidecar->signal_fd = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    if (sidecar->signal_fd < 0)
        return ERR_IO;
    return loop_watch(&sidecar->loop, &sidecar->signals, sidecar->signal_fd, false,
                      signals_ready, sidecar);
}

static int directories_open(struct sidecar *sidecar)
{
    const struct config *config = sidecar->config;
    if (config->mode == CONFIG_WAKE && mkdir(config->results_dir, 0700) != 0 &&
        errno != EEXIST) {
        LOG_ERROR("results_dir_not_made", LOG_WORD("directory", config->results_dir));
        return EXIT_CANNOT_CREATE;
    }
    enum err err = outbox_open(&sidecar->outbox, config->outbox_dir);
    if (err == ERR_OK)
        err = outbox_begun_walk(&sidecar->outbox, begun_add, sidecar);
    if (err == ERR_OK)
        return 0;
    LOG_ERROR(err == ERR_EXISTS ? "outbox_in_use" : "outbox_not_opened",
              LOG_WORD("directory", config->outbox_dir), LOG_ERR(err));
    return err == ERR_EXISTS ? EXIT_IN_USE : EXIT_CANNOT_CREATE;
}

static int sidecar_open(struct sidecar *sidecar)
{
    struct hub_link_listener listener = { on_up, on_text, on_down, sidecar };
    if (loop_init(&sidecar->loop) != ERR_OK)
        return EXIT_INTERNAL;
    if (signals_watch(sidecar) != ERR_OK || wire_create(&sidecar->wire) != ERR_OK)
        return EXIT_INTERNAL;
    sidecar->reader = wire_reader_create(sidecar->wire);
    if (sidecar->reader == NULL)
        return EXIT_INTERNAL;
    int status = directories_open(sidecar);
    if (status != 0)
        return status;
    sidecar->link = hub_link_create(sidecar->config, &sidecar->loop, listener);
    return sidecar->link == NULL ? EXIT_INTERNAL : 0;
}

static void sidecar_close(struct sidecar *sidecar)
{
    ENSURE(sidecar->jobs == NULL);
    while (sidecar->waiting_count > 0)
        free((char *)(uintptr_t)sidecar->waiting[--sidecar->waiting_count].data);
    hub_link_destroy(sidecar->link);
    outbox_close(&sidecar->outbox);
    wire_reader_destroy(sidecar->reader);
    wire_destroy(sidecar->wire);
    loop_unwatch(&sidecar->loop, &sidecar->signals);
    if (sidecar->signal_fd >= 0)
        close(sidecar->signal_fd);
    loop_finish(&sidecar->loop);
    arena_finish(&sidecar->arena);
}

int sidecar_run(const struct config *config)
{
    struct sidecar *sidecar = calloc(1, sizeof *sidecar);
    if (sidecar == NULL)
        return EXIT_INTERNAL;
    sidecar->config = config;
    sidecar->signal_fd = -1;
    sidecar->loop.epoll_fd = sidecar->loop.timer_fd = -1;
    sidecar->outbox.lock.fd = -1;
    arena_init(&sidecar->arena, MESSAGE_BYTES_MAX);
    int status = sidecar_open(sidecar);
    if (status == 0) {
        LOG_INFO("sidecar_started", LOG_WORD("agent_id", config->agent_id),
                 LOG_NUMBER("reports_waiting", sidecar->outbox.count),
                 LOG_NUMBER("tasks_begun", sidecar->recovering_count));
        hub_link_open(sidecar->link);
        while (!sidecar->over)
            hub_link_turn(sidecar->link);
        status = sidecar->exit_status;
    }
    sidecar_close(sidecar);
    free(sidecar);
    return status;
}
