#include "ops/ops.h"

#include "base/ensure.h"
#include "ops/child.h"
#include "ops/inside.h"
#include "os/clock.h"
#include "os/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    WATCH_MS = 2 * 1000, /* how often the directory of backups is looked at */
    PROGRESS_MS = 1000,
    PROGRESS_EVENT_MS = 3 * 1000, /* the event log hears of it this seldom */
    PROGRESS_EVENT_PART = 20,     /* and no more often than at each such part */
    RETRY_MS = 5,
    HEARD_MS = 10 * 1000,     /* so long the order may take to say what came of it */
    TELL_AGAIN_MS = 2 * 1000, /* what found no room */
    ENVELOPE_BYTES_MAX = 1024 * 1024,
};

typedef void (*runner)(struct ops *, const struct ops_job *, struct ops_outcome *);

static const runner RUNNERS[JOB_KIND_END] = {
    [JOB_BACKUP] = backup_run, [JOB_COMPACT] = compact_run, [JOB_SCRUB] = scrub_run,
    [JOB_VERIFY] = verify_run, [JOB_RESTORE] = restore_run, [JOB_STORE_AT] = store_at_run,
};

static void wake(void *context)
{
    struct ops *ops = context;
    wake_signal(&ops->wake);
}

enum err ops_create(const struct ops_options *options, struct ops **ret_ops)
{
    struct ops *ops = calloc(1, sizeof *ops);
    if (ops == NULL)
        return ERR_MEMORY;
    ops->options = *options;
    ops->vault.fd = -1;
    enum err err = wake_init(&ops->wake);
    if (err != ERR_OK) {
        free(ops);
        return err;
    }
    ops->door = engine_jobs_door_add(options->engine, wake, ops);
    if (ops->door == NULL) {
        ops_destroy(ops);
        return ERR_MEMORY;
    }
    *ret_ops = ops;
    return ERR_OK;
}

void ops_destroy(struct ops *ops)
{
    if (ops == NULL)
        return;
    ENSURE(!ops->started);
    vault_close(&ops->vault);
    wake_finish(&ops->wake);
    free(ops);
}

void ops_fail(struct ops_outcome *outcome, const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(outcome->problem.text, sizeof outcome->problem.text, format,
                    arguments);
    va_end(arguments);
    outcome->complete = false;
    outcome->code = code;
}

/* The core lets no more be open than there is room for. */
static void job_take(struct ops *ops, const struct release *release)
{
    ENSURE(ops->queue_count < JOBS_OPEN_MAX);
    struct ops_job *job = &ops->queue[ops->queue_count++];
    *job = (struct ops_job){
        .number = release->job,
        .kind = release->job_kind,
        .flags = release->job_flags,
    };
    if (release->subject.size < sizeof job->subject && release->subject.size > 0)
        memcpy(job->subject, release->subject.data, release->subject.size);
}

static void release_take(struct ops *ops, const struct release *release)
{
    if (release->kind == RELEASE_JOB)
        job_take(ops, release);
    else if (release->kind == RELEASE_JOB_SKIPPED)
        LOG_WARNING("job_skipped",
                    LOG_TEXT("kind", job_kind_name((enum job_kind)release->job_kind)),
                    LOG_TEXT("reason", release->reason));
    else if (release->kind == RELEASE_SEND)
        ops->refused = true; /* nothing else is ever said to this thread */
}

static void releases_take(struct ops *ops)
{
    struct release_batch *batch;
    wake_clear(&ops->wake);
    while ((batch = door_pop(ops->door)) != NULL) {
        for (struct release *release = release_first(batch); release != NULL;
             release = release->next)
            release_take(ops, release);
        ops->heard = ops->heard || release_done_first(batch) != NULL;
        release_batch_destroy(batch);
    }
}

bool ops_attend(struct ops *ops, int fd, int timeout_ms)
{
    struct pollfd wanted[] = {
        { .fd = wake_fd(&ops->wake), .events = POLLIN },
        { .fd = fd, .events = POLLIN },
    };
    /* Whoever asked for the end was heard once: nobody wakes us again. */
    if (atomic_load(&ops->stopping))
        return false;
    int ready = poll(wanted, 2, timeout_ms);
    if (ready > 0 && wanted[0].revents != 0)
        releases_take(ops);
    return !atomic_load(&ops->stopping);
}

struct envelope *ops_envelope(enum message_type type)
{
    struct envelope *envelope = envelope_create(ENVELOPE_BYTES_MAX);
    if (envelope == NULL) {
        LOG_ERROR("job_not_told", LOG_ERR(ERR_MEMORY));
        return NULL;
    }
    envelope->role = ROLE_HUB;
    envelope->message.type = type;
    return envelope;
}

void ops_tell(struct ops *ops, struct envelope *envelope)
{
    if (envelope == NULL)
        return;
    while (!door_push(ops->door, envelope)) {
        if (!ops_attend(ops, -1, RETRY_MS)) {
            envelope_destroy(envelope);
            return;
        }
    }
}

bool ops_pause(struct ops *ops, int64_t pause_ms)
{
    int64_t left_ms;
    int64_t until_ms = clock_monotonic_ms() + pause_ms;
    while ((left_ms = until_ms - clock_monotonic_ms()) > 0)
        if (!ops_attend(ops, -1, (int)left_ms))
            return false;
    return true;
}

bool ops_tell_and_hear(struct ops *ops, struct envelope *envelope)
{
    if (envelope == NULL)
        return false;
    /* From a link, as an agent's report: the order says when it is done with it, and
     * before that whether it had to refuse it. */
    envelope->origin.link = door_link_first(ops->door);
    ops->heard = false;
    ops->refused = false;
    ops_tell(ops, envelope);
    int64_t until_ms = clock_monotonic_ms() + HEARD_MS;
    while (!ops->heard && clock_monotonic_ms() < until_ms)
        if (!ops_attend(ops, -1, WATCH_MS))
            return false;
    return ops->heard && !ops->refused;
}

void ops_tell_progress(struct ops *ops, const struct ops_job *job, uint64_t done,
                       uint64_t total)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - ops->told_ms < PROGRESS_MS)
        return;
    ops->told_ms = now_ms;
    if (total < done)
        total = done;
    bool tell = now_ms - ops->event_ms >= PROGRESS_EVENT_MS &&
                done >= ops->event_done + total / PROGRESS_EVENT_PART;
    struct envelope *envelope = ops_envelope(MESSAGE_JOB_PROGRESS);
    if (envelope == NULL)
        return;
    envelope->message.as.job_progress = (struct message_job_progress){
        .job = (int64_t)job->number,
        .done = (int64_t)done,
        .total = (int64_t)total,
        .tell = tell,
    };
    if (tell) {
        ops->event_ms = now_ms;
        ops->event_done = done;
    }
    ops_tell(ops, envelope);
}

static void tell_started(struct ops *ops, const struct ops_job *job)
{
    struct envelope *envelope = ops_envelope(MESSAGE_JOB_STARTED);
    if (envelope == NULL)
        return;
    envelope->message.as.job_started.job = (int64_t)job->number;
    ops_tell(ops, envelope);
}

static struct slice text_in(struct envelope *envelope, const char *text)
{
    return text == NULL || text[0] == '\0'
               ? (struct slice){ 0 }
               : arena_copy(&envelope->arena, slice_from_text(text));
}

static struct envelope *finished_envelope(const struct ops_job *job,
                                          const struct ops_outcome *outcome)
{
    struct envelope *envelope = ops_envelope(MESSAGE_JOB_FINISHED);
    if (envelope == NULL)
        return NULL;
    envelope->message.as.job_finished = (struct message_job_finished){
        .job = (int64_t)job->number,
        .complete = outcome->complete,
        .reason = outcome->complete ? (struct slice){ 0 }
                                    : text_in(envelope, outcome->problem.text),
        .code = text_in(envelope, outcome->code),
        .outcome = text_in(envelope, outcome->made),
        .bytes = (int64_t)outcome->bytes,
        .bytes_before = (int64_t)outcome->bytes_before,
        .has_bytes_before = outcome->bytes_before > 0,
        .sequence = (int64_t)outcome->sequence,
        .tables_total = outcome->tables_total,
        .tables_success = outcome->tables_success,
    };
    if (outcome->results.size > 0)
        envelope->message.as.job_finished.results =
            arena_copy(&envelope->arena, buffer_slice(&outcome->results));
    return envelope;
}

/* Again and again until it is written down: no job stays open because the store was full
 * when it ended. No other job begins before that. */
static void tell_finished(struct ops *ops, const struct ops_job *job,
                          const struct ops_outcome *outcome)
{
    bool warned = false;
    while (!ops_tell_and_hear(ops, finished_envelope(job, outcome))) {
        if (atomic_load(&ops->stopping))
            return;
        if (!warned)
            LOG_WARNING("job_end_not_written", LOG_NUMBER("job", job->number));
        warned = true;
        if (!ops_pause(ops, TELL_AGAIN_MS))
            return;
    }
}

static void job_run(struct ops *ops)
{
    struct ops_job job = ops->queue[0];
    struct ops_outcome outcome = { .complete = false };
    ops->queue_count--;
    memmove(ops->queue, ops->queue + 1, ops->queue_count * sizeof ops->queue[0]);

    int64_t start_ms = clock_monotonic_ms();
    struct slice kind = job_kind_name((enum job_kind)job.kind);
    buffer_init(&outcome.results, ENVELOPE_BYTES_MAX / 2);
    ops->told_ms = start_ms;
    ops->event_ms = start_ms;
    ops->event_done = 0;
    LOG_NOTICE("job_started", LOG_NUMBER("job", job.number), LOG_TEXT("kind", kind));
    tell_started(ops, &job);
    if (RUNNERS[job.kind] != NULL)
        RUNNERS[job.kind](ops, &job, &outcome);
    else
        ops_fail(&outcome, "internal", "this hub has no such job");
    if (!atomic_load(&ops->stopping) && !outcome.silent) {
        tell_finished(ops, &job, &outcome);
        int64_t took_ms = clock_monotonic_ms() - start_ms;
        if (outcome.complete)
            LOG_NOTICE("job_complete", LOG_NUMBER("job", job.number),
                       LOG_TEXT("kind", kind), LOG_WORD("made", outcome.made),
                       LOG_NUMBER("bytes", outcome.bytes), LOG_NUMBER("ms", took_ms));
        else
            LOG_ERROR("job_failed", LOG_NUMBER("job", job.number), LOG_TEXT("kind", kind),
                      LOG_WORD("reason", outcome.problem.text),
                      LOG_NUMBER("ms", took_ms));
    }
    buffer_finish(&outcome.results);
}

int ops_run_child(struct ops *ops, const char *const *arguments, struct buffer *said)
{
    struct child child;
    if (child_begin(arguments, &child) != ERR_OK)
        return 127;
    bool more = true;
    while (more) {
        if (!ops_attend(ops, child.out, WATCH_MS)) {
            (void)child_end(&child, true);
            return -1;
        }
        struct pollfd said_more = { .fd = child.out, .events = POLLIN };
        if (poll(&said_more, 1, 0) > 0)
            more = child_read(&child, said);
    }
    return child_end(&child, false);
}

int ops_walk(struct ops *ops, const char *directory, const char *code, const char *doing,
             struct manifest *ret_manifest, struct ops_outcome *outcome)
{
    const char *arguments[] = { "--verify-store", directory, NULL };
    struct buffer said;
    buffer_init(&said, MANIFEST_BYTES_MAX);
    int ended = ops_run_child(ops, arguments, &said);
    struct slice text = buffer_slice(&said);
    if (ended < 0)
        ops_fail(outcome, "unavailable", "the hub ends");
    else if (ended == 0 && ret_manifest != NULL &&
             manifest_read(text, ret_manifest) != ERR_OK)
        ended = EX_SOFTWARE;
    if (ended > 0)
        ops_fail(outcome, code, "%s (%d): %.*s", doing, ended,
                 (int)slice_find(text, '\n'), text.data);
    buffer_finish(&said);
    return ended;
}

/* The directory may be made, mended or mounted while the hub runs. */
static void backups_watch(struct ops *ops)
{
    struct vault_problem problem;
    if (!ops_vault(ops, &problem)) {
        if (!ops->vault_told)
            LOG_ERROR("backups_not_seen", LOG_WORD("reason", problem.text));
        ops->vault_told = true;
        return;
    }
    if (vault_changed_ns(&ops->vault) != ops->vault_changed_ns)
        ops_tell_backups(ops);
}

static void ops_run(void *argument)
{
    struct ops *ops = argument;
    backups_watch(ops);
    journal_watch(ops);
    while (ops_attend(ops, -1, ops->queue_count > 0 ? 0 : WATCH_MS)) {
        if (ops->queue_count > 0)
            job_run(ops);
        backups_watch(ops);
        journal_watch(ops);
    }
}

enum err ops_start(struct ops *ops)
{
    enum err err = thread_start(&ops->thread, "ops", ops_run, ops);
    ops->started = err == ERR_OK;
    return err;
}

void ops_stop(struct ops *ops)
{
    if (!ops->started)
        return;
    atomic_store(&ops->stopping, true);
    wake_signal(&ops->wake);
    thread_join(&ops->thread);
    ops->started = false;
}
