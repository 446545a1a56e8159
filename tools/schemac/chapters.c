#include "schemac/page.h"

#include "schemac/fail.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void socket_page(FILE *file, const struct unit *unit)
{
    fprintf(file, "\n### %s\n\n%s\n", unit->wire, unit->summary);
    if (unit->direction == UNIT_SOCKET_IN) {
        fputs("\n- From: ", file);
        page_words(file, unit->roles);
        if (unit->scope != NULL)
            fprintf(file, "\n- Scope: `%s`", unit->scope);
        fprintf(file, "\n- Rate tier: %s\n- Answers: ", unit->tier);
        page_words(file, json_object_get(unit->source, "x-answers"));
        fputc('\n', file);
    } else if (unit->direction == UNIT_EVENT) {
        fprintf(file, "\n- Class: `%s`\n", unit->event_class);
    } else {
        fprintf(file, "\n- To a reader that is too slow: %s\n",
                strcmp(unit->slow_reader, "drop") == 0 ? "left out"
                                                       : "its connection is closed");
    }
    if (!page_has_members(unit->shape, PLACE_BODY))
        fputs(unit->direction == UNIT_EVENT ? "\nNo members.\n"
                                            : "\nNo members but `type`.\n",
              file);
    page_members(file, unit->shape, PLACE_BODY);
    const json_t *examples = json_object_get(unit->source, "examples");
    for (size_t i = 0; i < json_array_size(examples); i++)
        page_example(file, json_array_get(examples, i));
}

void page_sockets(FILE *file, const struct page_units *units)
{
    for (size_t i = 0; i < units->count; i++)
        socket_page(file, units->items[i]);
}

static int compare_paths(const void *one, const void *other)
{
    const struct unit *const *left = one;
    const struct unit *const *right = other;
    int order = strcmp((*left)->path, (*right)->path);
    return order != 0 ? order : strcmp((*left)->method, (*right)->method);
}

void page_units_find(struct page_units *units, const struct model *model,
                     const char *group, enum unit_direction direction)
{
    units->count = 0;
    for (size_t i = 0; i < model->unit_count; i++)
        if (model->units[i].direction == direction &&
            strcmp(model->units[i].group, group) == 0)
            units->items[units->count++] = &model->units[i];
    if (direction == UNIT_REQUEST)
        qsort(units->items, units->count, sizeof(const struct unit *), compare_paths);
}

/* The name under which a page's reader finds a heading. */
static void anchor(FILE *file, const char *heading)
{
    for (; *heading != '\0'; heading++) {
        if (*heading == ' ')
            fputc('-', file);
        else if (isalnum((unsigned char)*heading) || *heading == '_' || *heading == '-')
            fputc(tolower((unsigned char)*heading), file);
    }
}

void page_index(FILE *file, const struct page_units *units, const char *path)
{
    for (size_t i = 0; i < units->count; i++) {
        const struct unit *unit = units->items[i];
        char heading[SOURCE_PATH_BYTES];
        if (unit->method != NULL)
            join(heading, sizeof heading, unit->method, " ", unit->path);
        else
            join(heading, sizeof heading, unit->wire, "", "");
        fprintf(file, "| [%s](%s#", heading, path);
        anchor(file, heading);
        /* A second heading of one name has a number behind it. */
        bool second =
            unit->direction != UNIT_EVENT && strcmp(unit->name, unit->wire) != 0;
        fprintf(file, "%s) | ", second ? "-1" : "");
        page_text(file, unit->summary);
        fputs(" |\n", file);
    }
}

static void answers_table(FILE *file, const json_t *route)
{
    fputs("\n| answer | |\n| --- | --- |\n", file);
    const char *status;
    json_t *answer;
    json_object_foreach(json_object_get(route, "answers"), status, answer)
    {
        fprintf(file, "| %s | ", status);
        if (json_object_get(answer, "errors") != NULL)
            page_words(file, json_object_get(answer, "errors"));
        else
            page_text(file, text_at(answer, "description"));
        fputs(" |\n", file);
    }
}

static void answer_body(FILE *file, const struct model *model, const struct unit *route)
{
    const struct unit *answer = model_answer(model, route);
    if (strcmp(answer->shape->name, answer->name) != 0) {
        fprintf(file, "\nThe answer is a [%s](#shape-%s).\n", answer->shape->name,
                answer->shape->name);
        return;
    }
    fprintf(file, "\nThe answer's body (%d):\n", answer->status);
    page_members(file, answer->shape, PLACE_BODY);
}

static void route_examples(FILE *file, const json_t *route)
{
    const json_t *examples = json_object_get(route, "examples");
    for (size_t i = 0; i < json_array_size(examples); i++) {
        const json_t *example = json_array_get(examples, i);
        const json_t *request = json_object_get(example, "request");
        if (request != NULL) {
            fputs("\nA request:\n", file);
            page_example(file, request);
        }
        fputs(request != NULL ? "\nand its answer:\n" : "\nAn answer:\n", file);
        page_example(file, json_object_get(example, "answer"));
    }
}

static void route_page(FILE *file, const struct model *model, const struct unit *unit)
{
    static const struct {
        enum field_place place;
        const char *title;
    } PARTS[] = {
        { PLACE_PATH, "In the path" },
        { PLACE_QUERY, "In the query" },
        { PLACE_HEADER, "Headers" },
        { PLACE_BODY, "In the body" },
    };
    fprintf(file, "\n### %s %s\n\n%s\n", unit->method, unit->path, unit->summary);
    if (json_object_get(unit->source, "description") != NULL)
        fprintf(file, "%s\n", text_at(unit->source, "description"));
    fputs("\n- Who may: ", file);
    page_words(file, unit->roles);
    if (unit->scope != NULL)
        fprintf(file, "\n- Scope: `%s`", unit->scope);
    fprintf(file, "\n- Rate tier: %s\n- Name: `%s`\n", unit->tier, unit->name);
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        if (!page_has_members(unit->shape, PARTS[i].place))
            continue;
        fprintf(file, "\n%s:\n", PARTS[i].title);
        page_members(file, unit->shape, PARTS[i].place);
    }
    answers_table(file, unit->source);
    answer_body(file, model, unit);
    route_examples(file, unit->source);
}

void page_routes(FILE *file, const struct model *model, const struct page_units *units)
{
    for (size_t i = 0; i < units->count; i++)
        route_page(file, model, units->items[i]);
}

void page_codes(FILE *file, const struct model *model)
{
    const struct unit *body = model_find(model, "http_error");
    if (body == NULL)
        fail("errors.json", "no http_error");
    fputs("\n## Errors\n\nThe body of an HTTP answer that is an error:\n", file);
    page_members(file, body->shape, PLACE_BODY);
    fputs(
        "\nClients that accept `application/problem+json` get an RFC 9457 document with\n"
        "these members besides:\n\n| member | meaning |\n| --- | --- |\n",
        file);
    const char *member;
    json_t *schema;
    json_object_foreach(
        json_object_get(json_object_get(model->errors, "problem"), "properties"), member,
        schema)
    {
        fprintf(file, "| `%s` | ", member);
        page_text(file, text_at(schema, "description"));
        fputs(" |\n", file);
    }
    fputs("\n| error | HTTP | meaning |\n| --- | --- | --- |\n", file);
    const json_t *errors = json_object_get(model->errors, "errors");
    for (size_t i = 0; i < json_array_size(errors); i++) {
        const json_t *row = json_array_get(errors, i);
        fprintf(file, "| `%s` | %" JSON_INTEGER_FORMAT " | ", text_at(row, "name"),
                json_integer_value(json_object_get(row, "status")));
        page_text(file, text_at(row, "text"));
        fputs(" |\n", file);
    }

    fputs("\n## Close codes\n\nWith which the hub closes a WebSocket; the reason is the "
          "name.\n\n| code | name | reconnect | meaning |\n| --- | --- | --- | --- |\n",
          file);
    const json_t *closes = json_object_get(model->errors, "close_codes");
    for (size_t i = 0; i < json_array_size(closes); i++) {
        const json_t *row = json_array_get(closes, i);
        fprintf(file, "| %" JSON_INTEGER_FORMAT " | `%s` | %s | ",
                json_integer_value(json_object_get(row, "code")), text_at(row, "name"),
                json_is_true(json_object_get(row, "reconnect")) ? "yes" : "no");
        page_text(file, text_at(row, "text"));
        fputs(" |\n", file);
    }
}

static void default_cell(FILE *file, const json_t *value)
{
    if (json_is_integer(value))
        fprintf(file, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "yes" : "no", file);
    else if (json_is_string(value) && json_string_length(value) > 0)
        fprintf(file, "`%s`", json_string_value(value));
    else if (json_array_size(value) > 0)
        page_words(file, value);
    else
        fputs("none", file);
}

void page_settings(FILE *file, const struct model *model)
{
    fprintf(file, "\n%s\n\n", text_at(model->config, "description"));
    fputs("| setting | flag | environment | default | meaning |\n"
          "| --- | --- | --- | --- | --- |\n",
          file);
    const char *name;
    json_t *schema;
    json_object_foreach(json_object_get(model->config, "properties"), name, schema)
    {
        fprintf(file, "| `%s` | `%s` | `%s` | ", name, text_at(schema, "x-flag"),
                text_at(schema, "x-env"));
        default_cell(file, json_object_get(schema, "default"));
        fputs(" | ", file);
        page_text(file, text_at(schema, "description"));
        const json_t *words = json_object_get(schema, "enum");
        if (words != NULL) {
            fputs(" One of ", file);
            page_words(file, words);
            fputc('.', file);
        } else if (json_object_get(schema, "maximum") != NULL) {
            fprintf(file, " %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT ".",
                    json_integer_value(json_object_get(schema, "minimum")),
                    json_integer_value(json_object_get(schema, "maximum")));
        }
        fputs(" |\n", file);
    }
}
