/* Follows a task by asking again and again, ever more slowly while nothing changes. */
#include "cli/request.h"
#include "cli/screen.h"
#include "cli/task.h"
#include "os/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    POLL_FIRST_MS = 100,
    POLL_MAX_MS = 1000,
    AWAY_MAX_MS = 60000, /* so long the hub may be away */
    REQUEST_MAX_MS = 30000,
    LINE_BYTES_MAX = 4096,
};

struct watch {
    struct invocation *invocation;
    struct slice task_id;
    struct buffer line; /* as last shown */
    bool terminal;
    int64_t deadline_ms;
    int64_t away_since_ms; /* 0: the hub answers */
};

/* "working, ada, 40 %, half way" */
static void line_make(const struct answer *answer, struct buffer *line)
{
    const struct json_node *progress = member_of(answer, answer->root, "progress");
    struct slice state = member_text(answer, answer->root, "state");
    struct slice agent = member_text(answer, answer->root, "assigned_to");
    struct slice note = member_text(answer, answer->root, "progress_note");
    struct slice why =
        member_text(answer, member_of(answer, answer->root, "pending"), "reason");
    bool held = slice_equal_text(state, "working") || slice_equal_text(state, "assigned");
    text_escape(state.size > 0 ? state : member_text(answer, answer->root, "status"),
                false, "", line);
    if (slice_equal_text(state, "queued") && why.size > 0) {
        buffer_append_text(line, ", ");
        text_escape(why, false, "", line);
    }
    const struct json_node *blocked = member_of(answer, answer->root, "blocked_reason");
    if (held && blocked != NULL && blocked->kind == JSON_STRING) {
        buffer_append_text(line, ", blocked");
        buffer_append_text(line, blocked->value.text.size > 0 ? ": " : "");
        text_escape(blocked->value.text.size > 200
                        ? slice_make(blocked->value.text.data, 200)
                        : blocked->value.text,
                    false, "", line);
    }
    if (held && agent.size > 0) {
        buffer_append_text(line, ", ");
        text_escape(agent, false, "", line);
    }
    if (held && progress != NULL && progress->kind == JSON_NUMBER) {
        buffer_append_text(line, ", ");
        buffer_append_slice(line, progress->raw);
        buffer_append_text(line, " %");
    }
    if (held && note.size > 0) {
        buffer_append_text(line, ", ");
        text_escape(slice_make(note.data, note.size > 200 ? 200 : note.size), false, "",
                    line);
    }
}

/* One line, written over on a terminal, else one for each change. */
static bool line_show(struct watch *watch, const struct answer *answer)
{
    struct buffer line;
    buffer_init(&line, LINE_BYTES_MAX);
    line_make(answer, &line);
    bool changed = !slice_equal(buffer_slice(&line), buffer_slice(&watch->line));
    if (changed && watch->terminal)
        (void)fprintf(stderr, "\r\033[K%.*s", (int)line.size,
                      line.size > 0 ? line.data : "");
    else if (changed && !watch->invocation->json) {
        (void)printf("%.*s\n", (int)line.size, line.size > 0 ? line.data : "");
        (void)fflush(stdout);
    }
    buffer_clear(&watch->line);
    buffer_append_slice(&watch->line, buffer_slice(&line));
    buffer_finish(&line);
    return changed;
}

static void line_end(const struct watch *watch)
{
    if (watch->terminal && watch->line.size > 0)
        (void)fputs("\r\033[K", stderr);
}

/* True when the task will not change any more. */
static bool task_has_ended(const struct answer *answer, enum outcome *ret_outcome)
{
    struct slice state = member_text(answer, answer->root, "state");
    if (state.size == 0)
        state = member_text(answer, answer->root, "status");
    bool completed = slice_equal_text(state, "completed");
    *ret_outcome = completed ? OUTCOME_OK : OUTCOME_FAILED;
    return completed || slice_equal_text(state, "dead_letter") ||
           slice_equal_text(state, "cancelled");
}

/* The end: of the task for people its result or its reason, for programs all of it. */
static void end_show(const struct watch *watch, const struct answer *answer)
{
    line_end(watch);
    if (watch->invocation->json) {
        (void)answer_print(answer);
        return;
    }
    struct buffer text;
    buffer_init(&text, (size_t)64 * 1024 * 1024);
    const struct json_node *result = member_of(answer, answer->root, "result");
    struct slice error = member_text(answer, answer->root, "last_error");
    if (watch->terminal) {
        buffer_append_slice(&text, buffer_slice(&watch->line));
        buffer_append_byte(&text, '\n');
    }
    if (result != NULL && result->kind == JSON_OBJECT) {
        text_escape(result->raw, true, "", &text);
        buffer_append_byte(&text, '\n');
    } else if (error.size > 0) {
        text_escape(error, true, "", &text);
        buffer_append_byte(&text, '\n');
    }
    (void)fwrite(buffer_slice(&text).data, 1, text.size, stdout);
    buffer_finish(&text);
}

static int64_t left_ms(const struct watch *watch)
{
    return watch->deadline_ms == 0 ? INT64_MAX
                                   : watch->deadline_ms - clock_monotonic_ms();
}

/* Whether to ask again though there was no answer; *ret_outcome is the end if not. */
static bool away_goes_on(struct watch *watch, const struct answer *answer,
                         enum outcome *ret_outcome)
{
    int64_t now_ms = clock_monotonic_ms();
    bool away =
        answer->outcome == OUTCOME_UNAVAILABLE || answer->outcome == OUTCOME_TIMEOUT;
    if (away && watch->away_since_ms == 0)
        watch->away_since_ms = now_ms;
    /* A hub that was never there is no hub that is away. */
    bool was_there = watch->line.size > 0 || answer->status != 0;
    if (away && was_there && now_ms - watch->away_since_ms < AWAY_MAX_MS &&
        left_ms(watch) > 0)
        return true;
    line_end(watch);
    *ret_outcome = left_ms(watch) <= 0 ? complain(OUTCOME_TIMEOUT, "it took too long")
                                       : answer_tell(watch->invocation, answer);
    return false;
}

static enum outcome watch_run(struct watch *watch)
{
    struct invocation *invocation = watch->invocation;
    int64_t pause_ms = POLL_FIRST_MS;
    enum outcome outcome;
    for (;;) {
        int64_t left = left_ms(watch);
        invocation->settings.timeout_ms = left < 1                ? 1
                                          : left < REQUEST_MAX_MS ? left
                                                                  : REQUEST_MAX_MS;
        struct filling task = { "task_id", watch->task_id };
        struct answer answer;
        outcome = request_call(invocation, MESSAGE_GET_TASK, &task, 1, &answer);
        if (outcome != OUTCOME_OK)
            return outcome;
        if (answer.outcome != OUTCOME_OK) {
            if (!away_goes_on(watch, &answer, &outcome))
                return outcome;
            pause_ms = POLL_MAX_MS;
        } else {
            watch->away_since_ms = 0;
            bool changed = line_show(watch, &answer);
            if (task_has_ended(&answer, &outcome)) {
                end_show(watch, &answer);
                return outcome;
            }
            pause_ms = changed ? POLL_FIRST_MS : pause_ms * 3 / 2;
            pause_ms = pause_ms > POLL_MAX_MS ? POLL_MAX_MS : pause_ms;
        }
        left = left_ms(watch);
        if (left <= 0) {
            line_end(watch);
            return complain(OUTCOME_TIMEOUT, "the task has not ended in time");
        }
        (void)usleep((useconds_t)(pause_ms < left ? pause_ms : left) * 1000);
    }
}

enum outcome task_follow(struct invocation *invocation, struct slice task_id)
{
    struct watch watch = { .invocation = invocation,
                           .task_id = task_id,
                           .terminal = isatty(STDERR_FILENO) == 1 && !invocation->json };
    if (invocation->timeout_ms > 0)
        watch.deadline_ms = clock_monotonic_ms() + invocation->timeout_ms;
    buffer_init(&watch.line, LINE_BYTES_MAX);
    enum outcome outcome = watch_run(&watch);
    buffer_finish(&watch.line);
    return outcome;
}
