/* drover schema suite: the public tests of JSON Schema, run by our validator. */
#include "cli/schema_file.h"
#include "os/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DRAFT "tests/draft2020-12"

/* Where the suite's tests expect its remote documents. */
#define REMOTES "http://localhost:1234"

enum { PATH_MAX_BYTES = 4096, FOLDERS_DEEP_MAX = 8, LINE_BYTES_MAX = 64 * 1024 };

/* Formats of the draft that stay annotations here. */
static const char *const ANNOTATIONS[] = { "idn-email.json", "idn-hostname.json",
                                           "iri.json", "iri-reference.json",
                                           "uri-template.json" };

struct suite {
    struct schema_tools tools;
    const char *root;
    const char *file; /* being run */
    enum schema_vocabulary vocabulary;
    unsigned long passed;
    unsigned long failed;
    bool quiet;
};

static bool is_annotation(const char *file)
{
    for (size_t i = 0; i < sizeof ANNOTATIONS / sizeof ANNOTATIONS[0]; i++)
        if (strcmp(ANNOTATIONS[i], file) == 0)
            return true;
    return false;
}

static int entry_wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool is_json(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL && strcmp(dot, ".json") == 0;
}

static struct slice text_of(const struct json *json, const struct json_node *object,
                            const char *key)
{
    const struct json_node *value = json_member(json, object, slice_from_text(key));
    return value != NULL && value->kind == JSON_STRING ? value->value.text
                                                       : SLICE_OF("?");
}

static void failure_show(struct suite *suite, struct slice group, struct slice name,
                         const char *why)
{
    struct buffer line;
    suite->failed++;
    if (suite->quiet)
        return;
    buffer_init(&line, LINE_BYTES_MAX);
    buffer_append_text(&line, suite->file);
    buffer_append_text(&line, ": ");
    buffer_append_slice(&line, group);
    buffer_append_text(&line, ": ");
    buffer_append_slice(&line, name);
    buffer_append_text(&line, ": ");
    buffer_append_text(&line, why);
    schema_line_show(&line);
    buffer_finish(&line);
}

/* A wrong verdict, none at all, or one that is not explained. */
static const char *test_fault(struct suite *suite, const struct schema *schema,
                              const struct json_node *test)
{
    const struct json *json = suite->tools.json;
    const struct json_node *wanted = json_member(json, test, SLICE_OF("valid"));
    const struct json_node *data = json_member(json, test, SLICE_OF("data"));
    bool valid = false;
    if (wanted == NULL || data == NULL)
        return "this is no test";
    if (schema_validate(schema, suite->tools.run, json, data, true, &valid) != ERR_OK)
        return "no verdict";
    if (valid != (wanted->kind == JSON_TRUE))
        return valid ? "found valid" : "found not valid";
    if (!valid && schema_violation_count(suite->tools.run) == 0)
        return "not valid without a reason";
    return NULL;
}

static void group_run(struct suite *suite, const struct json_node *group)
{
    const struct json *json = suite->tools.json;
    const struct json_node *text = json_member(json, group, SLICE_OF("schema"));
    const struct json_node *tests = json_member(json, group, SLICE_OF("tests"));
    struct slice about = text_of(json, group, "description");
    struct schema *schema = NULL;
    struct schema_problem problem = { "", "there is none" };
    char why[sizeof problem.pointer + sizeof problem.reason + 32] = "";

    if (text == NULL || schema_compile(suite->tools.set, text->raw, suite->vocabulary,
                                       &schema, &problem) != ERR_OK)
        (void)snprintf(why, sizeof why, "no schema: %s: %s", problem.pointer,
                       problem.reason);
    if (tests == NULL || tests->kind != JSON_ARRAY) {
        failure_show(suite, about, SLICE_OF("?"), "there are no tests");
        tests = NULL;
    }
    for (const struct json_node *test = tests != NULL ? json_child(json, tests) : NULL;
         test != NULL; test = json_after(json, tests, test)) {
        const char *fault = schema == NULL ? why : test_fault(suite, schema, test);
        if (fault == NULL)
            suite->passed++;
        else
            failure_show(suite, about, text_of(json, test, "description"), fault);
    }
    schema_destroy(schema);
}

static enum outcome tests_run(struct suite *suite, const char *path)
{
    struct buffer text;
    struct json_problem problem;
    struct json *json = suite->tools.json;
    enum outcome outcome = schema_file_read(path, &text);
    if (outcome == OUTCOME_OK &&
        json_parse(json, buffer_slice(&text), &problem) != ERR_OK)
        outcome = complain(OUTCOME_FAILED, "%s: %s, at byte %zu", path, problem.reason,
                           problem.offset);
    const struct json_node *root = outcome == OUTCOME_OK ? json_root(json) : NULL;
    if (root != NULL && root->kind != JSON_ARRAY)
        outcome = complain(OUTCOME_FAILED, "%s: these are no tests", path);
    else if (root != NULL)
        for (const struct json_node *group = json_child(json, root); group != NULL;
             group = json_after(json, root, group))
            group_run(suite, group);
    buffer_finish(&text);
    return outcome;
}

/* Every file of a folder of tests, in the order of their names. */
static enum outcome folder_run(struct suite *suite, const char *below)
{
    char path[PATH_MAX_BYTES];
    struct dirent **entries = NULL;
    enum outcome outcome = OUTCOME_OK;
    (void)snprintf(path, sizeof path, "%s/%s", suite->root, below);
    int count = scandir(path, &entries, entry_wanted, alphasort);
    if (count < 0)
        return complain(OUTCOME_NOT_FOUND, "there is no folder %s", path);
    for (int i = 0; i < count; i++) {
        suite->file = entries[i]->d_name;
        int size =
            snprintf(path, sizeof path, "%s/%s/%s", suite->root, below, suite->file);
        if (is_json(suite->file) && !is_annotation(suite->file))
            outcome = outcome_worse(outcome,
                                    size < (int)sizeof path
                                        ? tests_run(suite, path)
                                        : complain(OUTCOME_FAILED, "a path is too long"));
        free(entries[i]);
    }
    free(entries);
    return outcome;
}

static enum outcome remote_add(struct suite *suite, const char *path, const char *below)
{
    struct buffer text;
    char uri[PATH_MAX_BYTES];
    struct schema_problem problem = { "", "" };
    enum outcome outcome = schema_file_read(path, &text);
    (void)snprintf(uri, sizeof uri, REMOTES "%s", below);
    if (outcome == OUTCOME_OK && schema_set_add(suite->tools.set, slice_from_text(uri),
                                                buffer_slice(&text), &problem) != ERR_OK)
        outcome =
            complain(OUTCOME_FAILED, "%s: %s: %s", path, problem.pointer, problem.reason);
    buffer_finish(&text);
    return outcome;
}

/* Every document below DIR/remotes; a suite may have none. */
static enum outcome remotes_add(struct suite *suite, const char *below, unsigned deep)
{
    char path[PATH_MAX_BYTES];
    char inner[PATH_MAX_BYTES / 2];
    struct dirent **entries = NULL;
    enum outcome outcome = OUTCOME_OK;
    (void)snprintf(path, sizeof path, "%s/remotes%s", suite->root, below);
    int count = scandir(path, &entries, entry_wanted, alphasort);
    for (int i = 0; i < count; i++) {
        struct stat info = { 0 };
        int size = snprintf(inner, sizeof inner, "%s/%s", below, entries[i]->d_name);
        int whole = snprintf(path, sizeof path, "%s/remotes%s", suite->root, inner);
        if (size >= (int)sizeof inner || whole >= (int)sizeof path)
            outcome = complain(OUTCOME_FAILED, "a path is too long");
        else if (stat(path, &info) == 0 && S_ISDIR(info.st_mode) &&
                 deep < FOLDERS_DEEP_MAX)
            outcome = outcome_worse(outcome, remotes_add(suite, inner, deep + 1));
        else if (is_json(inner) && S_ISREG(info.st_mode))
            outcome = outcome_worse(outcome, remote_add(suite, path, inner));
        free(entries[i]);
    }
    free(entries);
    return outcome;
}

enum outcome schema_suite_run(struct invocation *invocation)
{
    struct suite suite = { .root = invocation->arguments[0], .quiet = invocation->json };
    enum outcome outcome = OUTCOME_FAILED;
    if (schema_tools_init(&suite.tools)) {
        outcome = remotes_add(&suite, "", 0);
        outcome = outcome_worse(outcome, folder_run(&suite, DRAFT));
        suite.vocabulary = SCHEMA_FORMATS;
        if (given_has(invocation, "--optional"))
            outcome =
                outcome_worse(outcome, folder_run(&suite, DRAFT "/optional/format"));
        (void)printf(invocation->json ? "{\"passed\":%lu,\"failed\":%lu}\n"
                                      : "%lu passed, %lu failed\n",
                     suite.passed, suite.failed);
    }
    schema_tools_finish(&suite.tools);
    if (suite.failed > 0 || suite.passed == 0)
        outcome = outcome_worse(outcome, OUTCOME_FAILED);
    return outcome;
}
