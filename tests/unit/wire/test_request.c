/*
 * Goal: path, query, headers and body of a request become one struct, and one answer names
 * all that is wrong in any of them.
 */
#include "support/wire/bench.h"

#include <string.h>

#include "cmocka_all.h"

#define PATH(name, value)                                                                \
    {                                                                                    \
        FIELD_IN_PATH, SLICE(name), SLICE(value)                                         \
    }
#define QUERY(name, value)                                                               \
    {                                                                                    \
        FIELD_IN_QUERY, SLICE(name), SLICE(value)                                        \
    }
#define HEADER(name, value)                                                              \
    {                                                                                    \
        FIELD_IN_HEADER, SLICE(name), SLICE(value)                                       \
    }
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void assert_slice(struct slice slice, const char *text)
{
    assert_true(slice_is_present(slice));
    assert_int_equal(slice.size, strlen(text));
    assert_memory_equal(slice.data, text, slice.size);
}

static void every_place_is_read(void **state)
{
    struct bench *bench = *state;
    const struct wire_parameter submit[] = { HEADER("idempotency-key", "k1") };
    assert_true(bench_request(bench, MESSAGE_POST_TASK, submit, COUNT(submit),
                              "{\"description\":\"x\",\"metadata\":{\"a\": 1}}"));
    assert_slice(bench->message.as.post_task.idempotency_key, "k1");
    assert_slice(bench->message.as.post_task.description, "x");
    assert_slice(bench->message.as.post_task.metadata, "{\"a\": 1}");

    const struct wire_parameter cancel[] = { PATH("task_id", "task-1") };
    assert_true(bench_request(bench, MESSAGE_POST_TASK_CANCEL, cancel, COUNT(cancel),
                              "{\"reason\":\"late\"}"));
    assert_slice(bench->message.as.post_task_cancel.task_id, "task-1");
    assert_slice(bench->message.as.post_task_cancel.reason, "late");

    const struct wire_parameter list[] = { QUERY("status", "working"),
                                           QUERY("limit", "5") };
    assert_true(bench_request(bench, MESSAGE_GET_TASKS, list, COUNT(list), NULL));
    assert_slice(bench->message.as.get_tasks.status, "working");
    assert_int_equal(bench->message.as.get_tasks.limit, 5);
}

static void a_limit_left_out_has_its_default(void **state)
{
    struct bench *bench = *state;
    assert_true(bench_request(bench, MESSAGE_GET_TASKS, NULL, 0, NULL));
    assert_true(bench->message.as.get_tasks.has_limit);
    assert_int_equal(bench->message.as.get_tasks.limit, 100);
    assert_false(slice_is_present(bench->message.as.get_tasks.cursor));
}

static void no_body_is_an_empty_object(void **state)
{
    struct bench *bench = *state;
    const struct wire_parameter cancel[] = { PATH("task_id", "task-1") };
    assert_true(
        bench_request(bench, MESSAGE_POST_TASK_CANCEL, cancel, COUNT(cancel), NULL));
    assert_true(
        bench_request(bench, MESSAGE_POST_TASK_CANCEL, cancel, COUNT(cancel), ""));
    assert_false(slice_is_present(bench->message.as.post_task_cancel.reason));

    assert_false(bench_request(bench, MESSAGE_POST_TASK, NULL, 0, ""));
    assert_string_equal(bench_refusal_text(bench, true),
                        "{\"error\":\"validation_failed\",\"errors\":["
                        "{\"field\":\"description\",\"error\":\"required\","
                        "\"detail\":\"field is required\"}]}");
}

static void a_parameter_is_checked_as_a_member_is(void **state)
{
    static const struct {
        struct wire_parameter parameter;
        const char *error;
    } CASES[] = {
        { QUERY("limit", "many"), "wrong_type" },
        { QUERY("limit", "0"), "invalid_value" },
        { QUERY("limit", "1001"), "invalid_value" },
        { QUERY("limit", "1.5"), "wrong_type" },
        { QUERY("limit", "99999999999999999999"), "wrong_type" },
        { QUERY("limit", ""), "wrong_type" },
        { QUERY("status", "lost"), "invalid_value" },
        { QUERY("status", ""), "invalid_value" },
        { QUERY("priority", "1"), "invalid_value" },
        { QUERY("cursor", ""), "invalid_value" },
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        assert_false(
            bench_request(bench, MESSAGE_GET_TASKS, &CASES[i].parameter, 1, NULL));
        assert_int_equal(bench->refusal.code, ERROR_VALIDATION_FAILED);
        assert_true(slice_equal(bench->refusal.items[0].field, CASES[i].parameter.name));
        assert_slice(bench->refusal.items[0].error, CASES[i].error);
    }
}

static void a_parameter_given_twice_is_refused(void **state)
{
    struct bench *bench = *state;
    const struct wire_parameter twice[] = { QUERY("limit", "5"), QUERY("limit", "5") };
    assert_false(bench_request(bench, MESSAGE_GET_TASKS, twice, COUNT(twice), NULL));
    assert_slice(bench->refusal.items[0].detail, "given more than once");
}

static void an_unknown_parameter_or_one_elsewhere_is_ignored(void **state)
{
    struct bench *bench = *state;
    const struct wire_parameter strange[] = {
        QUERY("colour", "red"),
        HEADER("limit", "many"),
        PATH("limit", "many"),
        QUERY("colour", "blue"),
    };
    assert_true(bench_request(bench, MESSAGE_GET_TASKS, strange, COUNT(strange), NULL));
    assert_int_equal(bench->message.as.get_tasks.limit, 100);
}

static void a_body_cannot_stand_in_for_a_path(void **state)
{
    struct bench *bench = *state;
    const struct wire_parameter cancel[] = { PATH("task_id", "task-1") };
    assert_true(bench_request(bench, MESSAGE_POST_TASK_CANCEL, cancel, COUNT(cancel),
                              "{\"task_id\":\"task-2\"}"));
    assert_slice(bench->message.as.post_task_cancel.task_id, "task-1");
}

static void one_answer_names_what_is_wrong_in_every_place(void **state)
{
    struct bench *bench = *state;
    const struct wire_parameter header[] = { HEADER("idempotency-key", "") };
    assert_false(bench_request(bench, MESSAGE_POST_TASK, header, 1, "{\"priority\":7}"));
    assert_int_equal(bench->refusal.item_count, 3);
    assert_slice(bench->refusal.items[0].field, "idempotency-key");
    assert_slice(bench->refusal.items[1].field, "description");
    assert_slice(bench->refusal.items[2].field, "priority");
}

static void a_broken_body_is_invalid_json(void **state)
{
    struct bench *bench = *state;
    assert_false(bench_request(bench, MESSAGE_POST_TASK, NULL, 0, "{\"description\":"));
    assert_int_equal(bench->refusal.code, ERROR_INVALID_JSON);
    assert_false(bench_request(bench, MESSAGE_POST_TASK, NULL, 0, "[]"));
    assert_int_equal(bench->refusal.code, ERROR_VALIDATION_FAILED);
}

static void strange_bytes_in_a_parameter_do_no_harm(void **state)
{
    struct bench *bench = *state;
    static const char BYTES[] = { '\xff', '\0', '"', '\\', '\n', '\xed', '\xa0', '\x80' };
    const struct wire_parameter path[] = {
        { FIELD_IN_PATH, SLICE("task_id"), { BYTES, sizeof BYTES } }
    };
    if (!bench_request(bench, MESSAGE_GET_TASK, path, 1, NULL))
        assert_true(bench->refusal.code == ERROR_BAD_REQUEST ||
                    bench->refusal.code == ERROR_VALIDATION_FAILED);
    else
        assert_false(slice_equal(bench->message.as.get_task.task_id, path[0].value));
}

static void a_name_with_control_characters_cannot_be_registered(void **state)
{
    struct bench *bench = *state;
    assert_true(bench_request(bench, MESSAGE_POST_ONBOARD_REGISTER, NULL, 0,
                              "{\"agent_id\":\"ada \xc3\xa9\"}"));
    assert_false(bench_request(bench, MESSAGE_POST_ONBOARD_REGISTER, NULL, 0,
                               "{\"agent_id\":\"a\\nb\"}"));
    assert_false(bench_request(bench, MESSAGE_POST_ONBOARD_REGISTER, NULL, 0,
                               "{\"agent_id\":\"ab\\n\"}"));
}

static void an_answer_is_read_for_the_command_line(void **state)
{
    struct bench *bench = *state;
    struct slice body =
        SLICE("{\"status\":\"queued\",\"task_id\":\"task-1\",\"priority\":1,"
              "\"created_at\":5,\"state\":\"queued\"}");
    assert_true(wire_parse_answer(bench->reader, MESSAGE_POST_TASK_ANSWER, body,
                                  &bench->arena, &bench->message, &bench->refusal));
    assert_slice(bench->message.as.post_task_answer.task_id, "task-1");

    struct slice error =
        SLICE("{\"error\":\"validation_failed\",\"errors\":[{\"field\":\"f\","
              "\"error\":\"e\",\"detail\":\"d\",\"value\":[1]}]}");
    assert_true(wire_parse_answer(bench->reader, MESSAGE_HTTP_ERROR, error, &bench->arena,
                                  &bench->message, &bench->refusal));
    const struct message_refusal_item *items = bench->message.as.http_error.errors.items;
    assert_slice(items[0].value, "[1]");
    assert_false(bench->message.as.http_error.has_status);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_place_is_read),
        TEST(a_limit_left_out_has_its_default),
        TEST(no_body_is_an_empty_object),
        TEST(a_parameter_is_checked_as_a_member_is),
        TEST(a_parameter_given_twice_is_refused),
        TEST(an_unknown_parameter_or_one_elsewhere_is_ignored),
        TEST(a_body_cannot_stand_in_for_a_path),
        TEST(one_answer_names_what_is_wrong_in_every_place),
        TEST(a_broken_body_is_invalid_json),
        TEST(strange_bytes_in_a_parameter_do_no_harm),
        TEST(a_name_with_control_characters_cannot_be_registered),
        TEST(an_answer_is_read_for_the_command_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
