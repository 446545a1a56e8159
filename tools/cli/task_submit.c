#include "cli/task.h"

#include "base/hash.h"
#include "cli/request.h"
#include "cli/screen.h"
#include "os/entropy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* With a key the same request is taken once, so a lost answer is asked for again. */
static enum outcome submit_call(struct invocation *invocation, struct slice description,
                                struct answer *answer)
{
    char drawn[KEY_TEXT_BYTES] = "";
    const char *key = given_value(invocation, "--idempotency-key");
    if (key == NULL) {
        uint8_t bytes[KEY_BYTES];
        entropy_fill(bytes, sizeof bytes);
        hex_encode(drawn, bytes, sizeof bytes);
        key = drawn;
    }
    const struct filling fillings[] = { { "description", description },
                                        { "idempotency-key", slice_from_text(key) } };
    enum outcome outcome =
        request_call(invocation, MESSAGE_POST_TASK, fillings, 2, answer);
    if (outcome != OUTCOME_OK)
        return outcome;
    bool unsure = answer->status == 0 && answer->unsure;
    if (unsure && answer->outcome != OUTCOME_TIMEOUT) {
        (void)usleep(AGAIN_US);
        outcome = request_call(invocation, MESSAGE_POST_TASK, fillings, 2, answer);
    }
    if (unsure && outcome == OUTCOME_OK && answer->status == 0)
        (void)complain(answer->outcome,
                       "the task may have been submitted; submitted again with "
                       "--idempotency-key %s it is taken once",
                       key);
    return outcome == OUTCOME_OK ? answer_tell(invocation, answer) : outcome;
}

static enum outcome submitted_show(struct invocation *invocation,
                                   const struct answer *answer)
{
    struct buffer id;
    struct buffer shown;
    struct slice state = member_text(answer, answer->root, "state");
    bool wait = given_has(invocation, "--wait");
    if (invocation->json && !wait)
        return answer_print(answer);
    buffer_init(&id, 256);
    buffer_init(&shown, 1024);
    buffer_append_slice(&id, member_text(answer, answer->root, "task_id"));
    text_escape(buffer_slice(&id), false, "", &shown);
    buffer_append_byte(&shown, ' ');
    text_escape(state.size > 0 ? state : SLICE_OF("queued"), false, "", &shown);
    if (!invocation->json)
        (void)printf("%.*s\n", (int)shown.size, shown.data);
    (void)fflush(stdout);
    enum outcome outcome = wait ? task_follow(invocation, buffer_slice(&id)) : OUTCOME_OK;
    buffer_finish(&id);
    buffer_finish(&shown);
    return outcome;
}

enum outcome task_submit_run(struct invocation *invocation)
{
    struct buffer description;
    struct answer answer;
    buffer_init(&description, DESCRIPTION_BYTES_MAX);
    enum outcome outcome = description_read(invocation->arguments[0], &description);
    if (outcome == OUTCOME_OK && buffer_failed(&description))
        outcome = complain(OUTCOME_USAGE, "the description is too long");
    if (outcome == OUTCOME_OK)
        outcome = submit_call(invocation, buffer_slice(&description), &answer);
    if (outcome == OUTCOME_OK)
        outcome = submitted_show(invocation, &answer);
    buffer_finish(&description);
    return outcome;
}
