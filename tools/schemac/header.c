#include "schemac/emit.h"

#include "schemac/fail.h"

#include <string.h>

static void enum_open(FILE *file, const char *tag, const char *first)
{
    fprintf(file, "enum %s {\n    %s,\n", tag, first);
}

static void enum_rows(FILE *file, const json_t *rows, const char *prefix)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        fprintf(file, "    %s_", prefix);
        emit_upper(file,
                   json_string_value(json_object_get(json_array_get(rows, i), "name")));
        fputs(",\n", file);
    }
}

static void enums(FILE *file, const struct model *model)
{
    enum_open(file, "message_type", "MESSAGE_NONE");
    for (size_t i = 0; i < model->unit_count; i++) {
        fputs("    MESSAGE_", file);
        emit_upper(file, model->units[i].name);
        fputs(",\n", file);
    }
    fputs("    MESSAGE_COUNT\n};\n\n", file);

    enum_open(file, "error_code", "ERROR_NONE");
    enum_rows(file, json_object_get(model->errors, "errors"), "ERROR");
    fputs("    ERROR_CODE_COUNT\n};\n\n", file);

    enum_open(file, "close_reason", "CLOSE_NONE");
    enum_rows(file, json_object_get(model->errors, "close_codes"), "CLOSE");
    fputs("    CLOSE_REASON_COUNT\n};\n\n", file);

    fputs("/* Stored as bits: never renumber. */\nenum scope {\n", file);
    enum_rows(file, json_object_get(model->scopes, "scopes"), "SCOPE");
    fputs("    SCOPE_COUNT\n};\n\n", file);

    fputs("enum setting {\n", file);
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(model->config, "properties"), key, value)
    {
        fputs("    SETTING_", file);
        emit_upper(file, key);
        fputs(",\n", file);
    }
    fputs("    SETTING_COUNT\n};\n", file);
}

static void member(FILE *file, const struct shape_field *field)
{
    switch (field->kind) {
    case KIND_TEXT:
        fprintf(file, "    struct slice %s;\n", field->member);
        return;
    case KIND_OPAQUE:
        fprintf(file, "    struct slice %s; /* JSON */\n", field->member);
        return;
    case KIND_MESSAGE:
        fprintf(file, "    struct message_member %s;\n", field->member);
        return;
    case KIND_INTEGER:
        fprintf(file, "    int64_t %s;\n", field->member);
        break;
    case KIND_BOOL:
        fprintf(file, "    bool %s;\n", field->member);
        break;
    case KIND_TEXTS:
        fprintf(file, "    struct slice_list %s;\n", field->member);
        return;
    case KIND_OBJECT:
        fprintf(file, "    struct message_%s *%s;\n", field->nested->name, field->member);
        return;
    case KIND_OBJECTS:
        fprintf(file, "    struct message_list %s; /* of struct message_%s */\n",
                field->member, field->nested->name);
        return;
    }
    if (!field->required || field->takes_null)
        fprintf(file, "    bool has_%s;\n", field->member);
}

static void structs(FILE *file, const struct model *model)
{
    for (size_t i = 0; i < model->shape_count; i++) {
        const struct shape *shape = model->shapes[i];
        fprintf(file, "\nstruct message_%s {\n", shape->name);
        if (shape->count == 0)
            fputs("    char empty; /* C has no struct without members */\n", file);
        for (size_t k = 0; k < shape->count; k++)
            member(file, &shape->fields[k]);
        fputs("};\n", file);
    }

    fputs("\nstruct message {\n    enum message_type type;\n    union {\n", file);
    for (size_t i = 0; i < model->unit_count; i++)
        fprintf(file, "        struct message_%s %s;\n", model->units[i].shape->name,
                model->units[i].name);
    fputs("    } as;\n};\n", file);
}

static void macro(FILE *file, const struct model *model, const char *name,
                  enum unit_kind kind)
{
    fprintf(file, "\n#define %s(ROW)", name);
    for (size_t i = 0; i < model->unit_count; i++) {
        const struct unit *unit = &model->units[i];
        /* A document is answered by its text; what comes on a socket is its link's. */
        if (unit->kind != kind || unit->document != NULL ||
            (kind == UNIT_DOOR && unit->direction != UNIT_REQUEST))
            continue;
        fputs(" \\\n    ROW(", file);
        emit_upper(file, model->units[i].name);
        fprintf(file, ", %s)", model->units[i].name);
    }
    fputc('\n', file);
}

void emit_header(const struct model *model, const char *folder)
{
    FILE *file = emit_open(folder, "message.h");
    fputs("/*\n"
          " * message.h - every message, route, error and setting. Made by schemac from\n"
          " * schemas/; do not edit.\n"
          " */\n"
          "#ifndef MESSAGE_MESSAGE_H\n"
          "#define MESSAGE_MESSAGE_H\n\n"
          "#include \"message/field.h\"\n\n",
          file);
    enums(file, model);
    structs(file, model);
    fputs("\n/* ROW(NAME, name): what the core has a handler on_<name>() for. */", file);
    macro(file, model, "MESSAGE_COMMANDS", UNIT_COMMAND);
    macro(file, model, "MESSAGE_QUERIES", UNIT_QUERY);
    fputs("\n/* ROW(NAME, name): what the door has an answer door_<name>() for. */",
          file);
    macro(file, model, "MESSAGE_DOORS", UNIT_DOOR);
    fputs("\n#endif\n", file);
    emit_close(file, "message.h");
}
