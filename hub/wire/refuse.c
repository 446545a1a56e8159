#include "wire/private.h"

#include <string.h>

enum {
    FIELD_BYTES_MAX = 256,     /* of an item's field name */
    DETAIL_BYTES_MAX = 512,    /* of an item's detail */
    ECHO_CHARACTERS_MAX = 50,  /* of an offending text, as in v1.1 */
    ECHO_BYTES_MAX = 64,       /* of any other offending value */
    ECHO_TEXT_BYTES_MAX = 512, /* what the fifty characters and their escapes need */
};

/* The first characters of a text, never cutting one in two. */
static struct slice cut(struct slice text)
{
    size_t characters = 0;
    for (size_t i = 0; i < text.size; i++) {
        bool starts = ((unsigned char)text.data[i] & 0xc0) != 0x80;
        if (starts && ++characters > ECHO_CHARACTERS_MAX)
            return slice_make(text.data, i);
    }
    return text;
}

/* The value as JSON text; what is long becomes the beginning of itself as a string. */
static struct slice echo(struct arena *arena, const struct json_node *value)
{
    if (value->kind != JSON_STRING && value->raw.size <= ECHO_BYTES_MAX)
        return arena_copy(arena, value->raw);

    struct slice text = value->kind == JSON_STRING ? value->value.text : value->raw;
    struct slice start = cut(text);
    if (value->kind == JSON_STRING && start.size == text.size)
        return arena_copy(arena, value->raw);

    struct buffer shown;
    struct buffer json;
    struct json_writer writer;
    buffer_init(&shown, ECHO_TEXT_BYTES_MAX);
    buffer_init(&json, ECHO_TEXT_BYTES_MAX);
    buffer_append_slice(&shown, start);
    buffer_append_text(&shown, "...");
    json_writer_init(&writer, &json);
    json_string(&writer, buffer_slice(&shown));
    struct slice copy = { 0 };
    if (!buffer_failed(&shown) && !buffer_failed(&json))
        copy = arena_copy(arena, buffer_slice(&json));
    buffer_finish(&json);
    buffer_finish(&shown);
    return copy;
}

/* "needed_capabilities[2]" and "needed_capabilities[5]" speak of the same field. */
static struct slice field_stem(struct slice field)
{
    return slice_make(field.data, slice_find(field, '['));
}

static bool has_item(const struct refusal *refusal, struct slice field)
{
    for (size_t i = 0; i < refusal->item_count; i++)
        if (slice_equal(field_stem(refusal->items[i].field), field_stem(field)))
            return true;
    return false;
}

void refusal_add(struct refusal *refusal, struct arena *arena, struct slice field,
                 const char *error, struct slice detail, const struct json_node *value)
{
    refusal->code = ERROR_VALIDATION_FAILED;
    if (refusal->item_count == REFUSAL_ITEMS_MAX || has_item(refusal, field))
        return;
    refusal->items[refusal->item_count++] = (struct refusal_item){
        .field = arena_copy(arena, field),
        .error = slice_from_text(error),
        .detail = arena_copy(arena, detail),
        .value = value == NULL ? (struct slice){ 0 } : echo(arena, value),
    };
}

/* A name under construction; what does not fit is left out. */
struct name {
    char bytes[FIELD_BYTES_MAX];
    size_t size;
};

static void name_add(struct name *name, struct slice text)
{
    if (text.size > sizeof name->bytes - name->size)
        text.size = sizeof name->bytes - name->size;
    if (text.size > 0)
        memcpy(name->bytes + name->size, text.data, text.size);
    name->size += text.size;
}

static void name_add_segment(struct name *name, struct slice segment)
{
    uint64_t index;
    if (name->size > 0 && slice_parse_u64(segment, &index)) {
        name_add(name, SLICE_OF("["));
        name_add(name, segment);
        name_add(name, SLICE_OF("]"));
        return;
    }
    if (name->size > 0)
        name_add(name, SLICE_OF("."));
    name_add(name, segment);
}

/* "/needed_capabilities/2" becomes "needed_capabilities[2]". */
static void name_of(struct name *name, struct slice pointer)
{
    name->size = 0;
    while (pointer.size > 0) {
        struct slice rest = slice_skip(pointer, 1);
        size_t end = slice_find(rest, '/');
        name_add_segment(name, slice_make(rest.data, end));
        pointer = slice_skip(rest, end);
    }
}

static const char *const EXPECTED[] = {
    [FIELD_TEXT] = "expected string",           [FIELD_INTEGER] = "expected integer",
    [FIELD_BOOL] = "expected boolean",          [FIELD_OPAQUE] = "expected object",
    [FIELD_TEXTS] = "expected array<string>",   [FIELD_OBJECT] = "expected object",
    [FIELD_OBJECTS] = "expected array<object>", [FIELD_MESSAGE] = "expected object",
};

/* The field of the table that a name begins with, wherever it comes from. */
static const struct field *field_of(const struct field_table *table, struct slice name)
{
    size_t end = 0;
    while (end < name.size && name.data[end] != '[' && name.data[end] != '.')
        end++;
    for (size_t i = 0; table != NULL && i < table->count; i++)
        if (slice_equal_text(slice_make(name.data, end), table->fields[i].name.data))
            return &table->fields[i];
    return NULL;
}

static struct slice expectation(const struct field *field, struct slice name)
{
    if (field == NULL)
        return SLICE_OF("expected another type");
    if (field->kind == FIELD_TEXTS && slice_find(name, '[') < name.size)
        return SLICE_OF("expected string");
    return slice_from_text(EXPECTED[field->kind]);
}

/* Does the pointer end in an item of a list? */
static bool is_item(struct slice pointer)
{
    uint64_t index;
    size_t last = pointer.size;
    while (last > 0 && pointer.data[last - 1] != '/')
        last--;
    return slice_parse_u64(slice_skip(pointer, last), &index);
}

/* v1.1's word for a broken assertion. A member that is null is missing; an item is not. */
static const char *error_of(const struct schema_violation *violation)
{
    if (slice_equal_text(violation->keyword, "required"))
        return "required";
    if (slice_equal_text(violation->keyword, "type"))
        return violation->value->kind == JSON_NULL &&
                       !is_item(violation->instance_location)
                   ? "required"
                   : "wrong_type";
    if (slice_equal_text(violation->keyword, "maxLength"))
        return "too_long";
    return "invalid_value";
}

static struct slice detail_of(const struct schema_violation *violation,
                              const struct json *schema, struct buffer *buffer)
{
    if (schema != NULL && explain_violation(schema, violation, buffer))
        return buffer_slice(buffer);
    return violation->detail.size > 0 ? violation->detail
                                      : SLICE_OF("not an allowed value");
}

static void violation_add(struct refusal *refusal, struct arena *arena,
                          const struct schema_violation *violation, const char *error,
                          const struct field_table *table, const struct json *schema)
{
    struct name name;
    name_of(&name, violation->instance_location);
    if (slice_equal_text(violation->keyword, "required"))
        name_add_segment(&name, violation->detail);

    struct slice field_name = slice_make(name.bytes, name.size);
    const struct field *field = field_of(table, field_name);
    const struct json_node *value = violation->value;
    struct buffer buffer;
    struct slice detail;
    buffer_init(&buffer, DETAIL_BYTES_MAX);
    if (strcmp(error, "required") == 0) {
        detail = SLICE_OF("field is required");
        value = NULL;
    } else if (strcmp(error, "wrong_type") == 0) {
        detail = expectation(field, field_name);
    } else {
        detail = detail_of(violation, schema, &buffer);
    }
    if (field != NULL && field->secret)
        value = NULL;
    refusal_add(refusal, arena, field_name, error, detail, value);
    buffer_finish(&buffer);
}

void refusal_add_violations(struct refusal *refusal, struct arena *arena,
                            const struct schema_run *run, const struct field_table *table,
                            const struct json *schema)
{
    /* What is missing first, then what has the wrong type: of several complaints about
     * one field the plainest is the one that is kept. */
    static const char *const ORDER[] = { "required", "wrong_type", "too_long",
                                         "invalid_value" };
    refusal->code = ERROR_VALIDATION_FAILED;
    for (size_t k = 0; k < sizeof ORDER / sizeof ORDER[0]; k++) {
        for (size_t i = 0; i < schema_violation_count(run); i++) {
            const struct schema_violation *violation = schema_violation_at(run, i);
            const char *error = error_of(violation);
            if (strcmp(error, ORDER[k]) == 0)
                violation_add(refusal, arena, violation, error, table, schema);
        }
    }
}

void refusal_add_decode_problem(struct refusal *refusal, struct arena *arena,
                                const struct decode_problem *problem)
{
    if (problem->field == NULL) {
        refusal->code = ERROR_UNAVAILABLE;
        return;
    }
    if (problem->value->integer)
        refusal_add(refusal, arena, problem->field->name, "invalid_value",
                    SLICE_OF("beyond the integers that every JSON tool reads alike"),
                    problem->value);
    else
        refusal_add(refusal, arena, problem->field->name, "wrong_type",
                    SLICE_OF("expected integer"), problem->value);
}
