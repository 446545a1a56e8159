#include "schemac/document.h"

#include <string.h>

/* The version of AgentCom's contract that this form belongs to. */
static const char CONTRACT[] = "1.0";

static const char *type_of(const struct shape_field *field)
{
    switch (field->kind) {
    case KIND_TEXT:
        return "string";
    case KIND_INTEGER:
        return json_integer_value(json_object_get(field->schema, "minimum")) > 0
                   ? "positive_integer"
                   : "integer";
    case KIND_BOOL:
        return "boolean";
    case KIND_TEXTS:
        return "array<string>";
    case KIND_OBJECTS:
        return "array<object>";
    case KIND_OBJECT:
        return "object";
    case KIND_OPAQUE:
    case KIND_MESSAGE:
        break;
    }
    return json_array_size(json_object_get(field->schema, "type")) > 2 ? "any" : "object";
}

static json_t *member(const char *name, const char *type)
{
    json_t *member = json_object();
    document_set(member, "name", json_string(name));
    document_set(member, "type", json_string(type));
    return member;
}

static json_t *describe(const struct unit *unit)
{
    json_t *required = json_array();
    json_t *optional = json_array();
    if (unit->direction == UNIT_SOCKET_IN)
        json_array_append_new(required, member("type", "string"));
    for (size_t i = 0; i < unit->shape->count; i++) {
        const struct shape_field *field = &unit->shape->fields[i];
        if (field->place == PLACE_BODY && !field->unsent)
            json_array_append_new(field->required ? required : optional,
                                  member(field->wire, type_of(field)));
    }
    json_t *described = json_object();
    document_set(described, "description", json_string(unit->summary));
    document_set(described, "required_fields", required);
    document_set(described, "optional_fields", optional);
    return described;
}

json_t *discovery_make(const struct model *model)
{
    json_t *websocket = json_object();
    json_t *http = json_object();
    for (size_t i = 0; i < model->unit_count; i++) {
        const struct unit *unit = &model->units[i];
        if (unit->direction == UNIT_SOCKET_IN)
            document_set(websocket, unit->wire, describe(unit));
        else if (unit->direction == UNIT_REQUEST && unit->schemas[SCHEMA_BODY] != NULL)
            document_set(http, unit->wire, describe(unit));
    }
    json_t *schemas = json_object();
    document_set(schemas, "websocket", websocket);
    document_set(schemas, "http", http);
    document_set(schemas, "version", json_string(CONTRACT));
    json_t *root = json_object();
    document_set(root, "schemas", schemas);
    document_set(root, "version", json_string(CONTRACT));
    return root;
}
