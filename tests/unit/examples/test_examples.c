/*
 * Goal: an example in schemas/ that is not what its schema says stops the build, with the
 * file, the example and the place in it.
 * Method: a copy of schemas/ in which one file says something else.
 */
#include "examples/examples.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_all.h"

enum { LOG_BYTES = 65536 };

static const char SCHEMAS[] = DROVER_SOURCE_DIR "/schemas/.";

struct copy {
    char root[64];
    char log[LOG_BYTES];
    struct examples_report report;
};

static void program_run(const char *const *words)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define RUN(...) program_run((const char *const[]){ __VA_ARGS__, NULL })

static int copy_make(void **state)
{
    struct copy *copy = calloc(1, sizeof *copy);
    assert_non_null(copy);
    snprintf(copy->root, sizeof copy->root, "/tmp/examples-test-XXXXXX");
    assert_non_null(mkdtemp(copy->root));
    RUN("cp", "-r", SCHEMAS, copy->root);
    *state = copy;
    return 0;
}

static int copy_remove(void **state)
{
    struct copy *copy = *state;
    RUN("rm", "-r", copy->root);
    free(copy);
    return 0;
}

/* Puts one text in the place of another, once. */
static void spoil(const struct copy *copy, const char *file, const char *old,
                  const char *other)
{
    char path[512];
    static char text[LOG_BYTES];
    snprintf(path, sizeof path, "%s/%s", copy->root, file);
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    size_t size = fread(text, 1, sizeof text - 1, stream);
    fclose(stream);
    text[size] = '\0';
    char *at = strstr(text, old);
    if (at == NULL)
        fail_msg("%s holds no %s", file, old);
    stream = fopen(path, "w");
    assert_non_null(stream);
    fprintf(stream, "%.*s%s%s", (int)(at - text), text, other, at + strlen(old));
    assert_int_equal(fclose(stream), 0);
}

static bool is_sound(struct copy *copy)
{
    FILE *log = fmemopen(copy->log, sizeof copy->log, "w");
    assert_non_null(log);
    bool sound = examples_check(copy->root, log, &copy->report);
    fclose(log);
    return sound;
}

static void is_told(struct copy *copy, const char *file, const char *place)
{
    char wanted[256];
    snprintf(wanted, sizeof wanted, "%s/%s: %s: ", copy->root, file, place);
    if (is_sound(copy))
        fail_msg("%s is taken", file);
    assert_int_equal(copy->report.problems, 1);
    if (strncmp(copy->log, wanted, strlen(wanted)) != 0)
        fail_msg("not '%s' but '%s'", wanted, copy->log);
}

static void what_stands_in_the_tree_is_sound(void **state)
{
    struct copy *copy = *state;
    if (!is_sound(copy))
        fail_msg("%s", copy->log);
    /* Every part of every example: none is passed over. */
    assert_true(copy->report.files > 100);
    assert_true(copy->report.examples > copy->report.files);
}

static void a_spoilt_frame_is_told(void **state)
{
    spoil(*state, "socket/in/lease_renew.json", "\"generation\": 1",
          "\"generation\": -1");
    is_told(*state, "socket/in/lease_renew.json", "/examples/0/generation");
}

static void a_spoilt_frame_of_the_hub_is_told(void **state)
{
    spoil(*state, "socket/out/pong.json", "\"examples\": [{\"type\": \"pong\"",
          "\"examples\": [{\"type\": \"ping\"");
    is_told(*state, "socket/out/pong.json", "/examples/0/type");
}

static void a_spoilt_request_is_told(void **state)
{
    spoil(*state, "http/post_task.json", "\"priority\": \"high\"",
          "\"priority\": \"hurry\"");
    is_told(*state, "http/post_task.json", "/examples/0/request/priority");
}

static void a_spoilt_header_is_told(void **state)
{
    spoil(*state, "http/post_task.json", "{ \"idempotency-key\": \"build-1742\" }",
          "{ \"idempotency-key\": \"\" }");
    is_told(*state, "http/post_task.json", "/examples/0/headers/idempotency-key");
}

static void a_spoilt_query_is_told(void **state)
{
    spoil(*state, "http/get_tasks.json", "\"status\": \"queued\", \"limit\": 100",
          "\"status\": \"queued\", \"limit\": 0");
    is_told(*state, "http/get_tasks.json", "/examples/0/query/limit");
}

static void a_parameter_left_out_is_told(void **state)
{
    spoil(*state, "http/get_task.json", "{ \"task_id\": \"task-0123456789abcdef\" }",
          "{}");
    is_told(*state, "http/get_task.json", "/examples/0/path");
}

static void a_spoilt_answer_is_told(void **state)
{
    spoil(*state, "http/post_task.json", "\"created_at\": 1767225600000",
          "\"created_at\": \"today\"");
    is_told(*state, "http/post_task.json", "/examples/0/answer/created_at");
}

static void a_part_the_route_does_not_take_is_told(void **state)
{
    spoil(*state, "http/post_task_retry.json", "\"answer\": {",
          "\"query\": {}, \"answer\": {");
    is_told(*state, "http/post_task_retry.json", "/examples/0/query");
}

static void an_error_a_setting_and_a_command_of_our_own_are_held_as_well(void **state)
{
    spoil(*state, "errors.json", "\"retry_after_ms\": 1500", "\"retry_after_ms\": -1");
    is_told(*state, "errors.json", "/http_error/examples/1/retry_after_ms");
    spoil(*state, "errors.json", "\"retry_after_ms\": -1", "\"retry_after_ms\": 1500");

    spoil(*state, "config.json", "\"log_level\": \"notice\" }",
          "\"log_level\": \"loud\" }");
    is_told(*state, "config.json", "/examples/0/log_level");
    spoil(*state, "config.json", "\"log_level\": \"loud\" }",
          "\"log_level\": \"notice\" }");

    spoil(*state, "internal/tick.json", "\"examples\": [{ \"full\": false }]",
          "\"examples\": [1]");
    is_told(*state, "internal/tick.json", "/examples/0");
}

static void a_spoilt_event_is_told(void **state)
{
    spoil(*state, "event/task_completed.json", "\"tokens_used\": 1200",
          "\"tokens_used\": -1");
    is_told(*state, "event/task_completed.json", "/examples/0/tokens_used");
}

static void a_file_that_shows_nothing_is_told(void **state)
{
    spoil(*state, "internal/tick.json", "\"examples\": [{ \"full\": false }]",
          "\"examples\": []");
    is_told(*state, "internal/tick.json", "/examples");
}

static void a_schema_no_example_could_be_held_to_is_told(void **state)
{
    spoil(*state, "internal/tick.json", "\"type\": \"object\"", "\"type\": \"objekt\"");
    is_told(*state, "internal/tick.json", "/type");
    spoil(*state, "internal/tick.json", "\"type\": \"objekt\"",
          "\"type\": \"object\", \"$ref\": \"../none.json\"");
    is_told(*state, "internal/tick.json", "/$ref");
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct copy *copy = *state;
    struct examples_report report;
    FILE *log = fmemopen(copy->log, sizeof copy->log, "w");
    assert_false(examples_check("/nowhere", log, &report));
    fclose(log);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, copy_make, copy_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_stands_in_the_tree_is_sound),
        TEST(a_spoilt_frame_is_told),
        TEST(a_spoilt_frame_of_the_hub_is_told),
        TEST(a_spoilt_request_is_told),
        TEST(a_spoilt_header_is_told),
        TEST(a_spoilt_query_is_told),
        TEST(a_parameter_left_out_is_told),
        TEST(a_spoilt_answer_is_told),
        TEST(a_part_the_route_does_not_take_is_told),
        TEST(an_error_a_setting_and_a_command_of_our_own_are_held_as_well),
        TEST(a_spoilt_event_is_told),
        TEST(a_file_that_shows_nothing_is_told),
        TEST(a_schema_no_example_could_be_held_to_is_told),
        TEST(a_folder_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
