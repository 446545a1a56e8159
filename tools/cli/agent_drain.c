/* Draining an agent, and waiting until it has nothing in hand. */
#include "cli/agent.h"
#include "cli/request.h"
#include "cli/screen.h"
#include "os/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { POLL_MS = 500, LINE_BYTES_MAX = 4096 };

/* "ada draining, 2 tasks in hand" */
enum outcome drain_show(const struct answer *answer)
{
    struct buffer text;
    int64_t held = member_number(answer, answer->root, "tasks_held");
    const struct json_node *by_agent =
        member_of(answer, answer->root, "draining_by_agent");
    struct slice status = member_text(answer, answer->root, "status");
    buffer_init(&text, LINE_BYTES_MAX);
    text_escape(member_text(answer, answer->root, "agent_id"), false, "", &text);
    buffer_append_byte(&text, ' ');
    text_escape(status, false, "", &text);
    if (by_agent != NULL && by_agent->kind == JSON_TRUE &&
        slice_equal_text(status, "resumed"))
        buffer_append_text(&text, ", but it drains by its own word");
    (void)printf("%.*s, %lld %s in hand\n", (int)text.size,
                 text.size > 0 ? text.data : "", (long long)held,
                 held == 1 ? "task" : "tasks");
    buffer_finish(&text);
    return OUTCOME_OK;
}

/* Until it holds nothing: then it may be switched off. */
static enum outcome drained_await(struct invocation *invocation)
{
    int64_t deadline_ms = invocation->timeout_ms > 0
                              ? clock_monotonic_ms() + invocation->timeout_ms
                              : INT64_MAX;
    for (;;) {
        struct answer answer;
        enum outcome outcome =
            request_call(invocation, MESSAGE_GET_AGENT_STATE, NULL, 0, &answer);
        if (outcome != OUTCOME_OK)
            return outcome;
        if (answer.outcome != OUTCOME_OK)
            return answer_tell(invocation, &answer);
        if (member_number(&answer, answer.root, "tasks_held") == 0) {
            if (invocation->json)
                return answer_print(&answer);
            (void)printf("%s drained\n", invocation->arguments[0]);
            return OUTCOME_OK;
        }
        if (clock_monotonic_ms() >= deadline_ms)
            return complain(OUTCOME_TIMEOUT, "it has tasks in hand still");
        (void)usleep(POLL_MS * 1000);
    }
}

enum outcome drain_run(struct invocation *invocation)
{
    struct answer answer;
    enum outcome outcome = command_call(invocation, NULL, 0, &answer);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (given_has(invocation, "--wait"))
        return drained_await(invocation);
    return invocation->json ? answer_print(&answer) : drain_show(&answer);
}
