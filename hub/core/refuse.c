#include "core/refuse.h"

/* One item of `errors`, in the arena. */
static struct message_list refusal_items(struct step *step, struct slice field,
                                         struct slice error, struct slice detail)
{
    struct message_refusal_item *item = step_take(step, sizeof *item);
    if (item == NULL)
        return (struct message_list){ 0 };
    item->field = field;
    item->error = error;
    item->detail = detail;
    return (struct message_list){ item, 1 };
}

static void refuse_http(struct step *step, const struct refusal *refusal)
{
    const struct error_row *row = &ERROR_ROWS[refusal->code];
    struct message message = { .type = MESSAGE_HTTP_ERROR };
    struct message_http_error *error = &message.as.http_error;
    error->error = row->name;
    error->errors = refusal->errors;
    error->detail = refusal->detail;
    error->status = row->status;
    error->has_status = true;
    step_answer(step, &message, row->status);
}

/* prefix: code, as v1.1 says it for an agent's reports. */
static struct slice error_text(struct step *step, const struct refusal *refusal)
{
    static const struct slice between = SLICE(": ");
    struct slice name = ERROR_ROWS[refusal->code].name;
    if (!slice_is_present(refusal->prefix))
        return name;
    size_t room = refusal->prefix.size + between.size + name.size;
    char *bytes = step_take(step, room);
    if (bytes == NULL)
        return name;
    struct buffer buffer = { .data = bytes, .room = room, .bytes_max = room };
    buffer_append_slice(&buffer, refusal->prefix);
    buffer_append_slice(&buffer, between);
    buffer_append_slice(&buffer, name);
    return buffer_slice(&buffer);
}

static void refuse_socket(struct step *step, const struct refusal *refusal)
{
    const struct message *asked = step->command->message;
    struct message message = { .type = MESSAGE_ERROR };
    struct message_error *error = &message.as.error;
    error->error = error_text(step, refusal);
    error->message_type = asked->type == MESSAGE_EVENTS_PULL
                              ? MESSAGE_ROWS[MESSAGE_EVENTS_SUBSCRIBE].name
                              : MESSAGE_ROWS[asked->type].name;
    error->errors = refusal->errors;
    error->detail = refusal->detail;
    error->task_id = refusal->task_id;
    error->generation = refusal->generation;
    error->has_generation = refusal->has_generation;
    if (asked->type == MESSAGE_TASK_SUBMIT)
        error->request_id = asked->as.task_submit.request_id;
    step_answer(step, &message, 0);
}

void refuse(struct step *step, const struct refusal *refusal)
{
    if (step_is_http(step))
        refuse_http(step, refusal);
    else
        refuse_socket(step, refusal);
}

void step_refuse(struct step *step, enum error_code code)
{
    refuse(step, &(struct refusal){ .code = code });
}

void step_refuse_item(struct step *step, enum error_code code, struct slice field,
                      struct slice error, struct slice detail)
{
    refuse(step, &(struct refusal){
                     .code = code,
                     .errors = refusal_items(step, field, error, detail),
                 });
}

void step_refuse_field(struct step *step, struct slice field, struct slice error,
                       struct slice detail)
{
    step_refuse_item(step, ERROR_VALIDATION_FAILED, field, error, detail);
}
