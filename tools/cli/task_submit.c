#include "base/hash.h"
#include "cli/command.h"
#include "cli/screen.h"
#include "json/writer.h"
#include "os/entropy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BODY_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define DESCRIPTION_BYTES_MAX ((size_t)1024 * 1024)

enum { KEY_BYTES = 16, KEY_TEXT_BYTES = 2 * KEY_BYTES + 1, AGAIN_US = 500 * 1000 };

static enum outcome description_read(const char *argument, struct buffer *description)
{
    if (strcmp(argument, "-") != 0) {
        buffer_append_text(description, argument);
        return OUTCOME_OK;
    }
    char bytes[65536];
    for (;;) {
        ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return complain(OUTCOME_FAILED, "standard input: %s", strerror(errno));
        if (size == 0)
            break;
        buffer_append(description, bytes, (size_t)size);
        if (buffer_failed(description))
            return complain(OUTCOME_USAGE, "the description is too long");
    }
    while (description->size > 0 && description->data[description->size - 1] == '\n')
        description->size--;
    return OUTCOME_OK;
}

static enum outcome metadata_write(struct json_writer *writer, const char *metadata)
{
    struct json_problem problem;
    struct json *tape = json_create(&JSON_LIMITS_DEFAULT);
    enum outcome outcome = OUTCOME_OK;
    if (tape == NULL)
        return complain(OUTCOME_FAILED, "out of memory");
    if (json_parse(tape, slice_from_text(metadata), &problem) != ERR_OK)
        outcome = complain(OUTCOME_USAGE, "--metadata: byte %zu: %s", problem.offset,
                           problem.reason);
    else if (json_root(tape)->kind != JSON_OBJECT)
        outcome = complain(OUTCOME_USAGE, "--metadata must be a JSON object");
    else {
        json_key_text(writer, "metadata");
        json_raw(writer, json_root(tape)->raw);
    }
    json_destroy(tape);
    return outcome;
}

static void list_write(const struct invocation *invocation, const char *option,
                       const char *key, struct json_writer *writer)
{
    size_t at = 0;
    const char *value = given_next(invocation, option, &at);
    if (value == NULL)
        return;
    json_key_text(writer, key);
    json_array_begin(writer);
    for (; value != NULL; value = given_next(invocation, option, &at))
        json_string_text(writer, value);
    json_array_end(writer);
}

static enum outcome moment_write(const struct invocation *invocation, const char *option,
                                 const char *key, struct json_writer *writer)
{
    const char *text = given_value(invocation, option);
    int64_t wall_ms;
    if (text == NULL)
        return OUTCOME_OK;
    if (!moment_read(text, &wall_ms))
        return complain(OUTCOME_USAGE, "%s %s: write +10m, 2026-01-02T03:04:05Z or %s",
                        option, text, "Unix milliseconds");
    json_key_text(writer, key);
    json_i64(writer, wall_ms);
    return OUTCOME_OK;
}

static enum outcome members_write(const struct invocation *invocation,
                                  struct json_writer *writer)
{
    const char *priority = given_value(invocation, "--priority");
    const char *kind = given_value(invocation, "--kind");
    const char *metadata = given_value(invocation, "--metadata");
    const char *retries = given_value(invocation, "--max-retries");
    enum outcome outcome = OUTCOME_OK;
    if (priority != NULL) {
        json_key_text(writer, "priority");
        json_string_text(writer, priority);
    }
    if (kind != NULL) {
        json_key_text(writer, "kind");
        json_string_text(writer, kind);
    }
    if (metadata != NULL)
        outcome = metadata_write(writer, metadata);
    if (outcome == OUTCOME_OK && retries != NULL) {
        int64_t number;
        if (!slice_parse_i64(slice_from_text(retries), &number))
            return complain(OUTCOME_USAGE, "--max-retries %s is no number", retries);
        json_key_text(writer, "max_retries");
        json_i64(writer, number);
    }
    if (outcome == OUTCOME_OK)
        outcome = moment_write(invocation, "--complete-by", "complete_by", writer);
    if (outcome == OUTCOME_OK)
        outcome = moment_write(invocation, "--not-before", "not_before", writer);
    list_write(invocation, "--needs", "needed_capabilities", writer);
    list_write(invocation, "--depends-on", "depends_on", writer);
    return outcome;
}

static enum outcome body_write(const struct invocation *invocation, struct buffer *body)
{
    struct json_writer writer;
    struct buffer description;
    buffer_init(&description, DESCRIPTION_BYTES_MAX);
    enum outcome outcome = description_read(invocation->arguments[0], &description);
    if (outcome == OUTCOME_OK) {
        json_writer_init(&writer, body);
        json_object_begin(&writer);
        json_key_text(&writer, "description");
        json_string(&writer, buffer_slice(&description));
        outcome = members_write(invocation, &writer);
        /* Half a body is never sent, so it need not be closed. */
        if (outcome == OUTCOME_OK)
            json_object_end(&writer);
    }
    buffer_finish(&description);
    if (outcome == OUTCOME_OK && buffer_failed(body))
        outcome = complain(OUTCOME_FAILED, "out of memory");
    return outcome;
}

/* With a key the same request is taken once, so a lost answer is asked for again. */
static struct answer submit_call(struct invocation *invocation, struct slice body)
{
    char drawn[KEY_TEXT_BYTES] = "";
    const char *key = given_value(invocation, "--idempotency-key");
    if (key == NULL) {
        uint8_t bytes[KEY_BYTES];
        entropy_fill(bytes, sizeof bytes);
        hex_encode(drawn, bytes, sizeof bytes);
        key = drawn;
    }
    struct answer answer =
        client_call(invocation->client, "POST", "/api/tasks", body, key);
    bool unsure = answer.status == 0 && answer.unsure;
    if (unsure && answer.outcome != OUTCOME_TIMEOUT) {
        (void)usleep(AGAIN_US);
        answer = client_call(invocation->client, "POST", "/api/tasks", body, key);
    }
    if (unsure && answer.status == 0)
        (void)complain(answer.outcome,
                       "the task may have been submitted; submitted again with "
                       "--idempotency-key %s it is taken once",
                       key);
    return answer;
}

enum outcome task_submit_run(struct invocation *invocation)
{
    struct buffer body;
    buffer_init(&body, BODY_BYTES_MAX);
    enum outcome outcome = body_write(invocation, &body);
    if (outcome != OUTCOME_OK) {
        buffer_finish(&body);
        return outcome;
    }
    struct answer answer = submit_call(invocation, buffer_slice(&body));
    buffer_finish(&body);
    if (answer.outcome != OUTCOME_OK)
        return answer_tell(invocation, &answer);

    bool wait = given_has(invocation, "--wait");
    if (invocation->json && !wait)
        return answer_print(&answer);
    struct buffer id;
    struct buffer shown;
    buffer_init(&id, 256);
    buffer_init(&shown, 1024);
    buffer_append_slice(&id, member_text(&answer, answer.root, "task_id"));
    text_escape(buffer_slice(&id), false, "", &shown);
    struct slice state = member_text(&answer, answer.root, "state");
    buffer_append_byte(&shown, ' ');
    text_escape(state.size > 0 ? state : SLICE_OF("queued"), false, "", &shown);
    if (!invocation->json)
        (void)printf("%.*s\n", (int)shown.size, shown.data);
    (void)fflush(stdout);
    outcome = wait ? task_follow(invocation, buffer_slice(&id)) : OUTCOME_OK;
    buffer_finish(&id);
    buffer_finish(&shown);
    return outcome;
}
