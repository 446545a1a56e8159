#include "schemac/emit.h"
#include "schemac/fail.h"

#include <stdlib.h>

static void words_literal(FILE *file, const json_t *values)
{
    const char *between = " One of ";
    for (size_t i = 0; i < json_array_size(values); i++) {
        const char *word = json_string_value(json_array_get(values, i));
        if (word == NULL)
            continue;
        fprintf(file, " \"%s\" ", between);
        emit_literal(file, word);
        between = ", ";
    }
    fputs(" \".\"", file);
}

/* The description, then what the schema says of the words allowed and the default. */
static void field_text(FILE *file, const struct shape_field *field, const char *where)
{
    const char *text = json_string_value(json_object_get(field->schema, "description"));
    if (text == NULL)
        fail(where, "\"%s\" has no description", field->wire);
    emit_literal(file, text);
    const json_t *values = json_object_get(field->schema, "enum");
    const json_t *standard = json_object_get(field->schema, "default");
    if (values != NULL)
        words_literal(file, values);
    if (standard == NULL)
        return;
    char *shown = emit_schema_text(standard);
    fputs("\n      \" Default: \" ", file);
    if (json_is_string(standard))
        emit_literal(file, json_string_value(standard));
    else
        emit_literal(file, shown);
    fputs(" \".\"", file);
    free(shown);
}

static size_t fields_emit(FILE *file, const struct shape *shape, const char *before)
{
    size_t count = 0;
    for (size_t i = 0; i < shape->count; i++) {
        const struct shape_field *field = &shape->fields[i];
        char name[2 * NAME_BYTES];
        if (field->unsent)
            continue;
        join(name, sizeof name, before, "", field->wire);
        fputs("    { ", file);
        emit_literal(file, name);
        fputs(",\n      ", file);
        field_text(file, field, shape->name);
        fputs(" },\n", file);
        count++;
        if (field->kind != KIND_OBJECT)
            continue;
        char nested[2 * NAME_BYTES];
        join(nested, sizeof nested, name, ".", "");
        count += fields_emit(file, field->nested, nested);
    }
    return count;
}

void emit_help(const struct model *model, const char *folder)
{
    size_t counts[UNITS_MAX] = { 0 };
    FILE *file = emit_open(folder, "help.c");
    fputs("/* Made by schemac from schemas/; do not edit. */\n"
          "#include \"message/help.h\"\n",
          file);
    for (size_t i = 0; i < model->unit_count; i++) {
        const struct unit *unit = &model->units[i];
        if (unit->direction != UNIT_REQUEST || unit->shape->count == 0)
            continue;
        fprintf(file, "\nstatic const struct field_help HELP_%s[] = {\n", unit->name);
        counts[i] = fields_emit(file, unit->shape, "");
        fputs("};\n", file);
    }
    fputs("\nconst struct route_help ROUTE_HELP[MESSAGE_COUNT] = {\n", file);
    for (size_t i = 0; i < model->unit_count; i++) {
        if (counts[i] == 0)
            continue;
        fputs("    [MESSAGE_", file);
        emit_upper(file, model->units[i].name);
        fprintf(file, "] = { HELP_%s, %zu },\n", model->units[i].name, counts[i]);
    }
    fputs("};\n", file);
    emit_close(file, "help.c");
}
