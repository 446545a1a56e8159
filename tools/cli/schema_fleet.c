/* drover schema push, list, show, delete: the schemas of the fleet's own, in the hub. */
#include "cli/schema_file.h"

#include "cli/screen.h"
#include "json/writer.h"

#include <stdio.h>

enum { PATH_BYTES_MAX = 4096, LIST_COLUMNS = 6, VERSION_COLUMNS = 4 };
#define BODY_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* "/api/schemas/NAME" and what follows, as a C string; false when it is too long. */
static bool path_write(struct buffer *path, const char *name, const char *tail)
{
    buffer_init(path, PATH_BYTES_MAX);
    buffer_append_text(path, "/api/schemas/");
    url_append(path, slice_from_text(name));
    buffer_append_text(path, tail);
    return !buffer_failed(path);
}

static struct answer ask(struct invocation *invocation, const char *method,
                         struct buffer *path, struct slice body)
{
    buffer_append_byte(path, '\0');
    return client_call(invocation->client, method, path->data, body, NULL);
}

static enum outcome version_read(const struct invocation *invocation, const char *option,
                                 int64_t *ret_version)
{
    const char *text = given_value(invocation, option);
    if (slice_parse_i64(slice_from_text(text), ret_version) && *ret_version >= 0)
        return OUTCOME_OK;
    return complain(OUTCOME_USAGE, "%s %s is no version", option, text);
}

static enum outcome schema_write(struct json_writer *writer, const char *path)
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
    if (outcome == OUTCOME_OK) {
        json_key_text(writer, "schema");
        json_raw(writer, json_root(tape)->raw);
    }
    json_destroy(tape);
    buffer_finish(&text);
    return outcome;
}

static void bind_write(struct json_writer *writer, const char *kind, const char *part)
{
    json_key_text(writer, "bind");
    json_object_begin(writer);
    if (kind != NULL) {
        json_key_text(writer, "kind");
        json_string_text(writer, kind);
    }
    if (part != NULL) {
        json_key_text(writer, "part");
        json_string_text(writer, part);
    }
    json_object_end(writer);
}

static enum outcome push_write(const struct invocation *invocation, struct buffer *body)
{
    struct json_writer writer;
    int64_t version;
    const char *kind = given_value(invocation, "--bind-kind");
    const char *part = given_value(invocation, "--part");
    bool unbind = given_has(invocation, "--unbind");
    if (unbind && kind != NULL)
        return complain(OUTCOME_USAGE, "--unbind and --bind-kind exclude each other");
    if (part != NULL && kind == NULL)
        return complain(OUTCOME_USAGE, "--part goes with --bind-kind");
    json_writer_init(&writer, body);
    json_object_begin(&writer);
    enum outcome outcome = schema_write(&writer, invocation->arguments[1]);
    if (outcome == OUTCOME_OK && given_value(invocation, "--expected-version") != NULL) {
        outcome = version_read(invocation, "--expected-version", &version);
        if (outcome != OUTCOME_OK)
            return outcome;
        json_key_text(&writer, "expected_version");
        json_i64(&writer, version);
    }
    if (kind != NULL || unbind)
        bind_write(&writer, kind, part);
    /* Half a body is never sent, so it need not be closed. */
    if (outcome != OUTCOME_OK)
        return outcome;
    json_object_end(&writer);
    return buffer_failed(body) ? complain(OUTCOME_FAILED, "out of memory") : OUTCOME_OK;
}

/* "kind review (payload)", or nothing. */
static void bind_append(const struct answer *answer, const struct json_node *object,
                        struct buffer *text)
{
    const struct json_node *bind = member_of(answer, object, "bind");
    if (bind == NULL)
        return;
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

enum outcome schema_push_run(struct invocation *invocation)
{
    struct buffer path;
    struct buffer body;
    struct answer answer = { 0 };
    bool dry_run = given_has(invocation, "--dry-run");
    buffer_init(&body, BODY_BYTES_MAX);
    enum outcome outcome = push_write(invocation, &body);
    if (outcome == OUTCOME_OK) {
        outcome =
            path_write(&path, invocation->arguments[0], dry_run ? "?dry_run=true" : "")
                ? OUTCOME_OK
                : complain(OUTCOME_USAGE, "that is no name");
        if (outcome == OUTCOME_OK)
            answer = ask(invocation, "PUT", &path, buffer_slice(&body));
        buffer_finish(&path);
    }
    buffer_finish(&body);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (answer.outcome != OUTCOME_OK)
        return answer_tell(invocation, &answer);
    if (invocation->json)
        return answer_print(&answer);
    push_show(&answer);
    return OUTCOME_OK;
}

enum outcome schema_list_run(struct invocation *invocation)
{
    static const char *const HEADS[LIST_COLUMNS] = { "SCHEMA",  "VERSION", "BYTES",
                                                     "UPDATED", "BY",      "BOUND TO" };
    struct answer answer = client_call(invocation->client, "GET", "/api/fleet-schemas",
                                       slice_from_text(NULL), NULL);
    if (answer.outcome != OUTCOME_OK)
        return answer_tell(invocation, &answer);
    if (invocation->json)
        return answer_print(&answer);
    struct table table;
    struct buffer text;
    buffer_init(&text, 65536);
    table_init(&table, LIST_COLUMNS);
    for (size_t i = 0; i < LIST_COLUMNS; i++)
        table_cell_text(&table, HEADS[i]);
    const struct json_node *list = member_of(&answer, answer.root, "schemas");
    const struct json_node *item =
        list != NULL && list->kind == JSON_ARRAY ? json_child(answer.tape, list) : NULL;
    for (; item != NULL; item = json_after(answer.tape, list, item)) {
        static const char *const NUMBERS[] = { "version", "bytes" };
        table_cell(&table, member_text(&answer, item, "name"));
        for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++) {
            buffer_clear(&text);
            buffer_append_i64(&text, member_number(&answer, item, NUMBERS[i]));
            table_cell(&table, buffer_slice(&text));
        }
        table_cell_time(&table, member_number(&answer, item, "updated_at"));
        table_cell(&table, member_text(&answer, item, "updated_by"));
        buffer_clear(&text);
        bind_append(&answer, item, &text);
        table_cell(&table, text.size > 0 ? buffer_slice(&text) : SLICE_OF("-"));
    }
    bool shown = table_show(&table, "");
    table_finish(&table);
    buffer_finish(&text);
    return shown ? OUTCOME_OK : complain(OUTCOME_FAILED, "the list cannot be shown");
}

static enum outcome history_show(const struct answer *answer)
{
    static const char *const HEADS[VERSION_COLUMNS] = { "VERSION", "BYTES", "CREATED",
                                                        "BY" };
    struct table table;
    struct buffer text;
    buffer_init(&text, 256);
    table_init(&table, VERSION_COLUMNS);
    for (size_t i = 0; i < VERSION_COLUMNS; i++)
        table_cell_text(&table, HEADS[i]);
    const struct json_node *list = member_of(answer, answer->root, "versions");
    const struct json_node *item =
        list != NULL && list->kind == JSON_ARRAY ? json_child(answer->tape, list) : NULL;
    for (; item != NULL; item = json_after(answer->tape, list, item)) {
        buffer_clear(&text);
        buffer_append_i64(&text, member_number(answer, item, "version"));
        table_cell(&table, buffer_slice(&text));
        buffer_clear(&text);
        buffer_append_i64(&text, member_number(answer, item, "bytes"));
        table_cell(&table, buffer_slice(&text));
        table_cell_time(&table, member_number(answer, item, "created_at"));
        table_cell(&table, member_text(answer, item, "created_by"));
    }
    bool shown = table_show(&table, "");
    table_finish(&table);
    buffer_finish(&text);
    return shown ? OUTCOME_OK : complain(OUTCOME_FAILED, "the list cannot be shown");
}

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

enum outcome schema_show_run(struct invocation *invocation)
{
    struct buffer path;
    int64_t version = 0;
    bool history = given_has(invocation, "--history");
    bool has_version = given_value(invocation, "--version") != NULL;
    if (history && has_version)
        return complain(OUTCOME_USAGE, "--history and --version exclude each other");
    if (has_version && version_read(invocation, "--version", &version) != OUTCOME_OK)
        return OUTCOME_USAGE;
    bool fits = path_write(&path, invocation->arguments[0], history ? "/history" : "");
    if (has_version) {
        buffer_append_text(&path, "?version=");
        buffer_append_i64(&path, version);
    }
    if (!fits) {
        buffer_finish(&path);
        return complain(OUTCOME_USAGE, "that is no name");
    }
    struct answer answer = ask(invocation, "GET", &path, slice_from_text(NULL));
    buffer_finish(&path);
    if (answer.outcome != OUTCOME_OK)
        return answer_tell(invocation, &answer);
    if (invocation->json)
        return answer_print(&answer);
    return history ? history_show(&answer) : text_show(&answer);
}

enum outcome schema_delete_run(struct invocation *invocation)
{
    struct buffer path;
    if (!path_write(&path, invocation->arguments[0], "")) {
        buffer_finish(&path);
        return complain(OUTCOME_USAGE, "that is no name");
    }
    struct answer answer = ask(invocation, "DELETE", &path, slice_from_text(NULL));
    buffer_finish(&path);
    if (answer.outcome != OUTCOME_OK)
        return answer_tell(invocation, &answer);
    if (invocation->json)
        return answer_print(&answer);
    (void)printf("%s deleted\n", invocation->arguments[0]);
    return OUTCOME_OK;
}
