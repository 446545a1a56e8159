/* Cancel and retry. */
#include "cli/command.h"
#include "cli/screen.h"
#include "json/writer.h"

#include <stdio.h>

static struct answer change_call(struct invocation *invocation, const char *verb,
                                 struct slice body)
{
    struct answer answer = { .outcome = OUTCOME_USAGE, .problem = "that is no task" };
    struct buffer path;
    buffer_init(&path, 4096);
    buffer_append_text(&path, "/api/tasks/");
    url_append(&path, slice_from_text(invocation->arguments[0]));
    buffer_append_text(&path, verb);
    buffer_append_byte(&path, '\0');
    if (!buffer_failed(&path))
        answer = client_call(invocation->client, "POST", path.data, body, NULL);
    buffer_finish(&path);
    return answer;
}

static enum outcome change_show(const struct invocation *invocation,
                                const struct answer *answer)
{
    if (answer->outcome != OUTCOME_OK)
        return answer_tell(invocation, answer);
    if (invocation->json)
        return answer_print(answer);
    struct buffer text;
    buffer_init(&text, 4096);
    text_escape(member_text(answer, answer->root, "task_id"), false, "", &text);
    buffer_append_byte(&text, ' ');
    text_escape(member_text(answer, answer->root, "status"), false, "", &text);
    struct slice agent = member_text(answer, answer->root, "assigned_to");
    if (agent.size > 0) {
        buffer_append_text(&text, ", told to ");
        text_escape(agent, false, "", &text);
    }
    (void)printf("%.*s\n", (int)text.size, text.size > 0 ? text.data : "");
    buffer_finish(&text);
    return OUTCOME_OK;
}

enum outcome task_cancel_run(struct invocation *invocation)
{
    struct buffer body;
    struct json_writer writer;
    const char *reason = given_value(invocation, "--reason");
    buffer_init(&body, 1024 * 1024);
    json_writer_init(&writer, &body);
    json_object_begin(&writer);
    if (reason != NULL) {
        json_key_text(&writer, "reason");
        json_string_text(&writer, reason);
    }
    json_object_end(&writer);
    struct answer answer = change_call(invocation, "/cancel", buffer_slice(&body));
    buffer_finish(&body);
    return change_show(invocation, &answer);
}

enum outcome task_retry_run(struct invocation *invocation)
{
    struct answer answer = change_call(invocation, "/retry", SLICE_OF(""));
    return change_show(invocation, &answer);
}
