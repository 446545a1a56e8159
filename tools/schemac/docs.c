#include "schemac/emit.h"

#include "schemac/fail.h"
#include "schemac/page.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static const char INTRODUCTION[] =
    "# The protocol\n"
    "\n"
    "What the hub says and hears, message by message. Made by `schemac` from `schemas/`;\n"
    "the check `check.generated` fails when the two disagree, so do not edit it here.\n"
    "\n"
    "The contract is AgentCom v1.1's with additions: new types, routes and optional\n"
    "members. A v1.1 agent works unchanged. Every message and route has its place in\n"
    "the [reference](#reference); programs read [what the hub says of itself]"
    "(#for-programs).\n"
    "\n"
    "## Rules of every message\n"
    "\n"
    "- A WebSocket text frame is one JSON object whose `type` names the message; a body\n"
    "  over HTTP is one JSON object. Binary frames are refused.\n"
    "- Text is UTF-8. Duplicate members, NUL, lone surrogates and text behind the value are\n"
    "  `invalid_json`, with the `offset` of the first wrong byte.\n"
    "- `null` is absent. Members nobody knows are ignored.\n"
    "- Types are never converted. Integers have no fraction and no exponent and lie within\n"
    "  2^53 - 1 of zero. Times are Unix milliseconds. Lengths count characters.\n"
    "- Objects that are somebody's own (`payload`, `metadata`, `result`) are kept and\n"
    "  forwarded byte for byte.\n"
    "- A message that is not what its schema says changes nothing and is answered with\n"
    "  `validation_failed` and one item in `errors` for each field that is wrong.\n"
    "- Whatever the hub confirms is on disk.\n"
    "- A refused `task_complete` or `task_failed` names itself before the code, as v1.1 has\n"
    "  it: `task_complete_failed: stale_generation`, `task_fail_failed: not_found`.\n"
    "- What others do is told in between: an answer is known by its `type`, and by\n"
    "  `message_type` where it is an `error`.\n"
    "- A connection on which nothing is heard for `idle_timeout_ms` (a minute) is closed,\n"
    "  also while its agent works: send `ping`, or a WebSocket ping, every half of it. The\n"
    "  hub sends none itself. Neither renews a task's lease.\n"
    "\n"
    "A token goes into `identify` on the WebSocket and into `Authorization: Bearer TOKEN`\n"
    "over HTTP. It has one role: `agent`, `submitter`, `viewer`, `operator`, `admin` or\n"
    "`enrol`. Where `anybody` may ask, no token is needed. A token that was made with a list\n"
    "of scopes is good for what its role opens and one of these scopes names:\n"
    "[roles and scopes](reference/roles.md).\n"
    "\n"
    "## A task's way\n"
    "\n"
    "```\n"
    "submit -> queued -> task_assign -> assigned -> task_accepted -> working\n"
    "       -> task_complete -> completed\n"
    "       -> task_failed, silence, a lost agent -> queued again, or dead_letter\n"
    "```\n"
    "\n"
    "`scheduled` waits for `not_before`, `blocked` for the tasks it depends on, `cancelled`\n"
    "is an end. Each hand-out raises the task's `generation`, and so does each return; a\n"
    "report is taken only from the agent that holds the task, with the current generation.\n"
    "A report sent again gets the same `task_ack` again.\n"
    "`task_progress` and `lease_renew` renew the task's lease.\n";

static const char FOR_PROGRAMS[] =
    "\n## For programs\n"
    "\n"
    "A running hub describes itself, to anybody who asks:\n"
    "\n"
    "| route | form | what |\n"
    "| --- | --- | --- |\n"
    "| `GET /openapi.json` | OpenAPI 3.1 | every HTTP route with parameters, bodies, "
    "answers, errors, examples |\n"
    "| `GET /asyncapi.json` | AsyncAPI 3.0 | both directions of `/ws` |\n"
    "| `GET /api/schemas` | AgentCom v1.1 | names and types of what the hub takes |\n"
    "\n"
    "They are made from the schemas the hub validates by. All three have one `ETag`; with\n"
    "`If-None-Match` a caller who has them is answered 304.\n"
    "\n"
    "## Typed clients\n"
    "\n"
    "The documents are ready input for generators of clients: every body and every shape\n"
    "is a component with a name, and every route has an `operationId`, which is its name\n"
    "in the reference. Types for TypeScript, from the running hub:\n"
    "\n"
    "```\n"
    "npx openapi-typescript http://127.0.0.1:4000/openapi.json -o drover.ts\n"
    "```\n"
    "\n"
    "Any generator that reads OpenAPI 3.1 or AsyncAPI 3.0 will do; schemas are JSON Schema.\n";

static const struct {
    enum unit_direction direction;
    const char *title;
} PARTS[] = {
    { UNIT_SOCKET_IN, "From an agent" },
    { UNIT_SOCKET_OUT, "From the hub" },
    { UNIT_REQUEST, "HTTP" },
    { UNIT_EVENT, "Events" },
};
enum { PART_COUNT = sizeof PARTS / sizeof PARTS[0] };

/* A page of reference/ with its title. */
static FILE *page_open(const char *folder, const char *name, const char *title)
{
    char file_name[NAME_BYTES];
    join(file_name, sizeof file_name, name, ".", "md");
    FILE *file = emit_open(folder, file_name);
    fprintf(file,
            "# %s\n\nA page of [the protocol](../protocol.md), made by `schemac` from "
            "`schemas/`.\n",
            title);
    return file;
}

static void group_page(const struct model *model, const json_t *group, const char *folder)
{
    struct page_units units[PART_COUNT];
    const char *name = json_string_value(json_object_get(group, "name"));
    FILE *file =
        page_open(folder, name, json_string_value(json_object_get(group, "title")));
    fprintf(file, "\n%s\n", json_string_value(json_object_get(group, "text")));
    for (size_t i = 0; i < PART_COUNT; i++) {
        page_units_find(&units[i], model, name, PARTS[i].direction);
        if (units[i].count == 0)
            continue;
        fprintf(file, "\n## %s\n", PARTS[i].title);
        if (PARTS[i].direction == UNIT_REQUEST)
            page_routes(file, model, &units[i]);
        else
            page_sockets(file, &units[i]);
    }
    page_shapes(file, model, units, PART_COUNT);
    emit_close(file, name);
}

static void group_index(FILE *file, const struct model *model, const json_t *group)
{
    char path[SOURCE_PATH_BYTES];
    const char *name = json_string_value(json_object_get(group, "name"));
    join(path, sizeof path, "reference/", name, ".md");
    fprintf(file, "\n### [%s](%s)\n\n%s\n",
            json_string_value(json_object_get(group, "title")), path,
            json_string_value(json_object_get(group, "text")));
    for (size_t i = 0; i < PART_COUNT; i++) {
        struct page_units units;
        page_units_find(&units, model, name, PARTS[i].direction);
        if (units.count == 0)
            continue;
        fprintf(file, "\n| %s | |\n| --- | --- |\n", PARTS[i].title);
        page_index(file, &units, path);
    }
}

static void entry_page(const struct model *model, const char *folder)
{
    const json_t *groups = json_object_get(model->about, "groups");
    FILE *file = emit_open(folder, "protocol.md");
    fputs(INTRODUCTION, file);
    fputs(FOR_PROGRAMS, file);
    fputs("\n## Reference\n", file);
    for (size_t i = 0; i < json_array_size(groups); i++)
        group_index(file, model, json_array_get(groups, i));
    fputs("\n### [Errors and close codes](reference/errors.md)\n"
          "\n### [Settings](reference/settings.md)\n"
          "\n### [Roles and scopes](reference/roles.md)\n",
          file);
    emit_close(file, "protocol.md");
}

static void codes_page(const struct model *model, const char *folder)
{
    FILE *file = page_open(folder, "errors", "Errors and close codes");
    struct page_units units = { .items = { model_find(model, "http_error") },
                                .count = 1 };
    page_codes(file, model);
    page_shapes(file, model, &units, 1);
    emit_close(file, "errors.md");
}

static void settings_page(const struct model *model, const char *folder)
{
    FILE *file = page_open(folder, "settings", "Settings");
    page_settings(file, model);
    emit_close(file, "settings.md");
}

static void roles_page(const struct model *model, const char *folder)
{
    FILE *file = page_open(folder, "roles", "Roles and scopes");
    page_roles(file, model);
    emit_close(file, "roles.md");
}

void emit_docs(const struct model *model, const char *folder)
{
    char reference[SOURCE_PATH_BYTES];
    const json_t *groups = json_object_get(model->about, "groups");
    join(reference, sizeof reference, folder, "/", "reference");
    if (mkdir(reference, 0755) != 0 && errno != EEXIST)
        fail(reference, "cannot be made");
    entry_page(model, folder);
    for (size_t i = 0; i < json_array_size(groups); i++)
        group_page(model, json_array_get(groups, i), reference);
    codes_page(model, reference);
    settings_page(model, reference);
    roles_page(model, reference);
}
