#include "schemac/page.h"

#include "schemac/emit.h"
#include "schemac/fail.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 90 };

void page_text(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', file);
        fputc(*text, file);
    }
}

void page_words(FILE *file, const json_t *words)
{
    bool first = true;
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        if (word == NULL)
            continue;
        fprintf(file, "%s`%s`", first ? "" : ", ", word);
        first = false;
    }
}

void page_example(FILE *file, const json_t *example)
{
    char *text = json_dumps(example, JSON_PRESERVE_ORDER);
    if (text != NULL && strlen(text) > LINE_MAX_BYTES) {
        free(text);
        text = json_dumps(example, JSON_PRESERVE_ORDER | JSON_INDENT(2));
    }
    if (text == NULL)
        fail("example", "no memory");
    fprintf(file, "\n```json\n%s\n```\n", text);
    free(text);
}

static void type_cell(FILE *file, const struct shape_field *field)
{
    switch (field->kind) {
    case KIND_TEXT:
        fputs("string", file);
        return;
    case KIND_INTEGER:
        fputs("integer", file);
        return;
    case KIND_BOOL:
        fputs("boolean", file);
        return;
    case KIND_TEXTS:
        fputs("list of strings", file);
        return;
    case KIND_OBJECT:
        fprintf(file, "[%s](#shape-%s)", field->nested->name, field->nested->name);
        return;
    case KIND_OBJECTS:
        fprintf(file, "list of [%s](#shape-%s)", field->nested->name,
                field->nested->name);
        return;
    case KIND_MESSAGE:
        fputs("object", file);
        return;
    case KIND_OPAQUE:
        /* A refusal's value may be anything; everything else opaque is an object. */
        fputs(json_array_size(json_object_get(field->schema, "type")) > 2
                  ? "any JSON value"
                  : "object",
              file);
        return;
    }
}

static void range(FILE *file, const json_t *schema, const char *least, const char *most,
                  const char *unit)
{
    const json_t *minimum = json_object_get(schema, least);
    const json_t *maximum = json_object_get(schema, most);
    if (minimum != NULL && maximum != NULL)
        fprintf(file, "%" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT "%s",
                json_integer_value(minimum), json_integer_value(maximum), unit);
    else if (minimum != NULL)
        fprintf(file, "at least %" JSON_INTEGER_FORMAT "%s", json_integer_value(minimum),
                unit);
    else if (maximum != NULL)
        fprintf(file, "at most %" JSON_INTEGER_FORMAT "%s", json_integer_value(maximum),
                unit);
}

static void limits_cell(FILE *file, const struct shape_field *field)
{
    const json_t *schema = field->schema;
    const json_t *items = json_object_get(schema, "items");
    if (json_object_get(schema, "enum") != NULL)
        page_words(file, json_object_get(schema, "enum"));
    else if (field->kind == KIND_TEXT)
        range(file, schema, "minLength", "maxLength", " characters");
    else if (field->kind == KIND_INTEGER)
        range(file, schema, "minimum", "maximum", "");
    else
        range(file, schema, "minItems", "maxItems", " items");
    if (field->kind == KIND_TEXTS && json_object_get(items, "maxLength") != NULL) {
        fputs(" of ", file);
        range(file, items, "minLength", "maxLength", " characters");
    }
    if (json_object_get(schema, "pattern") != NULL)
        fprintf(file, ", matches `%s`",
                json_string_value(json_object_get(schema, "pattern")));
}

static void meaning_cell(FILE *file, const struct shape_field *field)
{
    const char *text = json_string_value(json_object_get(field->schema, "description"));
    const json_t *initial = json_object_get(field->schema, "default");
    if (text != NULL)
        page_text(file, text);
    if (json_is_string(initial))
        fprintf(file, " Default: `%s`.", json_string_value(initial));
    else if (json_is_integer(initial))
        fprintf(file, " Default: %" JSON_INTEGER_FORMAT ".", json_integer_value(initial));
    if (field->required && field->takes_null)
        fputs(" `null` when there is none.", file);
}

bool page_has_members(const struct shape *shape, enum field_place place)
{
    for (size_t i = 0; i < shape->count; i++)
        if (shape->fields[i].place == place && !shape->fields[i].unsent)
            return true;
    return false;
}

void page_members(FILE *file, const struct shape *shape, enum field_place place)
{
    if (!page_has_members(shape, place))
        return;
    fputs("\n| member | type | required | limits | meaning |\n"
          "| --- | --- | --- | --- | --- |\n",
          file);
    for (size_t i = 0; i < shape->count; i++) {
        const struct shape_field *field = &shape->fields[i];
        if (field->place != place || field->unsent)
            continue;
        fprintf(file, "| `%s` | ", field->wire);
        type_cell(file, field);
        fprintf(file, " | %s | ", field->required ? "yes" : "no");
        limits_cell(file, field);
        fputs(" | ", file);
        meaning_cell(file, field);
        fputs(" |\n", file);
    }
}

/* Marks what stands inside the shape. */
static void nested_mark(const struct model *model, const struct shape *shape,
                        bool marks[SHAPES_MAX])
{
    for (size_t i = 0; i < shape->count; i++) {
        const struct shape *nested = shape->fields[i].nested;
        for (size_t k = 0; nested != NULL && k < model->shape_count; k++) {
            if (model->shapes[k] != nested || marks[k])
                continue;
            marks[k] = true;
            nested_mark(model, nested, marks);
        }
    }
}

/* An answer may itself be a shape that several messages share. */
static void shared_mark(const struct model *model, const struct unit *unit,
                        bool marks[SHAPES_MAX])
{
    if (strcmp(unit->shape->name, unit->name) == 0)
        return;
    for (size_t i = 0; i < model->shape_count; i++)
        marks[i] |= model->shapes[i] == unit->shape;
}

static void unit_mark(const struct model *model, const struct unit *unit,
                      bool marks[SHAPES_MAX])
{
    nested_mark(model, unit->shape, marks);
    if (unit->direction == UNIT_REQUEST) {
        const struct unit *answer = model_answer(model, unit);
        shared_mark(model, answer, marks);
        nested_mark(model, answer->shape, marks);
    }
}

static int compare_shapes(const void *one, const void *other)
{
    const struct shape *const *left = one;
    const struct shape *const *right = other;
    return strcmp((*left)->name, (*right)->name);
}

void page_shapes(FILE *file, const struct model *model, const struct page_units *units,
                 size_t count)
{
    const struct shape *nested[SHAPES_MAX];
    bool marks[SHAPES_MAX] = { false };
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < units[i].count; k++)
            unit_mark(model, units[i].items[k], marks);
    for (size_t i = 0; i < model->shape_count; i++)
        if (marks[i])
            nested[found++] = model->shapes[i];
    if (found == 0)
        return;
    qsort(nested, found, sizeof(const struct shape *), compare_shapes);

    fputs("\n## Shapes\n\nObjects that stand inside messages.\n", file);
    for (size_t i = 0; i < found; i++) {
        const json_t *def =
            json_object_get(json_object_get(model->common, "$defs"), nested[i]->name);
        const char *text = json_string_value(json_object_get(def, "description"));
        fprintf(file, "\n### Shape: %s\n", nested[i]->name);
        if (text != NULL)
            fprintf(file, "\n%s\n", text);
        page_members(file, nested[i], PLACE_BODY);
    }
}
