#include "cli/job.h"

#include "base/ensure.h"
#include "cli/screen.h"
#include "os/clock.h"

#include <stdio.h>
#include <unistd.h>

enum {
    FILLINGS_MAX = 4,
    POLL_FIRST_MS = 50,
    POLL_MAX_MS = 500,
    REQUEST_MAX_MS = 30000,
    LINE_BYTES_MAX = 160,
};

struct following {
    struct invocation *invocation;
    int64_t number;
    bool terminal;
    bool shown;
    int64_t deadline_ms; /* INT64_MAX: none */
};

/* "backup 7: 45 % of 1.2 GB" */
static void line_show(struct following *following, const struct answer *answer)
{
    static const char *const UNITS[] = { "kB", "MB", "GB", "TB" };
    int64_t done = member_number(answer, answer->root, "done");
    int64_t total = member_number(answer, answer->root, "total");
    struct slice kind = member_text(answer, answer->root, "kind");
    struct slice status = member_text(answer, answer->root, "status");
    struct buffer words;
    size_t unit = 0;
    if (!following->terminal)
        return;
    buffer_init(&words, LINE_BYTES_MAX);
    text_escape(kind, false, "", &words);
    (void)fprintf(stderr, "\r\033[K%.*s %lld: ", (int)words.size,
                  words.size > 0 ? words.data : "", (long long)following->number);
    buffer_clear(&words);
    text_escape(status, false, "", &words);
    double amount = (double)total / 1000;
    for (; amount >= 1000 && unit < sizeof UNITS / sizeof UNITS[0] - 1; unit++)
        amount /= 1000;
    if (total > 0)
        (void)fprintf(stderr, "%d %% of %.1f %s",
                      (int)((double)done * 100 / (double)total), amount, UNITS[unit]);
    else
        (void)fprintf(stderr, "%.*s", (int)words.size, words.size > 0 ? words.data : "");
    buffer_finish(&words);
    following->shown = true;
}

static void line_end(const struct following *following)
{
    if (following->shown)
        (void)fputs("\r\033[K", stderr);
}

static enum outcome job_ask(struct following *following, struct answer *ret_answer)
{
    char number[32];
    struct invocation *invocation = following->invocation;
    int64_t left_ms = following->deadline_ms - clock_monotonic_ms();
    invocation->settings.timeout_ms = left_ms < 1                ? 1
                                      : left_ms < REQUEST_MAX_MS ? left_ms
                                                                 : REQUEST_MAX_MS;
    (void)snprintf(number, sizeof number, "%lld", (long long)following->number);
    const struct filling filling = { "job_id", slice_from_text(number) };
    return request_call(invocation, MESSAGE_GET_ADMIN_JOB, &filling, 1, ret_answer);
}

static enum outcome failure_tell(const struct answer *answer)
{
    struct buffer reason;
    buffer_init(&reason, 4096);
    text_escape(member_text(answer, answer->root, "reason"), false, "", &reason);
    enum outcome outcome = complain(OUTCOME_FAILED, "it failed: %.*s", (int)reason.size,
                                    reason.size > 0 ? reason.data : "");
    buffer_finish(&reason);
    return outcome;
}

static enum outcome following_run(struct following *following, struct answer *answer)
{
    int64_t pause_ms = POLL_FIRST_MS;
    for (;;) {
        enum outcome outcome = job_ask(following, answer);
        if (outcome != OUTCOME_OK)
            return outcome;
        if (answer->outcome != OUTCOME_OK && answer->status != 429) {
            line_end(following);
            return answer_tell(following->invocation, answer);
        }
        struct slice status = member_text(answer, answer->root, "status");
        bool complete = slice_equal_text(status, "complete");
        if (complete || slice_equal_text(status, "failed")) {
            line_end(following);
            return complete ? OUTCOME_OK : failure_tell(answer);
        }
        if (answer->outcome == OUTCOME_OK)
            line_show(following, answer);
        if (clock_monotonic_ms() >= following->deadline_ms) {
            line_end(following);
            return complain(OUTCOME_TIMEOUT, "job %lld goes on",
                            (long long)following->number);
        }
        (void)usleep((useconds_t)pause_ms * 1000);
        pause_ms = pause_ms * 2 > POLL_MAX_MS ? POLL_MAX_MS : pause_ms * 2;
    }
}

enum outcome job_follow(struct invocation *invocation, int64_t number,
                        struct answer *ret_answer)
{
    struct following following = {
        .invocation = invocation,
        .number = number,
        .terminal = isatty(STDERR_FILENO) == 1,
        .deadline_ms = INT64_MAX,
    };
    if (invocation->timeout_ms > 0)
        following.deadline_ms = clock_monotonic_ms() + invocation->timeout_ms;
    return following_run(&following, ret_answer);
}

static void made_show(const struct answer *job)
{
    struct slice name = member_text(job, job->root, "outcome");
    long long bytes = (long long)member_number(job, job->root, "bytes");
    struct buffer shown;
    buffer_init(&shown, 4096);
    text_escape(name, false, "", &shown);
    (void)printf("%.*s, %lld bytes\n", (int)shown.size, shown.size > 0 ? shown.data : "",
                 bytes);
    buffer_finish(&shown);
}

enum outcome job_make(struct invocation *invocation, const struct filling *fillings,
                      size_t count)
{
    struct filling all[FILLINGS_MAX + 1];
    struct answer answer;
    ENSURE(count <= FILLINGS_MAX);
    for (size_t i = 0; i < count; i++)
        all[i] = fillings[i];
    if (!invocation->json)
        all[count++] = (struct filling){ "wait", SLICE_OF("false") };
    enum outcome outcome = command_call(invocation, all, count, &answer);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (invocation->json)
        return answer_print(&answer);
    outcome =
        job_follow(invocation, member_number(&answer, answer.root, "job_id"), &answer);
    if (outcome == OUTCOME_OK)
        made_show(&answer);
    return outcome;
}
