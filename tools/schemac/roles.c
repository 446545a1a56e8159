#include "schemac/page.h"

#include "schemac/fail.h"

#include <string.h>

static const char *const ROLES[] = { "anybody",  "agent", "submitter", "viewer",
                                     "operator", "admin", "enrol" };

enum { ROLE_COUNT = sizeof ROLES / sizeof ROLES[0] };

static bool opens(const struct unit *unit, const char *role)
{
    for (size_t i = 0; i < json_array_size(unit->roles); i++)
        if (strcmp(json_string_value(json_array_get(unit->roles, i)), role) == 0)
            return true;
    return false;
}

static void scopes_table(FILE *file, const struct model *model)
{
    const json_t *scopes = json_object_get(model->scopes, "scopes");
    fputs("| scope | what |\n| --- | --- |\n", file);
    for (size_t i = 0; i < json_array_size(scopes); i++) {
        const json_t *row = json_array_get(scopes, i);
        const char *name = json_string_value(json_object_get(row, "name"));
        const char *text = json_string_value(json_object_get(row, "text"));
        if (name == NULL || text == NULL)
            fail("scopes.json", "a scope has a name and a text");
        fprintf(file, "| `%s` | ", name);
        page_text(file, text);
        fputs(" |\n", file);
    }
}

static void matrix_row(FILE *file, const struct unit *unit)
{
    if (unit->method != NULL)
        fprintf(file, "| `%s %s` |", unit->method, unit->path);
    else
        fprintf(file, "| `%s` |", unit->wire);
    for (size_t i = 0; i < ROLE_COUNT; i++)
        fputs(opens(unit, ROLES[i]) ? " yes |" : " |", file);
    if (unit->scope != NULL)
        fprintf(file, " `%s` |\n", unit->scope);
    else
        fputs(" |\n", file);
}

static void matrix(FILE *file, const struct model *model, const char *title,
                   enum unit_direction direction)
{
    fprintf(file, "\n## %s\n\n| |", title);
    for (size_t i = 0; i < ROLE_COUNT; i++)
        fprintf(file, " %s |", ROLES[i]);
    fputs(" scope |\n| --- |", file);
    for (size_t i = 0; i < ROLE_COUNT; i++)
        fputs(" --- |", file);
    fputs(" --- |\n", file);
    for (size_t i = 0; i < model->unit_count; i++)
        if (model->units[i].direction == direction)
            matrix_row(file, &model->units[i]);
}

void page_roles(FILE *file, const struct model *model)
{
    fputs(
        "\nWhat no row allows is denied. A token has one role. One that was made with a list of\n"
        "scopes is good only for what its role opens and one of its scopes names; one without\n"
        "a list, for all that its role opens. `enrol` registers agents and does nothing else.\n"
        "`POST /api/enrol` takes the enrolment secret alone.\n"
        "\n## Scopes\n\n",
        file);
    scopes_table(file, model);
    matrix(file, model, "Over HTTP", UNIT_REQUEST);
    matrix(file, model, "Over the WebSocket", UNIT_SOCKET_IN);
}
