/*
 * Goal: a method and a path find their route, or say which of the two is wrong.
 */
#include "wire/wire.h"

#include <string.h>

#include "cmocka_all.h"

enum { PARAMETERS_MAX = 4 };

struct found {
    enum message_type type;
    struct wire_parameter parameters[PARAMETERS_MAX];
    size_t count;
    bool other_method;
};

static struct found route(const char *method, const char *path)
{
    struct found found = { .type = MESSAGE_NONE };
    found.type =
        wire_route(slice_from_text(method), slice_from_text(path), found.parameters,
                   PARAMETERS_MAX, &found.count, &found.other_method);
    return found;
}

static void a_path_finds_its_route_and_its_parameters(void **state)
{
    (void)state;
    struct found found = route("POST", "/api/tasks/task-1/retry");
    assert_int_equal(found.type, MESSAGE_POST_TASK_RETRY);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.parameters[0].place, FIELD_IN_PATH);
    assert_true(slice_equal_text(found.parameters[0].name, "task_id"));
    assert_true(slice_equal_text(found.parameters[0].value, "task-1"));

    assert_int_equal(route("GET", "/health").type, MESSAGE_GET_HEALTH);
    assert_int_equal(route("GET", "/health").count, 0);
}

static void the_method_tells_routes_of_one_path_apart(void **state)
{
    (void)state;
    assert_int_equal(route("GET", "/api/tasks").type, MESSAGE_GET_TASKS);
    assert_int_equal(route("POST", "/api/tasks").type, MESSAGE_POST_TASK);
    assert_int_equal(route("GET", "/admin/tokens").type, MESSAGE_GET_ADMIN_TOKENS);
    assert_int_equal(route("DELETE", "/admin/tokens/ada").type,
                     MESSAGE_DELETE_ADMIN_TOKEN);
}

static void a_word_wins_over_a_parameter(void **state)
{
    (void)state;
    assert_int_equal(route("GET", "/api/tasks/stats").type, MESSAGE_GET_TASKS_STATS);
    assert_int_equal(route("GET", "/api/tasks/dead-letter").type,
                     MESSAGE_GET_TASKS_DEAD_LETTER);
    assert_int_equal(route("GET", "/api/tasks/statistics").type, MESSAGE_GET_TASK);
}

static void a_path_under_another_method_is_told_apart_from_no_path(void **state)
{
    (void)state;
    struct found found = route("PUT", "/api/tasks");
    assert_int_equal(found.type, MESSAGE_NONE);
    assert_true(found.other_method);
    found = route("GET", "/api/nothing");
    assert_int_equal(found.type, MESSAGE_NONE);
    assert_false(found.other_method);
    assert_false(route("GET", "/health").other_method);
}

static void what_only_looks_like_a_path_finds_nothing(void **state)
{
    static const char *const PATHS[] = {
        "",
        "/",
        "health",
        "/health/",
        "//health",
        "/Health",
        "/api/tasks/",
        "/api//tasks",
        "/api/tasks//retry",
        "/healthy",
        "/heal",
        "/api/tasks/a/b",
        "/api/tasks/a/retry/x",
    };
    (void)state;
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        if (route("GET", PATHS[i]).type != MESSAGE_NONE ||
            route("POST", PATHS[i]).type != MESSAGE_NONE)
            fail_msg("\"%s\" found a route", PATHS[i]);
    }
}

static void every_route_is_found_by_its_own_pattern(void **state)
{
    (void)state;
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        const struct message_row *row = &MESSAGE_ROWS[i];
        struct wire_parameter parameters[PARAMETERS_MAX];
        size_t count;
        bool other;
        if (row->direction == DIRECTION_HTTP_REQUEST)
            assert_int_equal(wire_route(row->method, row->path, parameters,
                                        PARAMETERS_MAX, &count, &other),
                             i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_finds_its_route_and_its_parameters),
        cmocka_unit_test(the_method_tells_routes_of_one_path_apart),
        cmocka_unit_test(a_word_wins_over_a_parameter),
        cmocka_unit_test(a_path_under_another_method_is_told_apart_from_no_path),
        cmocka_unit_test(what_only_looks_like_a_path_finds_nothing),
        cmocka_unit_test(every_route_is_found_by_its_own_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
