/* What the hub says, and what follows from it for the tasks here. */
#include "sidecar/sidecar.h"
#include "sidecar/words.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_BYTES_MAX ((size_t)16 * 1024 * 1024)

static void task_say(struct sidecar *sidecar, enum message_type type,
                     struct slice task_id, int64_t generation)
{
    struct buffer frame;
    buffer_init(&frame, 1024);
    words_task(type, task_id, generation, &frame);
    (void)sidecar_say(sidecar, &frame);
    buffer_finish(&frame);
}

static void cancelled_put(struct sidecar *sidecar, const char *task_id,
                          int64_t generation)
{
    struct buffer frame;
    buffer_init(&frame, 1024);
    words_task(MESSAGE_TASK_CANCELLED, slice_from_text(task_id), generation, &frame);
    if (!buffer_failed(&frame))
        delivery_put(sidecar, REPORT_CANCELLED, task_id, generation,
                     buffer_slice(&frame));
    buffer_finish(&frame);
}

static void restarted_put(struct sidecar *sidecar, const char *task_id,
                          int64_t generation)
{
    struct buffer frame;
    buffer_init(&frame, 1024);
    words_failed(slice_from_text(task_id), generation, SLICE_OF("sidecar_restarted"),
                 &frame);
    if (!buffer_failed(&frame))
        delivery_put(sidecar, REPORT_FAILED, task_id, generation, buffer_slice(&frame));
    buffer_finish(&frame);
}

/* --- What a predecessor had begun --- */

static struct begun *recovering_find(struct sidecar *sidecar, struct slice task_id)
{
    for (size_t i = 0; i < sidecar->recovering_count; i++)
        if (slice_equal_text(task_id, sidecar->recovering[i].task_id))
            return &sidecar->recovering[i];
    return NULL;
}

static void recovering_remove(struct sidecar *sidecar, struct begun *begun)
{
    *begun = sidecar->recovering[--sidecar->recovering_count];
}

/* Its command died with it, so the task has failed; an agent woken by v1.1's way lives. */
static void recovering_settle(struct sidecar *sidecar, struct begun *slot,
                              int64_t generation)
{
    struct begun begun = *slot;
    recovering_remove(sidecar, slot);
    if (sidecar->stopping && sidecar->config->mode == CONFIG_WAKE)
        return; /* its record stays, for the next sidecar */
    if (sidecar->config->mode == CONFIG_COMMAND) {
        restarted_put(sidecar, begun.task_id, generation);
        outbox_end(&sidecar->outbox, begun.task_id);
        return;
    }
    struct buffer frame;
    struct arena arena;
    struct message message;
    struct refusal refusal;
    buffer_init(&frame, FRAME_BYTES_MAX);
    arena_init(&arena, FRAME_BYTES_MAX);
    enum err err = outbox_begun_read(&sidecar->outbox, begun.task_id, &frame);
    if (err == ERR_OK &&
        wire_parse_socket(sidecar->reader, DIRECTION_SOCKET_OUT, buffer_slice(&frame),
                          &arena, &message, &refusal) &&
        message.type == MESSAGE_TASK_ASSIGN) {
        message.as.task_assign.generation = generation;
        job_start(sidecar, buffer_slice(&frame), &message.as.task_assign, true);
    } else {
        restarted_put(sidecar, begun.task_id, generation);
        outbox_end(&sidecar->outbox, begun.task_id);
    }
    arena_finish(&arena);
    buffer_finish(&frame);
}

/* --- Tasks that wait for a free place --- */

static struct slice frame_copy(struct slice frame)
{
    char *copy = malloc(frame.size);
    if (copy == NULL)
        return slice_from_text(NULL);
    memcpy(copy, frame.data, frame.size);
    return slice_make(copy, frame.size);
}

static void waiting_remove(struct sidecar *sidecar, size_t at)
{
    free((char *)(uintptr_t)sidecar->waiting[at].data);
    sidecar->waiting_count--;
    memmove(&sidecar->waiting[at], &sidecar->waiting[at + 1],
            (sidecar->waiting_count - at) * sizeof sidecar->waiting[0]);
}

/* Reads a waiting frame; *ret_message lives as long as `arena`. */
static bool waiting_read(struct sidecar *sidecar, size_t at, struct arena *arena,
                         struct message *ret_message)
{
    struct refusal refusal;
    return wire_parse_socket(sidecar->reader, DIRECTION_SOCKET_OUT, sidecar->waiting[at],
                             arena, ret_message, &refusal) &&
           ret_message->type == MESSAGE_TASK_ASSIGN;
}

/* The place of a waiting task, or WAITING_MAX. */
static size_t waiting_find(struct sidecar *sidecar, struct slice task_id)
{
    size_t found = WAITING_MAX;
    for (size_t at = 0; at < sidecar->waiting_count && found == WAITING_MAX; at++) {
        struct arena arena;
        struct message message;
        arena_init(&arena, FRAME_BYTES_MAX);
        if (waiting_read(sidecar, at, &arena, &message) &&
            slice_equal(message.as.task_assign.task_id, task_id))
            found = at;
        arena_finish(&arena);
    }
    return found;
}

static void waiting_put(struct sidecar *sidecar, struct slice frame,
                        const struct message_task_assign *assign)
{
    size_t old = waiting_find(sidecar, assign->task_id);
    if (old < WAITING_MAX)
        waiting_remove(sidecar, old);
    struct slice copy = frame_copy(frame);
    if (sidecar->waiting_count == WAITING_MAX || !slice_is_present(copy)) {
        /* Not accepted, so the hub takes it back. */
        LOG_WARNING("task_not_taken", LOG_TEXT("task_id", assign->task_id));
        free((char *)(uintptr_t)copy.data);
        return;
    }
    sidecar->waiting[sidecar->waiting_count++] = copy;
}

static void waiting_start(void *owner)
{
    struct sidecar *sidecar = owner;
    while (!sidecar->stopping && sidecar->waiting_count > 0 &&
           sidecar->job_count < (size_t)sidecar->config->max_concurrent) {
        struct arena arena;
        struct message message;
        struct slice frame = sidecar->waiting[0];
        arena_init(&arena, FRAME_BYTES_MAX);
        if (waiting_read(sidecar, 0, &arena, &message)) {
            sidecar->waiting[0] = slice_from_text(NULL);
            waiting_remove(sidecar, 0);
            job_start(sidecar, frame, &message.as.task_assign, false);
            free((char *)(uintptr_t)frame.data);
        } else {
            waiting_remove(sidecar, 0);
        }
        arena_finish(&arena);
    }
}

void tasks_job_over(struct sidecar *sidecar)
{
    /* Later: we may be in the middle of a message about the job that is over. */
    if (sidecar->waiting_count > 0)
        loop_timer_set(&sidecar->loop, &sidecar->next, 0, waiting_start, sidecar);
    sidecar_job_over(sidecar);
}

/* --- The hub's messages --- */

/* Handed out again, to us who work on it already. */
static void assign_again(struct job *job, struct slice frame,
                         const struct message_task_assign *assign)
{
    struct sidecar *sidecar = job->sidecar;
    if (assign->generation < job->generation)
        return;
    if (job->stop == JOB_GOES_ON) {
        /* The work in hand is the work asked for, under its new number. */
        if (assign->generation > job->generation) {
            job->generation = assign->generation;
            (void)outbox_begin(&sidecar->outbox, job->task_id, job->generation, frame);
        }
        task_say(sidecar, MESSAGE_TASK_ACCEPTED, assign->task_id, assign->generation);
        job_say_again(job);
    } else if (assign->generation > job->generation) {
        free((char *)(uintptr_t)job->again.data);
        job->again = frame_copy(frame);
    }
}

static void on_assign(struct sidecar *sidecar, struct slice frame,
                      const struct message_task_assign *assign)
{
    if (sidecar->stopping)
        return;
    if (!task_id_is_plain(assign->task_id)) {
        LOG_ERROR("task_id_refused", LOG_TEXT("task_id", assign->task_id));
        return;
    }
    struct job *job = job_find(sidecar, assign->task_id);
    if (job != NULL) {
        assign_again(job, frame, assign);
        return;
    }
    if (outbox_find(&sidecar->outbox, assign->task_id, assign->generation) != NULL) {
        /* Done already: its report follows. */
        task_say(sidecar, MESSAGE_TASK_ACCEPTED, assign->task_id, assign->generation);
        delivery_turn(sidecar);
        return;
    }
    struct begun *begun = recovering_find(sidecar, assign->task_id);
    /* By a damaged record it may have been begun: better failed than run twice. */
    if (begun != NULL &&
        (begun->generation == assign->generation || begun->generation == 0)) {
        task_say(sidecar, MESSAGE_TASK_ACCEPTED, assign->task_id, assign->generation);
        recovering_settle(sidecar, begun, assign->generation);
        return;
    }
    if (begun != NULL)
        recovering_remove(sidecar, begun);
    if (sidecar->job_count < (size_t)sidecar->config->max_concurrent)
        job_start(sidecar, frame, assign, false);
    else
        waiting_put(sidecar, frame, assign);
}

static void on_cancel(struct sidecar *sidecar, const struct message_task_cancel *cancel)
{
    if (!task_id_is_plain(cancel->task_id))
        return;
    char task_id[TASK_ID_BYTES_MAX + 1] = "";
    memcpy(task_id, cancel->task_id.data, cancel->task_id.size);
    struct job *job = job_find(sidecar, cancel->task_id);
    struct begun *begun = recovering_find(sidecar, cancel->task_id);
    size_t waiting = waiting_find(sidecar, cancel->task_id);
    if (job != NULL) {
        if (cancel->generation >= job->generation) {
            job->generation = cancel->generation;
            job_stop(job, JOB_CANCELLED);
        }
        return;
    }
    if (begun != NULL) {
        recovering_remove(sidecar, begun);
        outbox_end(&sidecar->outbox, task_id);
    }
    if (waiting < WAITING_MAX)
        waiting_remove(sidecar, waiting);
    /* A report that is under way tells the hub as well that nothing runs here. */
    if (outbox_find(&sidecar->outbox, cancel->task_id, cancel->generation) == NULL)
        cancelled_put(sidecar, task_id, cancel->generation);
}

static void on_continue(struct sidecar *sidecar,
                        const struct message_task_continue *message)
{
    struct begun *begun = recovering_find(sidecar, message->task_id);
    if (begun != NULL) {
        recovering_settle(sidecar, begun, message->generation);
        return;
    }
    struct job *job = job_find(sidecar, message->task_id);
    if (job == NULL)
        return;
    if (message->generation > job->generation) {
        job->generation = message->generation;
        (void)outbox_begin(&sidecar->outbox, job->task_id, job->generation,
                           job->task.frame);
    }
    job_say_again(job);
}

static void on_reassign(struct sidecar *sidecar, struct slice task_id)
{
    struct begun *begun = recovering_find(sidecar, task_id);
    if (begun != NULL) {
        outbox_end(&sidecar->outbox, begun->task_id);
        recovering_remove(sidecar, begun);
    }
    struct job *job = job_find(sidecar, task_id);
    if (job != NULL)
        job_stop(job, JOB_FORGOTTEN);
}

static void on_error(struct sidecar *sidecar, const struct message_error *error)
{
    if (delivery_error(sidecar, error))
        return;
    LOG_WARNING("refused_by_hub", LOG_TEXT("reason", error->error),
                LOG_TEXT("message_type", error->message_type),
                LOG_TEXT("task_id", error->task_id));
    if (slice_equal_text(error->error, "invalid_token") ||
        slice_equal_text(error->error, "token_agent_mismatch")) {
        LOG_ERROR("token_refused", LOG_TEXT("reason", error->error));
        sidecar_stop(sidecar, EXIT_NO_PERMISSION);
        return;
    }
    /* Something said of a task in work was refused: ask whose it is now. */
    struct job *job =
        slice_is_present(error->task_id) ? job_find(sidecar, error->task_id) : NULL;
    bool is_state = slice_equal_text(error->error, "stale_generation") ||
                    slice_equal_text(error->error, "invalid_state") ||
                    slice_equal_text(error->error, "task_not_found");
    if (job != NULL && is_state)
        task_say(sidecar, MESSAGE_TASK_RECOVERING, error->task_id, job->generation);
}

static void say_draining_again(void *owner)
{
    sidecar_say_draining(owner);
}

/* What is due again by itself waits for its time: a ping, an attempt to connect. Reports
 * are never refused; what else was is said again when the time has come. */
static void on_rate_limited(struct sidecar *sidecar,
                            const struct message_rate_limited *limited)
{
    LOG_WARNING("rate_limited", LOG_TEXT("message_type", limited->message_type),
                LOG_TEXT("tier", limited->tier),
                LOG_NUMBER("retry_after_ms", limited->retry_after_ms));
    hub_link_wait(sidecar->link, limited->retry_after_ms);
    if (slice_equal(limited->message_type, MESSAGE_ROWS[MESSAGE_IDENTIFY].name))
        hub_link_drop(sidecar->link);
    else if (slice_equal(limited->message_type, MESSAGE_ROWS[MESSAGE_AGENT_DRAIN].name))
        loop_timer_set(&sidecar->loop, &sidecar->again, limited->retry_after_ms,
                       say_draining_again, sidecar);
}

void tasks_identified(struct sidecar *sidecar,
                      const struct message_identified *identified)
{
    LOG_INFO("identified", LOG_WORD("agent_id", sidecar->config->agent_id));
    sidecar->identified = true;
    if (identified->has_lease_ms)
        sidecar->lease_ms = identified->lease_ms;
    if (identified->has_reconnect_grace_ms)
        sidecar->grace_ms = identified->reconnect_grace_ms;
    if (identified->has_heartbeat_interval_ms)
        hub_link_ping_every(sidecar->link, identified->heartbeat_interval_ms);
    hub_link_settle(sidecar->link);
    for (size_t i = 0; i < sidecar->recovering_count; i++)
        task_say(sidecar, MESSAGE_TASK_RECOVERING,
                 slice_from_text(sidecar->recovering[i].task_id), 0);
    for (struct job *job = sidecar->jobs; job != NULL; job = job->next)
        task_say(sidecar, MESSAGE_TASK_RECOVERING, slice_from_text(job->task_id), 0);
    sidecar_say_draining(sidecar);
    delivery_turn(sidecar);
}

void tasks_text(struct sidecar *sidecar, struct slice text)
{
    struct message message;
    struct refusal refusal;
    arena_clear(&sidecar->arena);
    if (!wire_parse_socket(sidecar->reader, DIRECTION_SOCKET_OUT, text, &sidecar->arena,
                           &message, &refusal)) {
        LOG_DEBUG("message_not_understood", LOG_TEXT("type", refusal.message_type));
        return;
    }
    switch ((int)message.type) {
    case MESSAGE_IDENTIFIED:
        tasks_identified(sidecar, &message.as.identified);
        break;
    case MESSAGE_TASK_ASSIGN:
        on_assign(sidecar, text, &message.as.task_assign);
        break;
    case MESSAGE_TASK_ACK:
        delivery_ack(sidecar, &message.as.task_ack);
        break;
    case MESSAGE_TASK_CANCEL:
        on_cancel(sidecar, &message.as.task_cancel);
        break;
    case MESSAGE_TASK_CONTINUE:
        on_continue(sidecar, &message.as.task_continue);
        break;
    case MESSAGE_TASK_REASSIGN:
        on_reassign(sidecar, message.as.task_reassign.task_id);
        break;
    case MESSAGE_LEASE_RENEWED:
        sidecar->lease_ms = message.as.lease_renewed.lease_ms;
        break;
    case MESSAGE_RATE_LIMIT_WARNING:
        LOG_INFO("rate_limit_near", LOG_TEXT("tier", message.as.rate_limit_warning.tier),
                 LOG_NUMBER("remaining", message.as.rate_limit_warning.remaining));
        break;
    case MESSAGE_RATE_LIMITED:
        on_rate_limited(sidecar, &message.as.rate_limited);
        break;
    case MESSAGE_ERROR:
        on_error(sidecar, &message.as.error);
        break;
    default:
        break;
    }
}
