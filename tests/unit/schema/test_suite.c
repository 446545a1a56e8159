/*
 * Goal: every required test of the public suite for draft 2020-12 passes.
 * Method: each file of the suite is read, each schema compiled with the suite's remote
 * documents known under the address the suite asks for, each instance validated. Without
 * the suite on this machine the test is skipped.
 */
#include "schema/schema.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmocka_all.h"

#define SUITE DROVER_SOURCE_DIR "/../shared/json-schema-test-suite"
#define REMOTES "http://localhost:1234"

/* What ctest takes for "skipped". */
enum { SKIPPED = 77 };

/* A suite that shrank would pass too easily. */
enum { REQUIRED_LEAST = 1299, FORMATS_LEAST = 400, OPTIONAL_LEAST = 100 };

struct tally {
    struct schema_set *set;
    struct schema_run *run;
    enum schema_vocabulary vocabulary;
    int passed;
    int failed;
};

static char *file_read(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    char *text = malloc((size_t)1024 * 1024);
    assert_non_null(text);
    *ret_size = fread(text, 1, (size_t)1024 * 1024, file);
    fclose(file);
    return text;
}

static void remotes_add(struct schema_set *set, const char *below)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/remotes%s", SUITE, below);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char inner[512];
        char uri[1024];
        struct stat info;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(inner, sizeof inner, "%s/%s", below, entry->d_name);
        snprintf(path, sizeof path, "%s/remotes%s", SUITE, inner);
        snprintf(uri, sizeof uri, REMOTES "%s", inner);
        assert_int_equal(stat(path, &info), 0);
        if (S_ISDIR(info.st_mode)) {
            remotes_add(set, inner);
            continue;
        }
        size_t size;
        struct schema_problem problem;
        char *text = file_read(path, &size);
        enum err err =
            schema_set_add(set, slice_from_text(uri), slice_make(text, size), &problem);
        if (err != ERR_OK)
            fail_msg("%s: %s%s", uri, problem.pointer, problem.reason);
        free(text);
    }
    closedir(folder);
}

static struct slice text_of(const struct json *json, const struct json_node *object,
                            const char *key)
{
    return json_member(json, object, slice_from_text(key))->value.text;
}

static void case_run(struct tally *tally, const char *file, const struct json *json,
                     const struct json_node *group, const struct schema *schema,
                     const char *why, const struct json_node *test)
{
    struct slice about = text_of(json, group, "description");
    struct slice name = text_of(json, test, "description");
    bool wanted = json_member(json, test, SLICE_OF("valid"))->kind == JSON_TRUE;
    const struct json_node *data = json_member(json, test, SLICE_OF("data"));
    bool valid = !wanted;
    if (schema != NULL &&
        schema_validate(schema, tally->run, json, data, true, &valid) != ERR_OK)
        why = "no verdict";
    bool explained = valid || schema_violation_count(tally->run) > 0;
    if (schema != NULL && valid == wanted && explained && why[0] == '\0') {
        tally->passed++;
        return;
    }
    tally->failed++;
    print_error("%s: %.*s: %.*s: %s\n", file, (int)about.size, about.data, (int)name.size,
                name.data, why[0] != '\0' ? why : "wrong verdict");
}

static void group_run(struct tally *tally, const char *file, const struct json *json,
                      const struct json_node *group)
{
    struct schema *schema = NULL;
    struct schema_problem problem = { "", "" };
    char why[600] = "";
    enum err err =
        schema_compile(tally->set, json_member(json, group, SLICE_OF("schema"))->raw,
                       tally->vocabulary, &schema, &problem);
    if (err != ERR_OK)
        snprintf(why, sizeof why, "%s: %s", problem.pointer, problem.reason);

    const struct json_node *tests = json_member(json, group, SLICE_OF("tests"));
    for (const struct json_node *test = json_child(json, tests); test != NULL;
         test = json_after(json, tests, test))
        case_run(tally, file, json, group, schema, why, test);
    schema_destroy(schema);
}

static void file_run(struct tally *tally, const char *folder, const char *file)
{
    char path[1024];
    size_t size;
    snprintf(path, sizeof path, "%s/tests/draft2020-12/%s%s", SUITE, folder, file);
    char *text = file_read(path, &size);
    assert_non_null(text);
    struct json *json = json_create(&JSON_LIMITS_DEFAULT);
    assert_non_null(json);
    struct json_problem problem;
    assert_int_equal(json_parse(json, slice_make(text, size), &problem), ERR_OK);
    const struct json_node *root = json_root(json);
    for (const struct json_node *group = json_child(json, root); group != NULL;
         group = json_after(json, root, group))
        group_run(tally, file, json, group);
    json_destroy(json);
    free(text);
}

static void tally_start(struct tally *tally, enum schema_vocabulary vocabulary)
{
    *tally = (struct tally){ .vocabulary = vocabulary };
    tally->set = schema_set_create();
    tally->run = schema_run_create();
    assert_non_null(tally->set);
    assert_non_null(tally->run);
    remotes_add(tally->set, "");
}

static void tally_stop(struct tally *tally)
{
    schema_run_destroy(tally->run);
    schema_set_destroy(tally->set);
}

static void folder_run(struct tally *tally, const char *folder)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/tests/draft2020-12/%s", SUITE, folder);
    DIR *files = opendir(path);
    assert_non_null(files);
    for (struct dirent *entry = readdir(files); entry != NULL; entry = readdir(files)) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot != NULL && strcmp(dot, ".json") == 0)
            file_run(tally, folder, entry->d_name);
    }
    closedir(files);
    print_message("%s: %d passed, %d failed\n", folder, tally->passed, tally->failed);
}

static void every_required_test_of_the_draft_passes(void **state)
{
    (void)state;
    struct tally tally;
    tally_start(&tally, SCHEMA_STANDARD);
    folder_run(&tally, "");
    tally_stop(&tally);
    assert_int_equal(tally.failed, 0);
    assert_true(tally.passed >= REQUIRED_LEAST);
}

static void files_run(const char *folder, const char *const *files, size_t count,
                      enum schema_vocabulary vocabulary, int least)
{
    struct tally tally;
    tally_start(&tally, vocabulary);
    for (size_t i = 0; i < count; i++)
        file_run(&tally, folder, files[i]);
    tally_stop(&tally);
    print_message("%s: %d passed, %d failed\n", folder, tally.passed, tally.failed);
    assert_int_equal(tally.failed, 0);
    assert_true(tally.passed >= least);
}

static void every_test_of_the_formats_we_name_passes(void **state)
{
    (void)state;
    static const char *const FILES[] = {
        "date-time.json",
        "date.json",
        "time.json",
        "duration.json",
        "email.json",
        "hostname.json",
        "ipv4.json",
        "ipv6.json",
        "uri.json",
        "uri-reference.json",
        "uuid.json",
        "json-pointer.json",
        "relative-json-pointer.json",
        "regex.json",
        "ecmascript-regex.json",
        "unknown.json",
    };
    files_run("optional/format/", FILES, sizeof FILES / sizeof FILES[0], SCHEMA_FORMATS,
              FORMATS_LEAST);
}

/* Left out: cross-draft.json (we speak one draft) and dependencies-compatibility.json (a
 * keyword of older drafts). */
static void the_optional_tests_we_mean_to_pass_do(void **state)
{
    (void)state;
    static const char *const FILES[] = {
        "anchor.json",
        "bignum.json",
        "dynamicRef.json",
        "ecmascript-regex.json",
        "float-overflow.json",
        "format-assertion.json",
        "id.json",
        "no-schema.json",
        "non-bmp-regex.json",
        "refOfUnknownKeyword.json",
        "unknownKeyword.json",
    };
    files_run("optional/", FILES, sizeof FILES / sizeof FILES[0], SCHEMA_STANDARD,
              OPTIONAL_LEAST);
}

int main(void)
{
    struct stat info;
    if (stat(SUITE "/tests/draft2020-12", &info) != 0) {
        fprintf(stderr, "skipped: there is no suite at %s\n", SUITE);
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_required_test_of_the_draft_passes),
        cmocka_unit_test(every_test_of_the_formats_we_name_passes),
        cmocka_unit_test(the_optional_tests_we_mean_to_pass_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
