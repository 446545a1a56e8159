#include "wire/private.h"

#include "base/ensure.h"

#include <string.h>

const struct field *decode_field_find(const struct field_table *table,
                                      enum field_place place, struct slice name)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->fields[i].place == place && slice_equal(table->fields[i].name, name))
            return &table->fields[i];
    return NULL;
}

static void *member_at(void *target, size_t offset)
{
    return (char *)target + offset;
}

static void set_slice(void *target, const struct field *field, struct slice slice)
{
    memcpy(member_at(target, field->offset), &slice, sizeof slice);
}

static void set_present(void *target, const struct field *field)
{
    if (field->has_offset != NOT_PRESENT_TRACKED)
        *(bool *)member_at(target, (size_t)field->has_offset) = true;
}

static bool decode_slice(const struct field *field, struct slice slice,
                         struct arena *arena, void *target)
{
    struct slice copy = arena_copy(arena, slice);
    set_slice(target, field, copy);
    return slice_is_present(copy);
}

static bool decode_integer(const struct field *field, const struct json_node *value,
                           void *target, struct decode_problem *ret_problem)
{
    if (!value->integer || value->value.number > WIRE_INTEGER_MAX ||
        value->value.number < -WIRE_INTEGER_MAX) {
        *ret_problem = (struct decode_problem){ field, value };
        return false;
    }
    memcpy(member_at(target, field->offset), &value->value.number, sizeof(int64_t));
    set_present(target, field);
    return true;
}

static bool decode_texts(const struct json *json, const struct field *field,
                         const struct json_node *value, struct arena *arena, void *target)
{
    /* One item more, so that an empty list that is present has an address. */
    struct slice_list list = { .count = value->count };
    list.items = arena_take_many(arena, list.count + 1, sizeof *list.items);
    if (list.items == NULL)
        return false;
    const struct json_node *item = json_child(json, value);
    for (size_t i = 0; i < list.count; i++) {
        list.items[i] = arena_copy(arena, item->value.text);
        if (!slice_is_present(list.items[i]))
            return false;
        item = json_after(json, value, item);
    }
    memcpy(member_at(target, field->offset), &list, sizeof list);
    return true;
}

static bool decode_nested(const struct json *json, const struct field *field,
                          const struct json_node *value, struct arena *arena,
                          void *target, struct decode_problem *ret_problem)
{
    void *nested = arena_take(arena, field->nested->struct_size);
    if (nested == NULL)
        return false;
    memcpy(member_at(target, field->offset), &nested, sizeof nested);
    return decode_object(json, value, field->nested, FIELD_IN_BODY, arena, nested,
                         ret_problem);
}

static bool decode_objects(const struct json *json, const struct field *field,
                           const struct json_node *value, struct arena *arena,
                           void *target, struct decode_problem *ret_problem)
{
    size_t size = field->nested->struct_size;
    struct message_list list = { .count = value->count };
    list.items = arena_take_many(arena, list.count + 1, size);
    if (list.items == NULL)
        return false;
    const struct json_node *item = json_child(json, value);
    for (size_t i = 0; i < list.count; i++) {
        if (!decode_object(json, item, field->nested, FIELD_IN_BODY, arena,
                           member_at(list.items, i * size), ret_problem))
            return false;
        item = json_after(json, value, item);
    }
    memcpy(member_at(target, field->offset), &list, sizeof list);
    return true;
}

static bool decode_member(const struct json *json, const struct field *field,
                          const struct json_node *value, struct arena *arena,
                          void *target, struct decode_problem *ret_problem)
{
    /* As in v1.1, null is absent. */
    if (value->kind == JSON_NULL)
        return true;

    switch (field->kind) {
    case FIELD_TEXT:
        return decode_slice(field, value->value.text, arena, target);
    case FIELD_OPAQUE:
    case FIELD_MESSAGE: /* begins with its text */
        return decode_slice(field, value->raw, arena, target);
    case FIELD_INTEGER:
        return decode_integer(field, value, target, ret_problem);
    case FIELD_BOOL:
        *(bool *)member_at(target, field->offset) = value->kind == JSON_TRUE;
        set_present(target, field);
        return true;
    case FIELD_TEXTS:
        return decode_texts(json, field, value, arena, target);
    case FIELD_OBJECT:
        return decode_nested(json, field, value, arena, target, ret_problem);
    case FIELD_OBJECTS:
        return decode_objects(json, field, value, arena, target, ret_problem);
    }
    ENSURE(false);
}

bool decode_object(const struct json *json, const struct json_node *object,
                   const struct field_table *table, enum field_place place,
                   struct arena *arena, void *target, struct decode_problem *ret_problem)
{
    *ret_problem = (struct decode_problem){ 0 };
    const struct json_node *key = json_child(json, object);
    while (key != NULL) {
        const struct json_node *value = json_after(json, object, key);
        const struct field *field = decode_field_find(table, place, key->value.text);
        if (field != NULL &&
            !decode_member(json, field, value, arena, target, ret_problem))
            return false;
        key = json_after(json, object, value);
    }
    return true;
}

static void decode_default(const struct field *field, void *target)
{
    if (field->kind == FIELD_TEXT) {
        struct slice present;
        memcpy(&present, member_at(target, field->offset), sizeof present);
        if (!slice_is_present(present))
            set_slice(target, field, field->fallback);
        return;
    }

    int64_t number;
    ENSURE(field->has_offset != NOT_PRESENT_TRACKED);
    ENSURE(slice_parse_i64(field->fallback, &number));
    if (*(bool *)member_at(target, (size_t)field->has_offset))
        return;
    set_present(target, field);
    if (field->kind == FIELD_BOOL)
        *(bool *)member_at(target, field->offset) = number != 0;
    else
        memcpy(member_at(target, field->offset), &number, sizeof number);
}

void decode_defaults(const struct field_table *table, void *target)
{
    for (size_t i = 0; i < table->count; i++)
        if (slice_is_present(table->fields[i].fallback))
            decode_default(&table->fields[i], target);
}
