/* drover schema push, list, show, delete: the schemas of the fleet's own, in the hub. */
#include "cli/schema_file.h"

#include "cli/listing.h"
#include "cli/request.h"

#include <stdio.h>

#define BODY_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* The file's JSON as it stands there, without what is around it. */
static enum outcome schema_text_read(const char *path, struct buffer *schema)
{
    struct buffer text;
    struct json_problem problem;
    enum outcome outcome = schema_file_read(path, &text);
    struct json *tape = json_create(&SCHEMA_FILE_LIMITS);
    if (outcome == OUTCOME_OK && tape == NULL)
        outcome = complain(OUTCOME_FAILED, "out of memory");
    if (outcome == OUTCOME_OK &&
        json_parse(tape, buffer_slice(&text), &problem) != ERR_OK)
        outcome = complain(OUTCOME_FAILED, "%s: byte %zu: %s", path, problem.offset,
                           problem.reason);
    if (outcome == OUTCOME_OK)
        buffer_append_slice(schema, json_root(tape)->raw);
    if (outcome == OUTCOME_OK && buffer_failed(schema))
        outcome = complain(OUTCOME_FAILED, "out of memory");
    json_destroy(tape);
    buffer_finish(&text);
    return outcome;
}

/* "kind review (payload)", "channel general", or nothing. */
static void bind_append(const struct answer *answer, const struct json_node *object,
                        struct buffer *text)
{
    const struct json_node *bind = member_of(answer, object, "bind");
    if (bind == NULL)
        return;
    struct slice channel = member_text(answer, bind, "channel");
    if (channel.size > 0) {
        buffer_append_text(text, "channel ");
        buffer_append_slice(text, channel);
        return;
    }
    buffer_append_text(text, "kind ");
    buffer_append_slice(text, member_text(answer, bind, "kind"));
    buffer_append_text(text, " (");
    buffer_append_slice(text, member_text(answer, bind, "part"));
    buffer_append_text(text, ")");
}

static void failures_show(const struct answer *answer, struct buffer *line)
{
    const struct json_node *list = member_of(answer, answer->root, "failures");
    if (list == NULL || list->kind != JSON_ARRAY)
        return;
    for (const struct json_node *item = json_child(answer->tape, list); item != NULL;
         item = json_after(answer->tape, list, item)) {
        struct slice pointer = member_text(answer, item, "pointer");
        buffer_append_text(line, "  ");
        buffer_append_slice(line, member_text(answer, item, "task_id"));
        buffer_append_slice(line, member_text(answer, item, "message_id"));
        buffer_append_text(line, pointer.size > 0 ? " at " : "");
        buffer_append_slice(line, pointer);
        buffer_append_text(line, ": ");
        buffer_append_slice(line, member_text(answer, item, "detail"));
        schema_line_show(line);
    }
}

static void push_show(const struct answer *answer)
{
    struct buffer line;
    const struct json_node *created = member_of(answer, answer->root, "created");
    const struct json_node *dry_run = member_of(answer, answer->root, "dry_run");
    int64_t checked = member_number(answer, answer->root, "checked");
    buffer_init(&line, 65536);
    buffer_append_slice(&line, member_text(answer, answer->root, "name"));
    buffer_append_text(&line, " version ");
    buffer_append_i64(&line, member_number(answer, answer->root, "version"));
    if (dry_run != NULL && dry_run->kind == JSON_TRUE)
        buffer_append_text(&line, ", a dry run");
    else if (created != NULL && created->kind == JSON_FALSE)
        buffer_append_text(&line, ", as it was");
    if (member_of(answer, answer->root, "bind") != NULL)
        buffer_append_text(&line, ", bound to ");
    bind_append(answer, answer->root, &line);
    schema_line_show(&line);
    if (checked > 0) {
        buffer_append_i64(&line, member_number(answer, answer->root, "failed"));
        buffer_append_text(&line, " of ");
        buffer_append_i64(&line, checked);
        buffer_append_text(&line, " stored payloads would be refused");
        schema_line_show(&line);
        failures_show(answer, &line);
    }
    buffer_finish(&line);
}

static enum outcome push_run(struct invocation *invocation)
{
    struct buffer schema;
    struct answer answer;
    bool unbind = given_has(invocation, "--unbind");
    int bonds = unbind + given_has(invocation, "--bind-kind") +
                given_has(invocation, "--bind-channel");
    if (bonds > 1)
        return complain(OUTCOME_USAGE,
                        "--bind-kind, --bind-channel and --unbind exclude each other");
    if (given_has(invocation, "--part") && !given_has(invocation, "--bind-kind"))
        return complain(OUTCOME_USAGE, "--part goes with --bind-kind");
    buffer_init(&schema, BODY_BYTES_MAX);
    enum outcome outcome = schema_text_read(invocation->arguments[1], &schema);
    if (outcome == OUTCOME_OK) {
        const struct filling fillings[] = { { "schema", buffer_slice(&schema) },
                                            { "bind", SLICE_OF("{}") } };
        outcome = command_call(invocation, fillings, unbind ? 2 : 1, &answer);
    }
    buffer_finish(&schema);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (invocation->json)
        return answer_print(&answer);
    push_show(&answer);
    return OUTCOME_OK;
}

static void bind_cell(const struct answer *answer, const struct json_node *item,
                      struct table *table)
{
    struct buffer text;
    buffer_init(&text, 65536);
    bind_append(answer, item, &text);
    table_cell(table, buffer_slice(&text));
    buffer_finish(&text);
}

static const struct listing SCHEMAS = {
    .member = "schemas",
    .columns = { { .head = "SCHEMA", .field = "name" },
                 { .head = "VERSION", .field = "version", .kind = COLUMN_NUMBER },
                 { .head = "BYTES", .field = "bytes", .kind = COLUMN_NUMBER },
                 { .head = "UPDATED", .field = "updated_at", .kind = COLUMN_TIME },
                 { .head = "BY", .field = "updated_by" },
                 { .head = "BOUND TO", .cell = bind_cell } },
};

static const struct listing VERSIONS = {
    .member = "versions",
    .columns = { { .head = "VERSION", .field = "version", .kind = COLUMN_NUMBER },
                 { .head = "CURRENT", .field = "current", .kind = COLUMN_YES },
                 { .head = "BYTES", .field = "bytes", .kind = COLUMN_NUMBER },
                 { .head = "CREATED", .field = "created_at", .kind = COLUMN_TIME },
                 { .head = "BY", .field = "created_by" } },
};

/* The text as it was registered, for the next push; line breaks stay. */
static enum outcome text_show(const struct answer *answer)
{
    const struct json_node *schema = member_of(answer, answer->root, "schema");
    struct buffer shown;
    if (schema == NULL)
        return complain(OUTCOME_FAILED, "the hub's answer holds no schema");
    buffer_init(&shown, BODY_BYTES_MAX);
    text_escape(schema->raw, true, "", &shown);
    bool whole = !buffer_failed(&shown);
    if (whole)
        (void)printf("%.*s\n", (int)shown.size, buffer_slice(&shown).data);
    buffer_finish(&shown);
    return whole ? OUTCOME_OK : complain(OUTCOME_FAILED, "the schema cannot be shown");
}

static enum outcome show_run(struct invocation *invocation)
{
    struct answer answer;
    bool history = given_has(invocation, "--history");
    if (history && given_has(invocation, "--version"))
        return complain(OUTCOME_USAGE, "--history and --version exclude each other");
    enum outcome outcome = request_call(
        invocation, history ? MESSAGE_GET_SCHEMA_HISTORY : MESSAGE_GET_SCHEMA, NULL, 0,
        &answer);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (answer.outcome != OUTCOME_OK)
        return answer_tell(invocation, &answer);
    if (invocation->json)
        return answer_print(&answer);
    return history ? listing_show(&answer, &VERSIONS) : text_show(&answer);
}

static const struct command COMMANDS[] = {
    { .name = "check",
      .run = schema_check_run,
      .summary = "Checks a JSON Schema, and files against it.",
      .arguments = { { .name = "SCHEMA", .help = "A file; - is standard input." },
                     { .name = "[INSTANCE...]", .help = "Files held to it." } },
      .options = { { .name = "--with",
                     .value = "FILE",
                     .help = "A schema that may be referred to.",
                     .repeats = true },
                   { .name = "--strict", .help = "Refuse unknown keywords." },
                   { .name = "--format", .help = "Assert formats." },
                   { .name = "--json",
                     .help = "Print the standard's basic output, a line a file." } } },
    { .name = "suite",
      .run = schema_suite_run,
      .summary = "Runs the JSON Schema Test Suite, draft 2020-12.",
      .arguments = { { .name = "DIR", .help = "Its folder." } },
      .options = { { .name = "--optional",
                     .help = "Also the optional tests of formats." },
                   { .name = "--json", .help = "Print the counts alone, as JSON." } } },
    { .name = "push",
      .route = MESSAGE_PUT_SCHEMA,
      .run = push_run,
      .arguments = { { .name = "NAME", .field = "name" },
                     { .name = "FILE", .help = "The schema; - is standard input." } },
      .options = { { .name = "--bind-kind", .value = "KIND", .field = "bind.kind" },
                   { .name = "--part", .value = "PART", .field = "bind.part" },
                   { .name = "--bind-channel",
                     .value = "CHANNEL",
                     .field = "bind.channel" },
                   { .name = "--unbind", .help = "Nothing is held to it any more." },
                   { .name = "--expected-version",
                     .value = "N",
                     .field = "expected_version" },
                   { .name = "--dry-run", .field = "dry_run" } } },
    { .name = "list", .route = MESSAGE_GET_FLEET_SCHEMAS, .list = &SCHEMAS },
    { .name = "show",
      .route = MESSAGE_GET_SCHEMA,
      .run = show_run,
      .arguments = { { .name = "NAME", .field = "name" } },
      .options = { { .name = "--version", .value = "N", .field = "version" },
                   { .name = "--history", .help = "List its versions instead." } } },
    { .name = "delete",
      .route = MESSAGE_DELETE_SCHEMA,
      .done = "deleted",
      .arguments = { { .name = "NAME", .field = "name" } },
      .options = { { .name = "--expected-version",
                     .value = "N",
                     .field = "expected_version" } } },
};

const struct command_group SCHEMA_GROUP = { "schema", COMMANDS,
                                            sizeof COMMANDS / sizeof COMMANDS[0] };
