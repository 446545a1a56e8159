#include "schemac/model.h"

#include "schemac/fail.h"

#include <stdlib.h>
#include <string.h>

/* Tags that message/ uses for other things than messages. */
static const char *const RESERVED[] = { "list", "row",       "kind",       "type",
                                        "tier", "direction", "slow_reader" };

static bool schema_has_type(const json_t *schema, const char *type)
{
    const json_t *types = json_object_get(schema, "type");
    if (json_is_string(types))
        return strcmp(json_string_value(types), type) == 0;
    for (size_t i = 0; i < json_array_size(types); i++)
        if (strcmp(json_string_value(json_array_get(types, i)), type) == 0)
            return true;
    return false;
}

struct shape *shape_create(struct model *model, const char *name)
{
    for (size_t i = 0; i < sizeof RESERVED / sizeof RESERVED[0]; i++)
        if (strcmp(name, RESERVED[i]) == 0)
            fail(name, "the name is taken by message/");
    for (size_t i = 0; i < model->shape_count; i++)
        if (strcmp(model->shapes[i]->name, name) == 0)
            fail(name, "two structs would have this name");
    if (model->shape_count == SHAPES_MAX)
        fail(name, "too many structs");

    struct shape *shape = calloc(1, sizeof *shape);
    if (shape == NULL)
        fail(name, "no memory");
    join(shape->name, sizeof shape->name, name, "", "");
    model->shapes[model->shape_count++] = shape;
    return shape;
}

struct shape *shape_for(struct model *model, const json_t *schema, const char *name)
{
    const char *def = json_string_value(json_object_get(schema, "x-def"));
    for (size_t i = 0; def != NULL && i < model->shape_count; i++)
        if (strcmp(model->shapes[i]->name, def) == 0)
            return model->shapes[i];

    struct shape *shape = shape_create(model, def != NULL ? def : name);
    shape_add(model, shape, schema, PLACE_BODY, false);
    return shape;
}

/* idempotency-key becomes idempotency_key. */
static void member_name(char *target, const char *wire)
{
    size_t size = strlen(wire);
    if (size >= NAME_BYTES)
        fail(wire, "the name is too long");
    if (strspn(wire, "abcdefghijklmnopqrstuvwxyz0123456789_-") != size)
        fail(wire, "a name is made of lower-case letters, digits, _ and -");
    for (size_t i = 0; i <= size; i++)
        target[i] = (char)(wire[i] == '-' ? '_' : wire[i]);
}

static void field_of_array(struct model *model, const struct shape *owner,
                           struct shape_field *field)
{
    const json_t *items = json_object_get(field->schema, "items");
    if (schema_has_type(items, "string")) {
        field->kind = KIND_TEXTS;
    } else if (schema_has_type(items, "object")) {
        char name[NAME_BYTES];
        join(name, sizeof name, owner->name, "_", field->member);
        field->kind = KIND_OBJECTS;
        field->nested = shape_for(model, items, name);
    } else {
        fail(owner->name, "%s: a list holds texts or objects", field->wire);
    }
}

static void field_kind_find(struct model *model, const struct shape *owner,
                            struct shape_field *field)
{
    const json_t *schema = field->schema;
    if (json_is_true(json_object_get(schema, "x-message"))) {
        field->kind = KIND_MESSAGE;
    } else if (json_is_true(json_object_get(schema, "x-opaque"))) {
        field->kind = KIND_OPAQUE;
    } else if (schema_has_type(schema, "string")) {
        field->kind = KIND_TEXT;
    } else if (schema_has_type(schema, "integer")) {
        field->kind = KIND_INTEGER;
    } else if (schema_has_type(schema, "boolean")) {
        field->kind = KIND_BOOL;
    } else if (schema_has_type(schema, "array")) {
        field_of_array(model, owner, field);
    } else if (schema_has_type(schema, "object")) {
        char name[NAME_BYTES];
        join(name, sizeof name, owner->name, "_", field->member);
        field->kind = KIND_OBJECT;
        field->nested = shape_for(model, schema, name);
    } else {
        fail(owner->name, "%s: no type that has a C form", field->wire);
    }
}

static bool is_required(const json_t *schema, const char *name)
{
    const json_t *required = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(required); i++)
        if (strcmp(json_string_value(json_array_get(required, i)), name) == 0)
            return true;
    return false;
}

static void required_check(const struct shape *shape, const json_t *schema)
{
    const json_t *required = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *name = json_string_value(json_array_get(required, i));
        if (json_object_get(json_object_get(schema, "properties"), name) == NULL)
            fail(shape->name, "\"%s\" is required but no property", name);
    }
}

void shape_add(struct model *model, struct shape *shape, const json_t *schema,
               enum field_place place, bool socket)
{
    if (!schema_has_type(schema, "object"))
        fail(shape->name, "not an object");
    required_check(shape, schema);

    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(schema, "properties"), key, value)
    {
        if (socket && strcmp(key, "type") == 0)
            continue;
        if (shape->count == FIELDS_MAX)
            fail(shape->name, "too many members");
        struct shape_field *field = &shape->fields[shape->count++];
        join(field->wire, sizeof field->wire, key, "", "");
        member_name(field->member, key);
        for (size_t i = 0; i + 1 < shape->count; i++)
            if (strcmp(shape->fields[i].member, field->member) == 0)
                fail(shape->name, "two members named %s", field->member);
        field->place = place;
        field->schema = value;
        field->required = is_required(schema, key);
        field->takes_null = schema_has_type(value, "null");
        field->secret = json_is_true(json_object_get(value, "x-secret"));
        field->unsent = json_is_true(json_object_get(value, "x-unsent"));
        field_kind_find(model, shape, field);
        /* v1.1 reads null as absent: say so in the schema, where every tool sees it. */
        if (place == PLACE_BODY && !field->required && !field->takes_null &&
            field->kind != KIND_OBJECT)
            fail(shape->name, "%s: what may be absent must accept null", field->wire);
    }
}
