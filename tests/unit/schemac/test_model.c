/*
 * Goal: what the schema compiler does not know, or what contradicts itself, stops the
 * build.
 * Method: a copy of schemas/ with one file put in the place of another is compiled in a
 * child process, which ends with 1 when it is refused and with 0 when it is not.
 */
#include "schemac/model.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_all.h"

static const char *const FOLDERS[] = { "",     "socket",   "socket/in", "socket/out",
                                       "http", "internal", "event" };

struct copy {
    char root[64];
};

static void path_in(char *path, size_t room, const char *root, const char *folder,
                    const char *name)
{
    int size = snprintf(path, room, "%s/%s/%s", root, folder, name);
    assert_true(size > 0 && (size_t)size < room);
}

static void file_link(const char *root, const char *folder, const char *name)
{
    char from[512];
    char to[512];
    path_in(from, sizeof from, DROVER_SOURCE_DIR "/schemas", folder, name);
    path_in(to, sizeof to, root, folder, name);
    assert_int_equal(symlink(from, to), 0);
}

static int copy_make(void **state)
{
    struct copy *copy = calloc(1, sizeof *copy);
    assert_non_null(copy);
    snprintf(copy->root, sizeof copy->root, "/tmp/schemac-test-XXXXXX");
    assert_non_null(mkdtemp(copy->root));
    for (size_t i = 0; i < sizeof FOLDERS / sizeof FOLDERS[0]; i++) {
        char path[512];
        path_in(path, sizeof path, copy->root, FOLDERS[i], "");
        if (i > 0)
            assert_int_equal(mkdir(path, 0700), 0);
        path_in(path, sizeof path, DROVER_SOURCE_DIR "/schemas", FOLDERS[i], "");
        DIR *directory = opendir(path);
        assert_non_null(directory);
        for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
            if (strstr(entry->d_name, ".json") != NULL)
                file_link(copy->root, FOLDERS[i], entry->d_name);
        closedir(directory);
    }
    *state = copy;
    return 0;
}

static void folder_empty(const char *path)
{
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char file[1024];
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (strstr(entry->d_name, ".json") != NULL)
            unlink(file);
    }
    closedir(directory);
}

static int copy_remove(void **state)
{
    struct copy *copy = *state;
    for (size_t i = sizeof FOLDERS / sizeof FOLDERS[0]; i > 0; i--) {
        char path[512];
        path_in(path, sizeof path, copy->root, FOLDERS[i - 1], "");
        folder_empty(path);
        assert_int_equal(rmdir(path), 0);
    }
    free(copy);
    return 0;
}

static void put(const struct copy *copy, const char *folder, const char *name,
                const char *text)
{
    char path[512];
    path_in(path, sizeof path, copy->root, folder, name);
    unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static bool is_taken(const struct copy *copy)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDERR_FILENO);
        model_destroy(model_create(copy->root));
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_in_range(WEXITSTATUS(status), 0, 1);
    return WEXITSTATUS(status) == 0;
}

static void what_stands_in_the_tree_is_taken(void **state)
{
    assert_true(is_taken(*state));
}

/* A message of one member, to be put in the place of status. */
#define STATUS(title, more, required, member)                                                                                                     \
    "{\"title\":\"" title "\",\"description\":\"d\",\"x-kind\":\"command\","                                                                      \
    "\"x-group\":\"agents\",\"x-roles\":[\"agent\"],\"x-scope\":\"agents:connect\",\"x-tier\":\"light\",\"x-answers\":[\"status_updated\"]," more \
    "\"type\":\"object\",\"required\":[\"type\"" required "],"                                                                                    \
    "\"properties\":{\"type\":{\"const\":\"status\"}," member "}}"

static void a_sound_message_is_taken(void **state)
{
    put(*state, "socket/in", "status.json",
        STATUS("status", "", ",\"status\"", "\"status\":{\"type\":\"string\"}"));
    assert_true(is_taken(*state));
}

static void a_contradiction_stops_the_build(void **state)
{
    static const char *const TEXTS[] = {
        /* a keyword nobody checks */
        STATUS("status", "\"dependentRequired\":{},", "",
               "\"a\":{\"type\":[\"string\",\"null\"]}"),
        STATUS("status", "", "",
               "\"a\":{\"type\":[\"string\",\"null\"],\"x-unknown\":1}"),
        /* optional, and yet null is refused */
        STATUS("status", "", "", "\"a\":{\"type\":\"string\"}"),
        /* required, and no property */
        STATUS("status", "", ",\"b\"", "\"a\":{\"type\":[\"string\",\"null\"]}"),
        /* a title that is not the file's name */
        STATUS("statu", "", "", "\"a\":{\"type\":[\"string\",\"null\"]}"),
        /* no C form */
        STATUS("status", "", "", "\"a\":{\"type\":[\"number\",\"null\"]}"),
        STATUS("status", "", "",
               "\"a\":{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"integer\"}}"),
        /* a name that is none in C */
        STATUS("status", "", "", "\"aB\":{\"type\":[\"string\",\"null\"]}"),
        /* two members with one name in C */
        STATUS("status", "", "",
               "\"a-b\":{\"type\":[\"string\",\"null\"]},"
               "\"a_b\":{\"type\":[\"string\",\"null\"]}"),
        /* references into nothing, and past their own limits */
        STATUS("status", "", "", "\"a\":{\"$ref\":\"../../common.json#/$defs/none\"}"),
        STATUS("status", "", "", "\"a\":{\"$ref\":\"../../errors.json#/$defs/task_id\"}"),
        /* one folder too low, and in the file itself */
        STATUS("status", "", ",\"a\"",
               "\"a\":{\"$ref\":\"../common.json#/$defs/task_id\"}"),
        STATUS("status", "", ",\"a\"", "\"a\":{\"$ref\":\"#/$defs/task_id\"}"),
        STATUS("status", "", ",\"a\"",
               "\"a\":{\"$ref\":\"../../common.json#/$defs/task_id\",\"maxLength\":1}"),
        /* no JSON, and a member written twice */
        "{",
        "[]",
        STATUS("status", "\"x-tier\":\"heavy\",", "",
               "\"a\":{\"type\":[\"string\",\"null\"]}"),
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        put(*state, "socket/in", "status.json", TEXTS[i]);
        if (is_taken(*state))
            fail_msg("this should not build: %s", TEXTS[i]);
    }
}

static void who_comes_with_a_token_needs_a_scope_that_exists(void **state)
{
    static const char *const LINES[][2] = {
        { "\"agent\"", "\"x-scope\":\"agents:connect\"," },
        { "\"anybody\",\"agent\"", "" },
        { "\"bootstrap\"", "" },
        { "\"agent\"", "" },
        { "\"agent\"", "\"x-scope\":\"agents\"," },
        { "\"operator\",\"admin\"", "" },
    };
    for (size_t i = 0; i < sizeof LINES / sizeof LINES[0]; i++) {
        char text[1024];
        int size = snprintf(
            text, sizeof text,
            "{\"title\":\"status\",\"description\":\"d\",\"x-kind\":\"command\","
            "\"x-group\":\"agents\",\"x-roles\":[%s],%s\"x-tier\":\"light\","
            "\"x-answers\":[\"status_updated\"],\"type\":\"object\","
            "\"required\":[\"type\"],\"properties\":{\"type\":{\"const\":\"status\"}}}",
            LINES[i][0], LINES[i][1]);
        assert_true(size > 0 && (size_t)size < sizeof text);
        put(*state, "socket/in", "status.json", text);
        assert_int_equal(is_taken(*state), i < 3);
    }
}

static void a_shape_inside_itself_stops_the_build(void **state)
{
    put(*state, "", "common.json",
        "{\"$defs\":{\"task_id\":{\"$ref\":\"#/$defs/task_id\"}}}");
    assert_false(is_taken(*state));
}

#define ROUTE(name, answers)                                                             \
    "{\"name\":\"" name                                                                  \
    "\",\"group\":\"health\",\"summary\":\"s\",\"method\":\"GET\",\"path\":\"/livez\","  \
    "\"roles\":[\"anybody\"],\"tier\":\"none\",\"kind\":\"door\",\"answers\":{" answers  \
    "}}"
#define OK                                                                               \
    "\"200\":{\"description\":\"d\",\"body\":{\"type\":\"object\",\"properties\":{}}}"

static void a_route_names_errors_that_exist_and_one_success(void **state)
{
    static const struct {
        const char *text;
        bool taken;
    } CASES[] = {
        { ROUTE("get_livez", OK), true },
        { ROUTE("get_livez", OK ",\"503\":{\"errors\":[\"unavailable\"]}"), true },
        { ROUTE("get_livez", OK ",\"503\":{\"errors\":[\"on_holiday\"]}"), false },
        { ROUTE("get_livez", "\"503\":{\"errors\":[\"unavailable\"]}"), false },
        { ROUTE("get_alive", OK), false },
        { ROUTE("get_livez", OK ",\"ok\":{\"errors\":[]}"), false },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        put(*state, "http", "get_livez.json", CASES[i].text);
        if (is_taken(*state) != CASES[i].taken)
            fail_msg("%s", CASES[i].text);
    }
}

/* livez with other members in the place of its kind and its group. */
#define LIVEZ(group, kind, more)                                                         \
    "{\"name\":\"get_livez\",\"group\":\"" group                                         \
    "\",\"summary\":\"s\",\"method\":\"GET\","                                           \
    "\"path\":\"/livez\",\"roles\":[\"anybody\"],\"tier\":\"none\",\"kind\":\"" kind     \
    "\"," more "\"answers\":{" OK "}}"

static void a_route_has_a_group_and_shows_what_a_request_has(void **state)
{
    static const struct {
        const char *text;
        bool taken;
    } CASES[] = {
        { LIVEZ("health", "door", ""), true },
        { LIVEZ("wealth", "door", ""), false },
        { LIVEZ("health", "door", "\"document\":\"openapi\","), true },
        /* a query has its answer from the core */
        { LIVEZ("health", "query", "\"document\":\"openapi\","), false },
        { LIVEZ("health", "door", "\"examples\":[{\"query\":{},\"answer\":{}}],"), true },
        { LIVEZ("health", "door", "\"examples\":[{\"quarry\":{},\"answer\":{}}],"),
          false },
        { LIVEZ("health", "door", "\"examples\":[{\"answer\":1}],"), false },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        put(*state, "http", "get_livez.json", CASES[i].text);
        if (is_taken(*state) != CASES[i].taken)
            fail_msg("%s", CASES[i].text);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, copy_make, copy_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_stands_in_the_tree_is_taken),
        TEST(a_sound_message_is_taken),
        TEST(a_contradiction_stops_the_build),
        TEST(who_comes_with_a_token_needs_a_scope_that_exists),
        TEST(a_shape_inside_itself_stops_the_build),
        TEST(a_route_names_errors_that_exist_and_one_success),
        TEST(a_route_has_a_group_and_shows_what_a_request_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
