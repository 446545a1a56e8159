#include "sidecar/job.h"

#include "base/ensure.h"
#include "sidecar/sidecar.h"
#include "sidecar/words.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)

static void job_destroy(struct job *job)
{
    struct loop *loop = &job->sidecar->loop;
    ENSURE(!job->run.active);
    loop_timer_clear(loop, &job->renew);
    loop_timer_clear(loop, &job->progress);
    job_wake_finish(job);
    output_finish(&job->output);
    capture_finish(&job->errors);
    arena_finish(&job->arena);
    free((char *)(uintptr_t)job->again.data);
    free(job);
}

static void renew_due(void *owner)
{
    job_renew(owner);
}

void job_renew(struct job *job)
{
    struct sidecar *sidecar = job->sidecar;
    if (sidecar->identified) {
        struct buffer frame;
        buffer_init(&frame, 1024);
        words_task(MESSAGE_LEASE_RENEW, slice_from_text(job->task_id), job->generation,
                   &frame);
        (void)sidecar_say(sidecar, &frame);
        buffer_finish(&frame);
    }
    loop_timer_set(&sidecar->loop, &job->renew, sidecar_renew_ms(sidecar), renew_due,
                   job);
}

static enum err job_fill(struct job *job, struct slice frame,
                         const struct message_task_assign *assign)
{
    struct arena *arena = &job->arena;
    char *line = arena_take(arena, frame.size + 1);
    if (line == NULL)
        return ERR_MEMORY;
    memcpy(line, frame.data, frame.size);
    line[frame.size] = '\n';
    memcpy(job->task_id, assign->task_id.data, assign->task_id.size);
    job->generation = assign->generation;
    job->task = (struct task){
        .id = job->task_id,
        .generation = assign->generation,
        .description = arena_copy(arena, assign->description),
        .metadata = arena_copy(arena, assign->metadata),
        .frame = slice_make(line, frame.size),
    };
    if (arena_failed(arena))
        return ERR_MEMORY;
    size_t bytes_max = job->sidecar->config->output_bytes_max;
    enum err err = output_init(&job->output, bytes_max);
    return err == ERR_OK ? capture_init(&job->errors, bytes_max) : err;
}

static void accepted_say(struct job *job)
{
    struct buffer frame;
    buffer_init(&frame, 1024);
    words_task(MESSAGE_TASK_ACCEPTED, slice_from_text(job->task_id), job->generation,
               &frame);
    (void)sidecar_say(job->sidecar, &frame);
    buffer_finish(&frame);
}

void job_start(struct sidecar *sidecar, struct slice frame,
               const struct message_task_assign *assign, bool resumed)
{
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        LOG_ERROR("task_not_taken", LOG_TEXT("task_id", assign->task_id),
                  LOG_ERR(ERR_MEMORY));
        return;
    }
    job->sidecar = sidecar;
    arena_init(&job->arena, ARENA_BYTES_MAX);
    job->next = sidecar->jobs;
    sidecar->jobs = job;
    sidecar->job_count++;
    enum err err = job_fill(job, frame, assign);
    /* On disk before it is accepted: a task that was begun is never begun again. */
    if (err == ERR_OK)
        err = outbox_begin(&sidecar->outbox, job->task_id, job->generation, frame);
    if (err == ERR_OK && !resumed)
        accepted_say(job);
    if (err == ERR_OK)
        err = sidecar->config->mode == CONFIG_WAKE ? job_wake_start(job, resumed)
                                                   : job_command_start(job);
    if (err != ERR_OK) {
        LOG_ERROR("task_not_started", LOG_WORD("task_id", job->task_id), LOG_ERR(err));
        struct buffer error;
        buffer_init(&error, 256);
        buffer_append_text(&error, "cannot_start: ");
        buffer_append_text(&error, err_name(err));
        job_end_failed(job, buffer_slice(&error));
        buffer_finish(&error);
        return;
    }
    LOG_INFO("task_started", LOG_WORD("task_id", job->task_id),
             LOG_NUMBER("generation", job->generation));
    loop_timer_set(&sidecar->loop, &job->renew, sidecar_renew_ms(sidecar), renew_due,
                   job);
}

struct job *job_find(const struct sidecar *sidecar, struct slice task_id)
{
    for (struct job *job = sidecar->jobs; job != NULL; job = job->next)
        if (slice_equal_text(task_id, job->task_id))
            return job;
    return NULL;
}

void job_stop(struct job *job, enum job_stop why)
{
    if (job->stop == JOB_GOES_ON)
        job->stop = why;
    else if (why == JOB_CANCELLED || why == JOB_FORGOTTEN)
        job->stop = why; /* the hub's word counts more than ours */
    if (job->sidecar->config->mode == CONFIG_WAKE)
        job_wake_stop(job);
    else
        run_stop(&job->run);
}

void job_kill(struct job *job)
{
    run_kill(&job->run);
}

void job_leave(struct job *job)
{
    struct sidecar *sidecar = job->sidecar;
    struct job **at = &sidecar->jobs;
    while (*at != job) {
        ENSURE(*at != NULL);
        at = &(*at)->next;
    }
    *at = job->next;
    sidecar->job_count--;
    if (slice_is_present(job->again) && sidecar->waiting_count < WAITING_MAX) {
        sidecar->waiting[sidecar->waiting_count++] = job->again;
        job->again = slice_from_text(NULL);
    }
    job_destroy(job);
    tasks_job_over(sidecar);
}

/* What it was is told, or nobody's business any more. */
static void job_end(struct job *job)
{
    outbox_end(&job->sidecar->outbox, job->task_id);
    job_leave(job);
}

void job_end_failed(struct job *job, struct slice error)
{
    struct buffer frame;
    buffer_init(&frame, job->sidecar->config->report_bytes_max + 4096);
    words_failed(slice_from_text(job->task_id), job->generation, error, &frame);
    LOG_INFO("task_failed", LOG_WORD("task_id", job->task_id), LOG_TEXT("reason", error));
    if (!buffer_failed(&frame))
        delivery_put(job->sidecar, REPORT_FAILED, job->task_id, job->generation,
                     buffer_slice(&frame));
    buffer_finish(&frame);
    job_end(job);
}

void job_end_complete(struct job *job, struct slice result, int64_t tokens_used)
{
    struct buffer frame;
    buffer_init(&frame, job->sidecar->config->report_bytes_max);
    words_complete(slice_from_text(job->task_id), job->generation, result, tokens_used,
                   &frame);
    if (buffer_failed(&frame)) {
        buffer_finish(&frame);
        job_end_failed(job, SLICE_OF("result_too_large"));
        return;
    }
    LOG_INFO("task_completed", LOG_WORD("task_id", job->task_id));
    delivery_put(job->sidecar, REPORT_COMPLETE, job->task_id, job->generation,
                 buffer_slice(&frame));
    buffer_finish(&frame);
    job_end(job);
}

static void job_end_cancelled(struct job *job)
{
    struct buffer frame;
    buffer_init(&frame, 1024);
    words_task(MESSAGE_TASK_CANCELLED, slice_from_text(job->task_id), job->generation,
               &frame);
    LOG_INFO("task_cancelled", LOG_WORD("task_id", job->task_id));
    if (!buffer_failed(&frame))
        delivery_put(job->sidecar, REPORT_CANCELLED, job->task_id, job->generation,
                     buffer_slice(&frame));
    buffer_finish(&frame);
    job_end(job);
}

static void job_end_time_limit(struct job *job)
{
    struct buffer error;
    buffer_init(&error, 4096);
    buffer_append_text(&error, "time_limit: stopped after ");
    buffer_append_i64(&error, job->sidecar->config->time_limit_ms);
    buffer_append_text(&error, " ms");
    if (!capture_is_empty(&job->errors)) {
        buffer_append_byte(&error, '\n');
        capture_read_tail(&job->errors, 1024, &error);
    }
    job_end_failed(job, buffer_slice(&error));
    buffer_finish(&error);
}

void job_end_stopped(struct job *job)
{
    ENSURE(job->stop != JOB_GOES_ON);
    switch (job->stop) {
    case JOB_CANCELLED:
        job_end_cancelled(job);
        break;
    case JOB_TIME_LIMIT:
        job_end_time_limit(job);
        break;
    case JOB_SHUTDOWN:
        job_end_failed(job, SLICE_OF("sidecar_stopped"));
        break;
    case JOB_FORGOTTEN:
        LOG_INFO("task_dropped", LOG_WORD("task_id", job->task_id));
        job_end(job);
        break;
    case JOB_GOES_ON:
        break;
    }
}
