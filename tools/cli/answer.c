/* Answers of the hub: their members, and what to say when they are no. */
#include "cli/command.h"
#include "cli/screen.h"
#include "message/row.h"

#include <stdio.h>

const struct json_node *member_of(const struct answer *answer,
                                  const struct json_node *object, const char *name)
{
    if (answer->tape == NULL || object == NULL)
        return NULL;
    return json_member(answer->tape, object, slice_from_text(name));
}

struct slice member_text(const struct answer *answer, const struct json_node *object,
                         const char *name)
{
    const struct json_node *member = member_of(answer, object, name);
    return member != NULL && member->kind == JSON_STRING ? member->value.text
                                                         : slice_from_text(NULL);
}

int64_t member_number(const struct answer *answer, const struct json_node *object,
                      const char *name)
{
    const struct json_node *member = member_of(answer, object, name);
    return member != NULL && member->kind == JSON_NUMBER && member->integer
               ? member->value.number
               : 0;
}

const char *priority_name(int64_t priority)
{
    static const char *const NAMES[] = { "urgent", "high", "normal", "low" };
    return priority >= 0 && priority < 4 ? NAMES[priority] : "?";
}

enum outcome answer_print(const struct answer *answer)
{
    (void)fwrite(answer->body.data, 1, answer->body.size, stdout);
    if (answer->body.size == 0 || answer->body.data[answer->body.size - 1] != '\n')
        (void)fputc('\n', stdout);
    return answer->outcome;
}

static void error_item_append(const struct answer *answer, const struct json_node *item,
                              struct buffer *text)
{
    buffer_append_text(text, "\n  ");
    text_escape(member_text(answer, item, "field"), false, "", text);
    struct slice pointer = member_text(answer, item, "pointer");
    if (pointer.size > 0)
        buffer_append_text(text, " at ");
    text_escape(pointer, false, "", text);
    buffer_append_text(text, ": ");
    struct slice detail = member_text(answer, item, "detail");
    text_escape(detail.size > 0 ? detail : member_text(answer, item, "error"), false, "",
                text);
}

/* The code, what it means, and whatever else the hub said of it. */
static void error_append(const struct answer *answer, struct buffer *text)
{
    static const char *const MORE[] = { "detail", "hint" };
    struct slice error = member_text(answer, answer->root, "error");
    text_escape(error, false, "", text);
    for (int code = 0; code < ERROR_CODE_COUNT; code++) {
        if (error.size > 0 && slice_equal(ERROR_ROWS[code].name, error)) {
            buffer_append_text(text, ": ");
            buffer_append_slice(text, ERROR_ROWS[code].text);
        }
    }
    for (size_t i = 0; i < sizeof MORE / sizeof MORE[0]; i++) {
        struct slice more = member_text(answer, answer->root, MORE[i]);
        if (more.size > 0) {
            buffer_append_byte(text, ' ');
            text_escape(more, false, "", text);
        }
    }
    int64_t retry_ms = member_number(answer, answer->root, "retry_after_ms");
    if (retry_ms > 0) {
        char again[64];
        (void)snprintf(again, sizeof again, " Try again in %lld ms.",
                       (long long)retry_ms);
        buffer_append_text(text, again);
    }
    const struct json_node *errors = member_of(answer, answer->root, "errors");
    if (errors == NULL || errors->kind != JSON_ARRAY)
        return;
    for (const struct json_node *item = json_child(answer->tape, errors); item != NULL;
         item = json_after(answer->tape, errors, item))
        error_item_append(answer, item, text);
}

enum outcome answer_tell(const struct invocation *invocation, const struct answer *answer)
{
    if (answer->outcome == OUTCOME_OK)
        return OUTCOME_OK;
    if (answer->problem != NULL)
        return complain(answer->outcome, "%s: %s", invocation->settings.hub,
                        answer->problem);
    if (invocation->json)
        return answer_print(answer);
    /* The hub's own words are for whoever writes the request, not the command line. */
    if (answer->status == 401)
        return complain(
            answer->outcome, "%s: %s", invocation->settings.hub,
            invocation->settings.token == NULL
                ? "a token is needed: --token-file FILE, or $DROVER_TOKEN_FILE"
                : "the token is not valid here: mistyped, revoked, or of "
                  "another hub");
    struct buffer text;
    buffer_init(&text, 65536);
    error_append(answer, &text);
    struct slice said = buffer_slice(&text);
    if (said.size > 0)
        (void)complain(answer->outcome, "%.*s", (int)said.size, said.data);
    else
        (void)complain(answer->outcome, "HTTP %ld: %s", answer->status,
                       outcome_text(answer->outcome));
    buffer_finish(&text);
    return answer->outcome;
}
