/* drover schema check: is this a schema, and do these files keep it? */
#include "cli/schema_file.h"
#include "json/writer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES_MAX = 256 * 1024, NAME_BYTES_MAX = 4096 };
#define OUTPUT_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct check {
    struct schema_tools tools;
    struct schema *schema;
    bool json; /* the standard's basic output */
};

/* The file's whole path as a reference, so that files refer to each other by path however
 * they were named here. What has no path (standard input, a pipe) goes by its own name. */
static bool document_name(const char *path, struct buffer *name)
{
    char *whole = realpath(path, NULL);
    for (const char *at = whole != NULL ? whole : path; *at != '\0'; at++) {
        char code[4];
        if (isalnum((unsigned char)*at) || strchr("/-._~", *at) != NULL) {
            buffer_append_byte(name, *at);
            continue;
        }
        (void)snprintf(code, sizeof code, "%%%02X", (unsigned char)*at);
        buffer_append_text(name, code);
    }
    free(whole);
    return !buffer_failed(name);
}

/* A verdict of our own in the standard's form: there is no schema, or no JSON. */
static void refusal_show(const struct check *check, const char *file,
                         const char *keyword_location, const char *reason)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, LINE_BYTES_MAX);
    if (check->json) {
        json_writer_init(&writer, &text);
        json_object_begin(&writer);
        json_key_text(&writer, "valid");
        json_bool(&writer, false);
        json_key_text(&writer, "errors");
        json_array_begin(&writer);
        json_object_begin(&writer);
        json_key_text(&writer, "valid");
        json_bool(&writer, false);
        json_key_text(&writer, "keywordLocation");
        json_string_text(&writer, keyword_location);
        json_key_text(&writer, "instanceLocation");
        json_string_text(&writer, "");
        json_key_text(&writer, "error");
        json_string_text(&writer, reason);
        json_object_end(&writer);
        json_array_end(&writer);
        json_object_end(&writer);
        (void)printf("%.*s\n", (int)text.size, buffer_slice(&text).data);
    } else {
        buffer_append_text(&text, file);
        buffer_append_text(&text, ": ");
        if (keyword_location[0] != '\0') {
            buffer_append_text(&text, "at ");
            buffer_append_text(&text, keyword_location);
            buffer_append_text(&text, ": ");
        }
        buffer_append_text(&text, reason);
        schema_line_show(&text);
    }
    buffer_finish(&text);
}

static enum outcome problem_tell(const struct check *check, const char *path,
                                 const struct schema_problem *problem)
{
    char reason[sizeof problem->reason + 32];
    (void)snprintf(reason, sizeof reason, "no schema: %s", problem->reason);
    refusal_show(check, path, problem->pointer, reason);
    return OUTCOME_FAILED;
}

static enum outcome document_add(struct check *check, const char *path,
                                 struct buffer *name)
{
    struct buffer text;
    struct schema_problem problem = { "", "" };
    enum outcome outcome = schema_file_read(path, &text);
    if (outcome == OUTCOME_OK && !document_name(path, name))
        outcome = complain(OUTCOME_FAILED, "the name of %s is too long", path);
    if (outcome == OUTCOME_OK && schema_set_add(check->tools.set, buffer_slice(name),
                                                buffer_slice(&text), &problem) != ERR_OK)
        outcome = problem_tell(check, path, &problem);
    buffer_finish(&text);
    return outcome;
}

static enum outcome schema_take(struct invocation *invocation, struct check *check)
{
    struct buffer name;
    struct buffer other;
    size_t at = 0;
    const char *path;
    buffer_init(&name, NAME_BYTES_MAX);
    buffer_init(&other, NAME_BYTES_MAX);
    enum outcome outcome = document_add(check, invocation->arguments[0], &name);
    while (outcome == OUTCOME_OK &&
           (path = given_next(invocation, "--with", &at)) != NULL) {
        buffer_clear(&other);
        outcome = document_add(check, path, &other);
    }
    if (outcome == OUTCOME_OK) {
        struct schema_problem problem = { "", "" };
        unsigned vocabulary =
            (given_has(invocation, "--strict") ? SCHEMA_STRICT : SCHEMA_STANDARD) |
            (given_has(invocation, "--format") ? SCHEMA_FORMATS : SCHEMA_STANDARD);
        if (schema_compile_named(check->tools.set, buffer_slice(&name),
                                 (enum schema_vocabulary)vocabulary, &check->schema,
                                 &problem) != ERR_OK)
            outcome = problem_tell(check, invocation->arguments[0], &problem);
    }
    buffer_finish(&other);
    buffer_finish(&name);
    return outcome;
}

static void violation_show(const struct schema_violation *violation, struct buffer *line)
{
    buffer_append_text(line, "  at ");
    if (violation->instance_location.size == 0)
        buffer_append_text(line, "the top");
    buffer_append_slice(line, violation->instance_location);
    buffer_append_text(line, ": ");
    if (slice_equal_text(violation->keyword, "required") ||
        slice_equal_text(violation->keyword, "dependentRequired")) {
        buffer_append_byte(line, '"');
        buffer_append_slice(line, violation->detail);
        buffer_append_text(line, "\" is missing");
    } else {
        buffer_append_slice(line, violation->detail);
    }
    /* A schema that is `false` has no keyword to name. */
    if (violation->keyword_location.size > 0) {
        buffer_append_text(line, " (");
        buffer_append_slice(line, violation->keyword_location);
        buffer_append_byte(line, ')');
    }
    schema_line_show(line);
}

static void verdict_show(const struct check *check, const char *path, bool valid)
{
    const struct schema_run *run = check->tools.run;
    struct buffer text;
    buffer_init(&text, check->json ? OUTPUT_BYTES_MAX : LINE_BYTES_MAX);
    if (check->json) {
        struct json_writer writer;
        json_writer_init(&writer, &text);
        schema_output_basic(run, valid, &writer);
        (void)fwrite(buffer_slice(&text).data, 1, text.size, stdout);
        (void)putchar('\n');
        buffer_finish(&text);
        return;
    }
    buffer_append_text(&text, path);
    buffer_append_text(&text, valid ? ": valid" : ": not valid");
    schema_line_show(&text);
    size_t count = valid ? 0 : schema_violation_count(run);
    for (size_t i = 0; i < count; i++)
        violation_show(schema_violation_at(run, i), &text);
    if (count == SCHEMA_VIOLATIONS_MAX)
        (void)puts("  there may be more");
    buffer_finish(&text);
}

static enum outcome instance_check(struct check *check, const char *path)
{
    struct buffer text;
    struct json_problem problem;
    bool valid = false;
    enum outcome outcome = schema_file_read(path, &text);
    if (outcome != OUTCOME_OK) {
        buffer_finish(&text);
        return outcome;
    }
    struct json *json = check->tools.json;
    outcome = OUTCOME_FAILED;
    if (json_parse(json, buffer_slice(&text), &problem) != ERR_OK) {
        char reason[256];
        (void)snprintf(reason, sizeof reason, "no JSON: %s, at byte %zu", problem.reason,
                       problem.offset);
        refusal_show(check, path, "", reason);
    } else if (schema_validate(check->schema, check->tools.run, json, json_root(json),
                               true, &valid) != ERR_OK) {
        refusal_show(check, path, "",
                     "no verdict: it goes in circles, or takes too long");
    } else {
        verdict_show(check, path, valid);
        outcome = valid ? OUTCOME_OK : OUTCOME_FAILED;
    }
    buffer_finish(&text);
    return outcome;
}

enum outcome schema_check_run(struct invocation *invocation)
{
    struct check check = { .json = invocation->json };
    enum outcome outcome = OUTCOME_FAILED;
    if (schema_tools_init(&check.tools))
        outcome = schema_take(invocation, &check);
    if (outcome == OUTCOME_OK && invocation->argument_count == 1)
        (void)printf(check.json ? "{\"valid\":true}\n" : "a valid schema\n");
    for (size_t i = 1; check.schema != NULL && i < invocation->argument_count; i++)
        outcome =
            outcome_worse(outcome, instance_check(&check, invocation->arguments[i]));
    schema_destroy(check.schema);
    schema_tools_finish(&check.tools);
    return outcome;
}
