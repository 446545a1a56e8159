#include "schemac/emit.h"

#include "schemac/fail.h"

#include <stdlib.h>
#include <string.h>

/* Bits of one number. */
enum { SCOPES_MAX = 63 };

static const char *member_text(const json_t *object, const char *key, const char *where)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL)
        fail(where, "\"%s\" is missing or no text", key);
    return text;
}

static json_int_t member_integer(const json_t *object, const char *key, const char *where)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        fail(where, "\"%s\" is missing or no integer", key);
    return json_integer_value(value);
}

void emit_codes(FILE *file, const struct model *model)
{
    const json_t *errors = json_object_get(model->errors, "errors");
    fputs("\nconst struct error_row ERROR_ROWS[ERROR_CODE_COUNT] = {\n", file);
    for (size_t i = 0; i < json_array_size(errors); i++) {
        const json_t *row = json_array_get(errors, i);
        const char *name = member_text(row, "name", "errors.json");
        fputs("    [ERROR_", file);
        emit_upper(file, name);
        fprintf(file, "] = { SLICE(\"%s\"), %" JSON_INTEGER_FORMAT ", SLICE(", name,
                member_integer(row, "status", name));
        emit_literal(file, member_text(row, "text", name));
        fputs(") },\n", file);
    }

    const json_t *closes = json_object_get(model->errors, "close_codes");
    fputs("};\n\nconst struct close_row CLOSE_ROWS[CLOSE_REASON_COUNT] = {\n", file);
    for (size_t i = 0; i < json_array_size(closes); i++) {
        const json_t *row = json_array_get(closes, i);
        const char *name = member_text(row, "name", "errors.json");
        fputs("    [CLOSE_", file);
        emit_upper(file, name);
        fprintf(file, "] = { %" JSON_INTEGER_FORMAT ", %s, SLICE(\"%s\"), SLICE(",
                member_integer(row, "code", name),
                json_is_true(json_object_get(row, "reconnect")) ? "true" : "false", name);
        emit_literal(file, member_text(row, "text", name));
        fputs(") },\n", file);
    }
    fputs("};\n\nconst struct scope_row SCOPE_ROWS[SCOPE_COUNT] = {\n", file);
    const json_t *scopes = json_object_get(model->scopes, "scopes");
    if (json_array_size(scopes) > SCOPES_MAX)
        fail("scopes.json", "too many scopes");
    for (size_t i = 0; i < json_array_size(scopes); i++) {
        const json_t *row = json_array_get(scopes, i);
        fprintf(file, "    { SLICE(\"%s\"), SLICE(",
                member_text(row, "name", "scopes.json"));
        emit_literal(file, member_text(row, "text", "scopes.json"));
        fputs(") },\n", file);
    }
    fputs("};\n", file);
}

static void list_fallback(FILE *file, const char *name, const json_t *list)
{
    char text[SOURCE_PATH_BYTES] = "";
    for (size_t i = 0; i < json_array_size(list); i++) {
        char before[SOURCE_PATH_BYTES];
        const char *item = json_string_value(json_array_get(list, i));
        if (item == NULL)
            fail(name, "a list of texts");
        join(before, sizeof before, text, i > 0 ? "," : "", item);
        join(text, sizeof text, before, "", "");
    }
    emit_literal(file, text);
}

/* The default as it would be written behind the flag; a list is joined by commas. */
static void setting_fallback(FILE *file, const char *name, const json_t *value)
{
    fputs("      .fallback = SLICE(", file);
    if (json_is_string(value))
        emit_literal(file, json_string_value(value));
    else if (json_is_integer(value))
        fprintf(file, "\"%" JSON_INTEGER_FORMAT "\"", json_integer_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "\"true\"" : "\"false\"", file);
    else if (json_is_array(value))
        list_fallback(file, name, value);
    else
        fail(name, "a setting has a default");
    fputs("),\n", file);
}

static void setting_row(FILE *file, const char *name, const json_t *schema)
{
    static const struct {
        const char *type;
        const char *kind;
        const char *minimum;
        const char *maximum;
    } KINDS[] = {
        { "string", "TEXT", "minLength", "maxLength" },
        { "integer", "INTEGER", "minimum", "maximum" },
        { "boolean", "BOOL", NULL, NULL },
        { "array", "TEXTS", "minItems", "maxItems" },
    };
    const char *type = member_text(schema, "type", name);
    size_t kind = 0;
    while (kind < sizeof KINDS / sizeof KINDS[0] && strcmp(KINDS[kind].type, type) != 0)
        kind++;
    if (kind == sizeof KINDS / sizeof KINDS[0])
        fail(name, "a setting is a text, a number, a yes or no, or a list of texts");

    fputs("    [SETTING_", file);
    emit_upper(file, name);
    fprintf(file,
            "] = {\n      .name = SLICE(\"%s\"), .flag = SLICE(\"%s\"),\n"
            "      .environment = SLICE(\"%s\"), .kind = SETTING_KIND_%s,\n",
            name, member_text(schema, "x-flag", name), member_text(schema, "x-env", name),
            KINDS[kind].kind);
    if (KINDS[kind].minimum != NULL) {
        const json_t *minimum = json_object_get(schema, KINDS[kind].minimum);
        const json_t *maximum = json_object_get(schema, KINDS[kind].maximum);
        fprintf(file,
                "      .minimum = %" JSON_INTEGER_FORMAT
                ", .maximum = %" JSON_INTEGER_FORMAT ",\n",
                json_integer_value(minimum),
                maximum == NULL ? 4096 : json_integer_value(maximum));
    }
    setting_fallback(file, name, json_object_get(schema, "default"));
    fputs("      .description = SLICE(", file);
    emit_literal(file, member_text(schema, "description", name));
    fputs("),\n", file);
    if (json_object_get(schema, "enum") != NULL)
        fprintf(file, "      .values = VALUES_%s, .value_count = %zu,\n", name,
                json_array_size(json_object_get(schema, "enum")));
    fputs("    },\n", file);
}

void emit_settings(FILE *file, const struct model *model)
{
    json_t *settings = json_object_get(model->config, "properties");
    const char *name;
    json_t *schema;
    json_object_foreach(settings, name, schema)
    {
        const json_t *values = json_object_get(schema, "enum");
        if (values == NULL)
            continue;
        fprintf(file, "\nstatic const struct slice VALUES_%s[] = {\n", name);
        for (size_t i = 0; i < json_array_size(values); i++) {
            fputs("    SLICE(", file);
            emit_literal(file, json_string_value(json_array_get(values, i)));
            fputs("),\n", file);
        }
        fputs("};\n", file);
    }

    fputs("\nconst struct setting_row SETTING_ROWS[SETTING_COUNT] = {\n", file);
    json_object_foreach(settings, name, schema) setting_row(file, name, schema);
    fputs("};\n", file);
}
