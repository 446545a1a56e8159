#include "wire/wire.h"

#include "base/ensure.h"

#include <string.h>

static void render_fields(struct json_writer *writer, const struct field_table *table,
                          const void *source);

static struct slice slice_at(const void *source, const struct field *field)
{
    struct slice slice;
    memcpy(&slice, (const char *)source + field->offset, sizeof slice);
    return slice;
}

static struct message_list list_at(const void *source, const struct field *field)
{
    struct message_list list;
    memcpy(&list, (const char *)source + field->offset, sizeof list);
    return list;
}

static struct message_member member_of(const void *source, const struct field *field)
{
    struct message_member member;
    memcpy(&member, (const char *)source + field->offset, sizeof member);
    return member;
}

static bool is_present(const void *source, const struct field *field)
{
    const char *bytes = source;
    const void *pointer;
    switch (field->kind) {
    case FIELD_INTEGER:
    case FIELD_BOOL:
        return field->has_offset == NOT_PRESENT_TRACKED ||
               *(const bool *)(bytes + field->has_offset);
    case FIELD_TEXT:
    case FIELD_OPAQUE:
        return slice_is_present(slice_at(source, field));
    case FIELD_MESSAGE:
        return member_of(source, field).message != NULL ||
               slice_is_present(member_of(source, field).text);
    case FIELD_TEXTS:
    case FIELD_OBJECT:
    case FIELD_OBJECTS:
        /* All three begin with the pointer that says so. */
        memcpy(&pointer, bytes + field->offset, sizeof pointer);
        return pointer != NULL;
    }
    ENSURE(false);
}

/* A required member its author left empty still goes out in its own type. */
static void render_empty(struct json_writer *writer, const struct field *field)
{
    if (field->nullable) {
        json_null(writer);
    } else if (field->kind == FIELD_TEXT) {
        json_string(writer, SLICE_OF(""));
    } else if (field->kind == FIELD_OPAQUE || field->kind == FIELD_MESSAGE) {
        json_raw(writer, SLICE_OF("{}"));
    } else {
        ENSURE(field->kind == FIELD_TEXTS || field->kind == FIELD_OBJECTS);
        json_array_begin(writer);
        json_array_end(writer);
    }
}

static void render_texts(struct json_writer *writer, const void *source,
                         const struct field *field)
{
    struct slice_list list;
    memcpy(&list, (const char *)source + field->offset, sizeof list);
    json_array_begin(writer);
    for (size_t i = 0; i < list.count; i++)
        json_string(writer, list.items[i]);
    json_array_end(writer);
}

static void render_objects(struct json_writer *writer, const void *source,
                           const struct field *field)
{
    struct message_list list = list_at(source, field);
    json_array_begin(writer);
    for (size_t i = 0; i < list.count; i++)
        render_fields(writer, field->nested,
                      (const char *)list.items + i * field->nested->struct_size);
    json_array_end(writer);
}

static void render_message(struct json_writer *writer, struct message_member member)
{
    if (member.message == NULL)
        json_raw(writer, member.text);
    else
        render_fields(writer, MESSAGE_ROWS[member.message->type].table,
                      &member.message->as);
}

static void render_value(struct json_writer *writer, const void *source,
                         const struct field *field)
{
    const char *member = (const char *)source + field->offset;
    int64_t number;
    const void *nested;
    switch (field->kind) {
    case FIELD_TEXT:
        json_string(writer, slice_at(source, field));
        return;
    case FIELD_OPAQUE:
        json_raw(writer, slice_at(source, field));
        return;
    case FIELD_INTEGER:
        memcpy(&number, member, sizeof number);
        json_i64(writer, number);
        return;
    case FIELD_BOOL:
        json_bool(writer, *(const bool *)member);
        return;
    case FIELD_TEXTS:
        render_texts(writer, source, field);
        return;
    case FIELD_OBJECT:
        memcpy(&nested, member, sizeof nested);
        render_fields(writer, field->nested, nested);
        return;
    case FIELD_OBJECTS:
        render_objects(writer, source, field);
        return;
    case FIELD_MESSAGE:
        render_message(writer, member_of(source, field));
        return;
    }
    ENSURE(false);
}

static void render_members(struct json_writer *writer, const struct field_table *table,
                           const void *source)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        if (field->place != FIELD_IN_BODY)
            continue;
        bool present = is_present(source, field);
        if (!present && !field->required)
            continue;
        json_key(writer, field->name);
        if (present)
            render_value(writer, source, field);
        else
            render_empty(writer, field);
    }
}

static void render_fields(struct json_writer *writer, const struct field_table *table,
                          const void *source)
{
    json_object_begin(writer);
    render_members(writer, table, source);
    json_object_end(writer);
}

void wire_render(const struct message *message, struct buffer *buffer)
{
    ENSURE(message->type > MESSAGE_NONE && message->type < MESSAGE_COUNT);
    const struct message_row *row = &MESSAGE_ROWS[message->type];
    struct json_writer writer;
    json_writer_init(&writer, buffer);
    json_object_begin(&writer);
    if (row->direction == DIRECTION_SOCKET_IN || row->direction == DIRECTION_SOCKET_OUT) {
        json_key_text(&writer, "type");
        json_string(&writer, row->name);
    }
    render_members(&writer, row->table, &message->as);
    json_object_end(&writer);
}
