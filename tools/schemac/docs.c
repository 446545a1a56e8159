#include "schemac/emit.h"

#include "schemac/fail.h"
#include "schemac/page.h"

static const char INTRODUCTION[] =
    "# The protocol\n"
    "\n"
    "What the hub says and hears, message by message. Made by `schemac` from `schemas/`;\n"
    "the check `check.generated` fails when the two disagree, so do not edit it here.\n"
    "\n"
    "The contract is AgentCom v1.1's with additions: new types, routes and optional\n"
    "members. A v1.1 agent works unchanged.\n"
    "\n"
    "- [Rules of every message](#rules-of-every-message)\n"
    "- [A task's way](#a-tasks-way)\n"
    "- [From an agent](#from-an-agent), [from the hub](#from-the-hub): the WebSocket `/ws`\n"
    "- [HTTP](#http)\n"
    "- [Shapes](#shapes), [errors](#errors), [close codes](#close-codes),\n"
    "  [settings](#settings)\n"
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
    "\n"
    "A token goes into `identify` on the WebSocket and into `Authorization: Bearer TOKEN`\n"
    "over HTTP. It has one role: `agent`, `submitter`, `viewer`, `operator`, `admin` or\n"
    "`enrol`. Where `anybody` may ask, no token is needed.\n"
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

void emit_docs(const struct model *model, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        fail(path, "cannot be written");
    fputs(INTRODUCTION, file);
    fputs("\n## From an agent\n", file);
    page_sockets(file, model, UNIT_SOCKET_IN);
    fputs("\n## From the hub\n", file);
    page_sockets(file, model, UNIT_SOCKET_OUT);
    fputs("\n## HTTP\n", file);
    page_routes(file, model);
    page_shapes(file, model);
    page_codes(file, model);
    page_settings(file, model);
    emit_close(file, path);
}
