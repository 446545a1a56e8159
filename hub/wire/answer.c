#include "wire/private.h"

#include "base/ensure.h"

static size_t known_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < MESSAGE_COUNT; i++)
        count += i != MESSAGE_NONE && MESSAGE_ROWS[i].direction == DIRECTION_SOCKET_IN;
    return count;
}

/* The types a client may send, sorted: the rows are. */
static struct slice_list known_types(struct arena *arena)
{
    struct slice_list list = { .count = known_count() };
    list.items = arena_take_many(arena, list.count, sizeof *list.items);
    if (list.items == NULL)
        return (struct slice_list){ 0 };
    size_t at = 0;
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++)
        if (MESSAGE_ROWS[i].direction == DIRECTION_SOCKET_IN)
            list.items[at++] = MESSAGE_ROWS[i].name;
    ENSURE(at == list.count);
    return list;
}

static struct message_list items_of(const struct refusal *refusal, struct arena *arena)
{
    struct message_list list = { 0 };
    if (refusal->item_count == 0)
        return list;
    struct message_refusal_item *items =
        arena_take_many(arena, refusal->item_count, sizeof *items);
    if (items == NULL)
        return list;
    for (size_t i = 0; i < refusal->item_count; i++) {
        items[i].field = refusal->items[i].field;
        items[i].error = refusal->items[i].error;
        items[i].detail = refusal->items[i].detail;
        items[i].value = refusal->items[i].value;
        if (refusal->unknown_type)
            items[i].known_types = known_types(arena);
    }
    list.items = items;
    list.count = refusal->item_count;
    return list;
}

void wire_refusal_message(const struct refusal *refusal, bool http, struct arena *arena,
                          struct message *ret_message)
{
    wire_error_message(refusal->code, http, ret_message);
    struct message_list errors = items_of(refusal, arena);
    bool located = refusal->code == ERROR_INVALID_JSON;
    if (http) {
        struct message_http_error *error = &ret_message->as.http_error;
        error->errors = errors;
        error->message_type = refusal->message_type;
        error->detail = refusal->text;
        error->offset = (int64_t)refusal->offset;
        error->has_offset = located;
    } else {
        struct message_error *error = &ret_message->as.error;
        error->errors = errors;
        error->message_type = refusal->message_type;
        error->detail = refusal->text;
        error->offset = (int64_t)refusal->offset;
        error->has_offset = located;
    }
}

void wire_error_message(enum error_code code, bool http, struct message *ret_message)
{
    ENSURE(code > ERROR_NONE && code < ERROR_CODE_COUNT);
    const struct error_row *row = &ERROR_ROWS[code];
    if (!http) {
        *ret_message = (struct message){ .type = MESSAGE_ERROR };
        ret_message->as.error.error = row->name;
        return;
    }
    *ret_message = (struct message){ .type = MESSAGE_HTTP_ERROR };
    ret_message->as.http_error.error = row->name;
    ret_message->as.http_error.status = row->status;
    ret_message->as.http_error.has_status = true;
    if (code == ERROR_UNAUTHORIZED)
        ret_message->as.http_error.hint = row->text;
}
