/* A task done by a command of ours: see output.h for how its words are read. */
#include "base/ensure.h"
#include "json/writer.h"
#include "sidecar/sidecar.h"
#include "sidecar/words.h"

#include <sys/wait.h>

enum { PROGRESS_EVERY_MS = 500, ERROR_TAIL_BYTES = 1900, RESULT_ROOM_BYTES = 1024 };

static void news_say(struct job *job);

static void news_due(void *owner)
{
    news_say(owner);
}

static void progress_say(struct job *job)
{
    struct output *output = &job->output;
    struct buffer frame;
    buffer_init(&frame, 16384);
    words_progress(slice_from_text(job->task_id), job->generation, output->progress,
                   buffer_slice(&output->note), &frame);
    if (sidecar_say(job->sidecar, &frame))
        output->progress_fresh = false;
    buffer_finish(&frame);
}

static void blocked_say(struct job *job)
{
    struct output *output = &job->output;
    struct slice task_id = slice_from_text(job->task_id);
    struct buffer frame;
    buffer_init(&frame, 16384);
    if (output->blocked)
        words_blocked(task_id, job->generation, buffer_slice(&output->blocked_reason),
                      &frame);
    else
        words_task(MESSAGE_TASK_UNBLOCKED, task_id, job->generation, &frame);
    if (sidecar_say(job->sidecar, &frame))
        output->blocked_fresh = false;
    buffer_finish(&frame);
}

/* The newest of each, not more often than PROGRESS_EVERY_MS. */
static void news_say(struct job *job)
{
    const struct output *output = &job->output;
    if ((!output->progress_fresh && !output->blocked_fresh) ||
        loop_timer_is_set(&job->progress))
        return;
    if (output->progress_fresh)
        progress_say(job);
    if (output->blocked_fresh)
        blocked_say(job);
    loop_timer_set(&job->sidecar->loop, &job->progress, PROGRESS_EVERY_MS, news_due, job);
}

void job_say_again(struct job *job)
{
    if (!job->output.blocked)
        return;
    job->output.blocked_fresh = true;
    news_say(job);
}

static void on_out(void *owner, struct slice bytes)
{
    struct job *job = owner;
    output_append(&job->output, bytes);
    news_say(job);
}

static void on_err(void *owner, struct slice bytes)
{
    struct job *job = owner;
    capture_append(&job->errors, bytes);
}

static void on_limit(void *owner)
{
    struct job *job = owner;
    if (job->stop == JOB_GOES_ON)
        job->stop = JOB_TIME_LIMIT;
}

/* {"output": text, "exit_code": 0}, its text cut until it fits a report. */
static void result_render(const struct job *job, struct buffer *result)
{
    struct buffer all;
    buffer_init(&all, job->sidecar->config->output_bytes_max + 256);
    capture_read(&job->output.text, &all);
    struct slice text = buffer_slice(&all);
    bool cut = capture_is_cut(&job->output.text);
    for (;;) {
        struct json_writer writer;
        buffer_clear(result);
        json_writer_init(&writer, result);
        json_object_begin(&writer);
        json_key_text(&writer, "output");
        json_string(&writer, text);
        json_key_text(&writer, "exit_code");
        json_i64(&writer, 0);
        if (cut) {
            json_key_text(&writer, "truncated");
            json_bool(&writer, true);
        }
        json_object_end(&writer);
        if (!buffer_failed(result) || text.size == 0)
            break;
        /* Escaping made it too long: the end says most. */
        text = text_tail(text, text.size / 2);
        cut = true;
    }
    buffer_finish(&all);
}

static int64_t tokens_of(const struct json *tape, const struct json_node *result)
{
    const struct json_node *tokens = json_member(tape, result, SLICE_OF("tokens_used"));
    return tokens != NULL && tokens->kind == JSON_NUMBER && tokens->integer &&
                   tokens->value.number >= 0
               ? tokens->value.number
               : -1;
}

/* What the command said of its failure, or NULL. */
static const struct json_node *reason_of(const struct json *tape,
                                         const struct json_node *result)
{
    static const struct slice NAMES[] = { SLICE("error"), SLICE("reason") };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        const struct json_node *reason = json_member(tape, result, NAMES[i]);
        if (reason != NULL && reason->kind == JSON_STRING && reason->value.text.size > 0)
            return reason;
    }
    return NULL;
}

/* How it ended, then the end of what it wrote. */
static void failure_describe(const struct job *job, int status, const char *note,
                             struct buffer *error)
{
    if (WIFSIGNALED(status)) {
        buffer_append_text(error, "killed by signal ");
        buffer_append_i64(error, WTERMSIG(status));
    } else {
        buffer_append_text(error, "exit code ");
        buffer_append_i64(error, WEXITSTATUS(status));
    }
    buffer_append_text(error, note);
    const struct capture *said =
        capture_is_empty(&job->errors) ? &job->output.text : &job->errors;
    if (!capture_is_empty(said)) {
        buffer_append_text(error, ": ");
        capture_read_tail(said, ERROR_TAIL_BYTES, error);
    }
}

static void end_failed(struct job *job, int status, const char *note)
{
    struct buffer error;
    buffer_init(&error, 8192);
    failure_describe(job, status, note, &error);
    struct slice text = buffer_slice(&error);
    while (text.size > 0 && text.data[text.size - 1] == '\n')
        text.size--;
    job_end_failed(job, text);
    buffer_finish(&error);
}

static void end_plain(struct job *job)
{
    struct buffer result;
    buffer_init(&result, job->sidecar->config->report_bytes_max - RESULT_ROOM_BYTES);
    result_render(job, &result);
    job_end_complete(job, buffer_slice(&result), -1);
    buffer_finish(&result);
}

/* The command gave a result of its own. */
static void end_structured(struct job *job, int status)
{
    struct json *tape = job->output.tape;
    struct json_problem problem;
    enum err err = json_parse(tape, buffer_slice(&job->output.result), &problem);
    ENSURE(err == ERR_OK || err == ERR_MEMORY);
    const struct json_node *result = json_root(tape);
    if (result == NULL) {
        job_end_failed(job, SLICE_OF("out of memory"));
        return;
    }
    const struct json_node *said = json_member(tape, result, SLICE_OF("status"));
    bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!slice_equal_text(said->value.text, "success")) {
        const struct json_node *reason = reason_of(tape, result);
        if (reason != NULL)
            job_end_failed(job, reason->value.text);
        else
            end_failed(job, status, " after reporting failure");
    } else if (!ended_well) {
        /* The two contradict each other: the safe reading is that work is left. */
        end_failed(job, status, " after reporting success");
    } else {
        job_end_complete(job, result->raw, tokens_of(tape, result));
    }
}

static void on_ended(void *owner, int status)
{
    struct job *job = owner;
    output_end(&job->output);
    bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    bool structured = job->output.result.size > 0;
    /* Told to end with the sidecar, it may have finished all the same. */
    bool finished = job->stop == JOB_SHUTDOWN && structured && ended_well;
    if (job->stop != JOB_GOES_ON && !finished)
        job_end_stopped(job);
    else if (structured)
        end_structured(job, status);
    else if (ended_well)
        end_plain(job);
    else
        end_failed(job, status, "");
}

enum err job_command_start(struct job *job)
{
    const struct config *config = job->sidecar->config;
    char **environment = environment_make(config, &job->task, &job->arena);
    if (environment == NULL)
        return ERR_MEMORY;
    struct child_plan plan = { config->argv, environment, config->working_dir };
    struct run_listener listener = { on_out, on_err, on_limit, on_ended, job };
    /* With the line break that stands behind it. */
    struct slice line = slice_make(job->task.frame.data, job->task.frame.size + 1);
    return run_start(&job->run, &job->sidecar->loop, &plan, line, config->time_limit_ms,
                     config->kill_grace_ms, listener);
}
