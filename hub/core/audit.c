#include "core/event.h"
#include "core/handlers.h"

enum {
    PARAMETERS_BYTES_MAX = 512,
    PARAMETER_BYTES_MAX = 64, /* longer texts are cut: they are contents, not names */
};

/* Who may ask nothing but this has no privilege. */
static const uint32_t ORDINARY =
    ROLE_ANYBODY | ROLE_AGENT | ROLE_SUBMITTER | ROLE_VIEWER | ROLE_ENROL;

static void parameter_add(struct buffer *text, const struct field *field,
                          const void *source)
{
    const char *member = (const char *)source + field->offset;
    bool tracked = field->has_offset != NOT_PRESENT_TRACKED;
    bool present = !tracked || *(const bool *)((const char *)source + field->has_offset);
    struct slice value = { NULL, 0 };
    int64_t number = 0;
    if (field->kind == FIELD_TEXT)
        memcpy(&value, member, sizeof value);
    else if (field->kind == FIELD_INTEGER && present)
        memcpy(&number, member, sizeof number);
    else if (field->kind == FIELD_BOOL && present)
        value = *(const bool *)member ? SLICE_OF("true") : SLICE_OF("false");
    else
        return;
    if (field->kind != FIELD_INTEGER && !slice_is_present(value))
        return;

    if (text->size > 0)
        buffer_append_slice(text, SLICE_OF(" "));
    buffer_append_slice(text, field->name);
    buffer_append_byte(text, '=');
    if (field->kind == FIELD_INTEGER)
        buffer_append_i64(text, number);
    else
        buffer_append_slice(text, slice_cut(value, PARAMETER_BYTES_MAX));
}

/* Names and values as far as they fit; what is secret or long stays out. */
static struct slice parameters_text(struct step *step)
{
    const struct message *message = step->command->message;
    const struct field_table *table = MESSAGE_ROWS[message->type].table;
    char *room = step_take(step, PARAMETERS_BYTES_MAX);
    struct buffer text = { .data = room,
                           .room = PARAMETERS_BYTES_MAX,
                           .bytes_max = PARAMETERS_BYTES_MAX };
    for (size_t i = 0; room != NULL && i < table->count; i++) {
        struct buffer before = text;
        if (!table->fields[i].secret)
            parameter_add(&text, &table->fields[i], &message->as);
        if (buffer_failed(&text))
            text = before;
    }
    return room == NULL ? SLICE_OF("") : buffer_slice(&text);
}

static const struct effect *answer_find(const struct step *step)
{
    const struct effect *effect = step->effects->first;
    while (effect != NULL && effect->kind != EFFECT_ANSWER)
        effect = effect->next;
    return effect;
}

void event_audit(struct step *step)
{
    const struct message_row *asked = &MESSAGE_ROWS[step->command->message->type];
    if (!step_is_http(step) || asked->kind != KIND_COMMAND ||
        (asked->roles & ORDINARY) != 0 || step->event_tail.audits > 0)
        return;

    struct message event = { .type = MESSAGE_EVENT_ACTION };
    struct message_event_action *action = &event.as.event_action;
    const struct effect *answer = answer_find(step);
    *action = (struct message_event_action){
        .action = asked->name,
        .parameters = parameters_text(step),
    };
    if (answer != NULL) {
        const struct message *said = &answer->message;
        action->status =
            answer->status != 0 ? answer->status : MESSAGE_ROWS[said->type].status;
        if (said->type == MESSAGE_HTTP_ERROR)
            action->error = said->as.http_error.error;
    }
    /* A trial, or what was so before: nothing was done. */
    if (step->changes == 0 && !slice_is_present(action->error))
        return;
    event_add(step, &event);
}

void on_door_action(struct step *step, const struct message_door_action *message)
{
    struct message event = { .type = MESSAGE_EVENT_ACTION };
    event.as.event_action = (struct message_event_action){
        .action = message->action,
        .parameters = message->parameters,
        .status = message->status,
        .error = message->error,
    };
    event_add(step, &event);
}
