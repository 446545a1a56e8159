/*
 * AgentCom v1.1's way (its page, section 16.3): a shell line wakes the agent, which makes
 * TASK.started to confirm and TASK.json when it is done.
 */
#include "base/ensure.h"
#include "os/clock.h"
#include "os/file.h"
#include "sidecar/sidecar.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POLL_MS = 100, STABLE_MS = 500 };

static void wake_run(void *owner);
static void wake_poll(void *owner);

static void poll_later(struct job *job)
{
    loop_timer_set(&job->sidecar->loop, &job->wake.poll, POLL_MS, wake_poll, job);
}

static void files_remove(const struct job *job)
{
    (void)unlink(job->wake.started_path);
    (void)unlink(job->wake.result_path);
}

void job_wake_finish(struct job *job)
{
    loop_timer_clear(&job->sidecar->loop, &job->wake.poll);
    loop_timer_clear(&job->sidecar->loop, &job->wake.limit);
    buffer_finish(&job->wake.line);
}

static void end_stopped(struct job *job)
{
    bool woken = job->wake.state == WAKE_CONFIRMING || job->wake.state == WAKE_WORKING;
    if (job->stop == JOB_SHUTDOWN && woken) {
        job_leave(job); /* the agent goes on, and its result will be waited for */
        return;
    }
    files_remove(job);
    job_end_stopped(job);
}

static void end_failed(struct job *job, struct slice error)
{
    files_remove(job);
    job_end_failed(job, error);
}

static bool stop_due_end(void *owner);

static void stopped_now(void *owner)
{
    (void)stop_due_end(owner);
}

/* Ends a job that was asked to stop while no line of ours was running. */
static bool stop_due_end(void *owner)
{
    struct job *job = owner;
    if (job->stop == JOB_GOES_ON || job->run.active)
        return false;
    end_stopped(job);
    return true;
}

void job_wake_stop(struct job *job)
{
    if (job->run.active)
        run_stop(&job->run);
    else /* not from inside the caller, who still holds the job */
        loop_timer_set(&job->sidecar->loop, &job->wake.poll, 0, stopped_now, job);
}

static void limit_reached(void *owner)
{
    job_stop(owner, JOB_TIME_LIMIT);
}

static void end_wake_failed(struct job *job)
{
    struct buffer error;
    buffer_init(&error, 4096);
    buffer_append_text(&error, "wake_failed_after_");
    buffer_append_u64(&error, job->sidecar->config->wake_retries);
    buffer_append_text(&error, "_attempts");
    if (!capture_is_empty(&job->errors)) {
        buffer_append_text(&error, ": ");
        capture_read_tail(&job->errors, 1024, &error);
    }
    end_failed(job, buffer_slice(&error));
    buffer_finish(&error);
}

static void on_said(void *owner, struct slice bytes)
{
    struct job *job = owner;
    capture_append(&job->errors, bytes);
}

static void on_line_limit(void *owner)
{
    on_said(owner, SLICE_OF("the wake_command took too long\n"));
}

static void on_line_ended(void *owner, int status)
{
    struct job *job = owner;
    const struct config *config = job->sidecar->config;
    struct wake *wake = &job->wake;
    if (stop_due_end(job))
        return;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        wake->state = WAKE_CONFIRMING;
        wake->deadline_ms = clock_monotonic_ms() + config->confirmation_timeout_ms;
        poll_later(job);
        return;
    }
    if (wake->failures == config->wake_retries) {
        end_wake_failed(job);
        return;
    }
    int64_t delay_ms = config->wake_retry_delays_ms[wake->failures++];
    LOG_WARNING("wake_failed", LOG_WORD("task_id", job->task_id),
                LOG_NUMBER("failures", wake->failures));
    wake->state = WAKE_PAUSING;
    loop_timer_set(&job->sidecar->loop, &wake->poll, delay_ms, wake_run, job);
}

static enum err line_start(struct job *job)
{
    const struct config *config = job->sidecar->config;
    char **environment;
    enum err err = environment_make_wake(config, &job->task, &job->arena, &environment);
    if (err != ERR_OK)
        return err;
    char *argv[] = { "/bin/sh", "-c", job->wake.line.data, NULL };
    struct child_plan plan = { argv, environment, config->working_dir };
    struct run_listener listener = { on_said, on_said, on_line_limit, on_line_ended,
                                     job };
    job->wake.state = WAKE_RUNNING;
    return run_start(&job->run, &job->sidecar->loop, &plan, SLICE_OF(""),
                     config->wake_timeout_ms, config->kill_grace_ms, listener);
}

static void wake_run(void *owner)
{
    struct job *job = owner;
    enum err err = line_start(job);
    if (err != ERR_OK)
        end_failed(job, err == ERR_LIMIT ? SLICE_OF("task_too_large_for_wake_command")
                                         : SLICE_OF("cannot_start"));
}

/* The agent's result file, once it has not changed for a while. */
static bool result_is_stable(struct job *job)
{
    struct wake *wake = &job->wake;
    struct stat info;
    if (stat(wake->result_path, &info) != 0) {
        wake->result_since_ms = 0;
        return false;
    }
    int64_t now_ms = clock_monotonic_ms();
    int64_t time_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
    if (wake->result_since_ms == 0 || wake->result_size != info.st_size ||
        wake->result_time_ns != time_ns) {
        wake->result_size = info.st_size;
        wake->result_time_ns = time_ns;
        wake->result_since_ms = now_ms;
        return false;
    }
    return now_ms - wake->result_since_ms >= STABLE_MS;
}

static struct slice member_text(const struct json *tape, const struct json_node *root,
                                const char *name)
{
    const struct json_node *member = json_member(tape, root, slice_from_text(name));
    return member != NULL && member->kind == JSON_STRING ? member->value.text
                                                         : slice_from_text(NULL);
}

static void result_report(struct job *job, const struct json *tape)
{
    const struct json_node *root = json_root(tape);
    if (!slice_equal_text(member_text(tape, root, "status"), "success")) {
        struct slice reason = member_text(tape, root, "reason");
        if (reason.size == 0)
            reason = member_text(tape, root, "error");
        end_failed(job, reason.size > 0 ? reason : SLICE_OF("unknown"));
        return;
    }
    const struct json_node *tokens = json_member(tape, root, SLICE_OF("tokens_used"));
    int64_t used = tokens != NULL && tokens->kind == JSON_NUMBER && tokens->integer &&
                           tokens->value.number >= 0
                       ? tokens->value.number
                       : -1;
    struct slice started = slice_from_text(job->wake.started_path);
    struct slice result = slice_from_text(job->wake.result_path);
    char paths[2][PATH_MAX];
    (void)snprintf(paths[0], PATH_MAX, "%s", started.data);
    (void)snprintf(paths[1], PATH_MAX, "%s", result.data);
    job_end_complete(job, root->raw, used);
    /* Only now: the report stands in the outbox. */
    (void)unlink(paths[0]);
    (void)unlink(paths[1]);
}

static void result_take(struct job *job)
{
    struct buffer text;
    struct json_problem problem;
    size_t bytes_max = job->sidecar->config->report_bytes_max;
    buffer_init(&text, bytes_max);
    enum err err = file_read(job->wake.result_path, bytes_max, &text);
    struct json *tape = json_create(&JSON_LIMITS_DEFAULT);
    if (err == ERR_LIMIT)
        end_failed(job, SLICE_OF("result_too_large"));
    else if (err != ERR_OK || tape == NULL)
        end_failed(job, SLICE_OF("result_unreadable"));
    else if (json_parse(tape, buffer_slice(&text), &problem) != ERR_OK ||
             json_root(tape)->kind != JSON_OBJECT)
        end_failed(job, SLICE_OF("result_unparseable"));
    else
        result_report(job, tape);
    json_destroy(tape);
    buffer_finish(&text);
}

static void wake_poll(void *owner)
{
    struct job *job = owner;
    struct wake *wake = &job->wake;
    if (result_is_stable(job)) {
        result_take(job);
        return;
    }
    if (wake->state == WAKE_CONFIRMING) {
        if (wake->result_since_ms != 0 || access(wake->started_path, F_OK) == 0) {
            wake->state = WAKE_WORKING;
            LOG_INFO("agent_confirmed", LOG_WORD("task_id", job->task_id));
        } else if (clock_monotonic_ms() >= wake->deadline_ms) {
            end_failed(job, SLICE_OF("confirmation_timeout"));
            return;
        }
    }
    poll_later(job);
}

static bool result_path_make(const struct job *job, const char *ending, char *path)
{
    char name[TASK_ID_BYTES_MAX + 16];
    (void)snprintf(name, sizeof name, "%s%s", job->task_id, ending);
    return path_join(path, PATH_MAX, job->sidecar->config->results_dir, name);
}

enum err job_wake_start(struct job *job, bool resumed)
{
    const struct config *config = job->sidecar->config;
    struct wake *wake = &job->wake;
    buffer_init(&wake->line, 4 * config->wake_command.size + 256);
    wake_line_make(config->wake_command, &wake->line);
    buffer_append_byte(&wake->line, '\0');
    if (buffer_failed(&wake->line))
        return ERR_MEMORY;
    if (!result_path_make(job, ".started", wake->started_path) ||
        !result_path_make(job, ".json", wake->result_path))
        return ERR_LIMIT;
    if (config->time_limit_ms > 0)
        loop_timer_set(&job->sidecar->loop, &wake->limit, config->time_limit_ms,
                       limit_reached, job);
    if (resumed &&
        (access(wake->started_path, F_OK) == 0 || access(wake->result_path, F_OK) == 0)) {
        /* The agent lives on its own: it was woken before, its result may be there. */
        wake->state = WAKE_WORKING;
        poll_later(job);
        return ERR_OK;
    }
    files_remove(job); /* of an earlier attempt */
    /* From the loop: the line may fail, and the caller still holds the job. */
    loop_timer_set(&job->sidecar->loop, &wake->poll, 0, wake_run, job);
    return ERR_OK;
}
