#include "schemac/emit.h"

#include "schemac/document.h"
#include "schemac/fail.h"

#include <stdlib.h>
#include <string.h>

static const char *const KINDS[] = {
    [KIND_TEXT] = "FIELD_TEXT",       [KIND_INTEGER] = "FIELD_INTEGER",
    [KIND_BOOL] = "FIELD_BOOL",       [KIND_OPAQUE] = "FIELD_OPAQUE",
    [KIND_TEXTS] = "FIELD_TEXTS",     [KIND_OBJECT] = "FIELD_OBJECT",
    [KIND_OBJECTS] = "FIELD_OBJECTS", [KIND_MESSAGE] = "FIELD_MESSAGE",
};

static const char *const PLACES[] = {
    [PLACE_BODY] = "FIELD_IN_BODY",
    [PLACE_PATH] = "FIELD_IN_PATH",
    [PLACE_QUERY] = "FIELD_IN_QUERY",
    [PLACE_HEADER] = "FIELD_IN_HEADER",
};

static const char *const DIRECTIONS[] = {
    [UNIT_SOCKET_IN] = "DIRECTION_SOCKET_IN",  [UNIT_SOCKET_OUT] = "DIRECTION_SOCKET_OUT",
    [UNIT_REQUEST] = "DIRECTION_HTTP_REQUEST", [UNIT_ANSWER] = "DIRECTION_HTTP_ANSWER",
    [UNIT_INTERNAL] = "DIRECTION_INTERNAL",    [UNIT_EVENT] = "DIRECTION_EVENT",
};

static const char *const UNIT_KINDS[] = {
    [UNIT_COMMAND] = "KIND_COMMAND",
    [UNIT_QUERY] = "KIND_QUERY",
    [UNIT_NOTICE] = "KIND_NOTICE",
    [UNIT_DOOR] = "KIND_DOOR",
};

static const char *const ROLES[] = { "anybody", "agent",    "submitter",
                                     "viewer",  "operator", "admin",
                                     "enrol",   "hub",      "bootstrap" };
static const char *const TIERS[] = { "none", "light", "normal", "heavy", "report" };
static const char *const SLOW_READERS[] = { "close", "drop" };
static const char *const ROOMS[] = { "any", "work", "job" };
static const char *const CLASSES[] = { "task", "agent", "message", "audit", "hub" };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *known(const char *word, const char *const *words, size_t count,
                         const char *where)
{
    for (size_t i = 0; word != NULL && i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return word;
    fail(where, "\"%s\" is no word for this", word == NULL ? "" : word);
}

static void fallback(FILE *file, const struct shape *shape,
                     const struct shape_field *field)
{
    const json_t *value = json_object_get(field->schema, "default");
    if (value == NULL)
        return;
    fputs(", .fallback = SLICE(", file);
    if (field->kind == KIND_TEXT && json_is_string(value))
        emit_literal(file, json_string_value(value));
    else if (field->kind == KIND_INTEGER && json_is_integer(value))
        fprintf(file, "\"%" JSON_INTEGER_FORMAT "\"", json_integer_value(value));
    else if (field->kind == KIND_BOOL && json_is_boolean(value))
        fprintf(file, "\"%d\"", json_is_true(value));
    else
        fail(shape->name, "%s: a default that has no C form", field->wire);
    fputc(')', file);
}

static void field_row(FILE *file, const struct shape *shape,
                      const struct shape_field *field)
{
    bool tracked = (field->kind == KIND_INTEGER || field->kind == KIND_BOOL) &&
                   (!field->required || field->takes_null);
    fprintf(file, "    { .name = SLICE(\"%s\"), .kind = %s, .place = %s,\n", field->wire,
            KINDS[field->kind], PLACES[field->place]);
    fprintf(file, "      .required = %s, .nullable = %s, .secret = %s,\n",
            field->required ? "true" : "false",
            field->required && field->takes_null ? "true" : "false",
            field->secret ? "true" : "false");
    fprintf(file, "      .offset = offsetof(struct message_%s, %s),\n", shape->name,
            field->member);
    if (tracked)
        fprintf(file, "      .has_offset = (int32_t)offsetof(struct message_%s, has_%s)",
                shape->name, field->member);
    else
        fputs("      .has_offset = NOT_PRESENT_TRACKED", file);
    if (field->nested != NULL)
        fprintf(file, ", .nested = &TABLE_%s", field->nested->name);
    fallback(file, shape, field);
    fputs(" },\n", file);
}

static void field_tables(FILE *file, const struct model *model)
{
    for (size_t i = 0; i < model->shape_count; i++)
        fprintf(file, "static const struct field_table TABLE_%s;\n",
                model->shapes[i]->name);
    for (size_t i = 0; i < model->shape_count; i++) {
        const struct shape *shape = model->shapes[i];
        size_t sent = 0;
        for (size_t k = 0; k < shape->count; k++)
            sent += !shape->fields[k].unsent;
        if (sent > 0) {
            fprintf(file, "\nstatic const struct field FIELDS_%s[] = {\n", shape->name);
            for (size_t k = 0; k < shape->count; k++)
                if (!shape->fields[k].unsent)
                    field_row(file, shape, &shape->fields[k]);
            fputs("};\n", file);
        }
        fprintf(file, "\nstatic const struct field_table TABLE_%s = {\n    ",
                shape->name);
        if (sent > 0)
            fprintf(file, "FIELDS_%s", shape->name);
        else
            fputs("NULL", file);
        fprintf(file, ", %zu, sizeof(struct message_%s)\n};\n", sent, shape->name);
    }
}

static void roles(FILE *file, const struct unit *unit)
{
    if (json_array_size(unit->roles) == 0)
        fail(unit->name, "nobody may send this");
    fputs("      .roles = ", file);
    for (size_t i = 0; i < json_array_size(unit->roles); i++) {
        const char *role = json_string_value(json_array_get(unit->roles, i));
        fputs(i > 0 ? " | ROLE_" : "ROLE_", file);
        emit_upper(file, known(role, ROLES, COUNT(ROLES), unit->name));
    }
    fputs(",\n", file);
}

static void schema_member(FILE *file, const struct unit *unit, size_t place)
{
    static const char *const MEMBERS[SCHEMA_PLACES] = { "schema", "schema_path",
                                                        "schema_query",
                                                        "schema_headers" };
    if (unit->schemas[place] == NULL)
        return;
    char *text = emit_schema_text(unit->schemas[place]);
    fprintf(file, "      .%s = { ", MEMBERS[place]);
    emit_schema_name(file, unit, place);
    fprintf(file, ", %zu },\n", strlen(text));
    free(text);
}

static void document_member(FILE *file, const struct model *model,
                            const struct unit *unit)
{
    if (unit->document == NULL)
        return;
    size_t document = document_find(unit->document, unit->name);
    fputs("      .document = { ", file);
    emit_document_name(file, document);
    fprintf(file, ", %zu },\n", strlen(model->documents[document]));
}

static void message_row(FILE *file, const struct model *model, const struct unit *unit)
{
    fputs("    [MESSAGE_", file);
    emit_upper(file, unit->name);
    fprintf(file, "] = {\n      .name = SLICE(\"%s\"), .direction = %s, .kind = %s,\n",
            unit->wire, DIRECTIONS[unit->direction], UNIT_KINDS[unit->kind]);
    fputs("      .tier = TIER_", file);
    emit_upper(file, known(unit->tier, TIERS, COUNT(TIERS), unit->name));
    fputs(", .slow_reader = SLOW_READER_", file);
    emit_upper(file,
               known(unit->slow_reader, SLOW_READERS, COUNT(SLOW_READERS), unit->name));
    fputs(",\n", file);
    fputs("      .room = ROOM_", file);
    emit_upper(file, known(unit->room, ROOMS, COUNT(ROOMS), unit->name));
    fputs(",\n", file);
    if (unit->event_class != NULL) {
        fputs("      .event_class = EVENT_CLASS_", file);
        emit_upper(file, known(unit->event_class, CLASSES, COUNT(CLASSES), unit->name));
        fputs(",\n", file);
    }
    if (unit->kind != UNIT_NOTICE)
        roles(file, unit);
    if (unit->scope != NULL) {
        fputs("      .scopes = UINT64_C(1) << SCOPE_", file);
        emit_upper(file, unit->scope);
        fputs(",\n", file);
    }
    if (unit->method != NULL)
        fprintf(file, "      .method = SLICE(\"%s\"), .path = SLICE(\"%s\"),\n",
                unit->method, unit->path);
    fprintf(file, "      .status = %d, .table = &TABLE_%s,\n", unit->status,
            unit->shape->name);
    if (unit->invalid != NULL) {
        fputs("      .invalid = ERROR_", file);
        emit_upper(file, unit->invalid);
        fputs(",\n", file);
    }
    for (size_t place = 0; place < SCHEMA_PLACES; place++)
        schema_member(file, unit, place);
    document_member(file, model, unit);
    fputs("      .summary = SLICE(", file);
    emit_literal(file, unit->summary);
    fputs(") },\n", file);
}

static void schema_declarations(FILE *file, const struct model *model)
{
    for (size_t i = 0; i < model->unit_count; i++) {
        for (size_t place = 0; place < SCHEMA_PLACES; place++) {
            if (model->units[i].schemas[place] == NULL)
                continue;
            fputs("extern const char ", file);
            emit_schema_name(file, &model->units[i], place);
            fputs("[];\n", file);
        }
    }
    for (size_t i = 0; i < DOCUMENT_COUNT; i++) {
        fputs("extern const char ", file);
        emit_document_name(file, i);
        fputs("[];\n", file);
    }
    fputc('\n', file);
}

void emit_tables(const struct model *model, const char *folder)
{
    FILE *file = emit_open(folder, "message.c");
    fputs("/* Made by schemac from schemas/; do not edit. */\n"
          "#include \"message/row.h\"\n\n#include <stddef.h>\n\n",
          file);
    schema_declarations(file, model);
    field_tables(file, model);
    fputs("\nconst struct message_row MESSAGE_ROWS[MESSAGE_COUNT] = {\n", file);
    for (size_t i = 0; i < model->unit_count; i++)
        message_row(file, model, &model->units[i]);
    fputs("};\n", file);
    emit_codes(file, model);
    emit_settings(file, model);
    emit_close(file, "message.c");
}
