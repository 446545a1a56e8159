/*
 * Goal: a struct goes out as the text its schema promises, whatever its author left out.
 */
#include "support/wire/bench.h"

#include <string.h>

#include "cmocka_all.h"

static void the_type_stands_first_and_absent_members_are_left_out(void **state)
{
    struct message message = { .type = MESSAGE_TASK_ACK };
    message.as.task_ack.task_id = SLICE_OF("task-1");
    message.as.task_ack.status = SLICE_OF("complete");
    assert_string_equal(bench_text(*state, &message),
                        "{\"type\":\"task_ack\",\"task_id\":\"task-1\","
                        "\"status\":\"complete\"}");

    message.as.task_ack.generation = 0;
    message.as.task_ack.has_generation = true;
    assert_string_equal(bench_text(*state, &message),
                        "{\"type\":\"task_ack\",\"task_id\":\"task-1\","
                        "\"status\":\"complete\",\"generation\":0}");
}

static void an_outbound_name_shared_with_an_inbound_one_is_the_wires(void **state)
{
    struct message message = { .type = MESSAGE_MESSAGE_OUT };
    message.as.message_out.id = SLICE_OF("i");
    message.as.message_out.from = SLICE_OF("a");
    message.as.message_out.message_type = SLICE_OF("chat");
    message.as.message_out.payload = SLICE_OF("{ \"x\" : 1.0 }");
    assert_string_equal(bench_text(*state, &message),
                        "{\"type\":\"message\",\"id\":\"i\",\"from\":\"a\","
                        "\"message_type\":\"chat\",\"payload\":{ \"x\" : 1.0 },"
                        "\"reply_to\":null,\"timestamp\":0}");
}

static void a_task_shows_null_where_v1_1_does(void **state)
{
    struct message message = { .type = MESSAGE_GET_TASK_ANSWER };
    struct message_task *task = &message.as.get_task_answer;
    task->id = SLICE_OF("task-1");
    task->description = SLICE_OF("say \"hi\"\n");
    task->status = SLICE_OF("queued");
    task->state = SLICE_OF("queued");
    task->submitted_by = SLICE_OF("ada");
    struct message_history_item history = { .event = SLICE("queued"), .timestamp = 7 };
    task->history = (struct message_list){ &history, 1 };
    assert_string_equal(
        bench_text(*state, &message),
        "{\"id\":\"task-1\",\"description\":\"say \\\"hi\\\"\\n\",\"metadata\":{},"
        "\"priority\":0,\"status\":\"queued\",\"state\":\"queued\",\"assigned_to\":null,"
        "\"assigned_at\":null,\"generation\":0,\"retry_count\":0,\"max_retries\":0,"
        "\"complete_by\":null,\"not_before\":null,\"needed_capabilities\":[],"
        "\"depends_on\":[],\"result\":null,\"tokens_used\":null,\"last_error\":null,"
        "\"submitted_by\":\"ada\",\"created_at\":0,\"updated_at\":0,\"lease_until\":null,"
        "\"history\":[{\"event\":\"queued\",\"timestamp\":7,\"details\":null}]}");
}

static void a_pending_task_explains_itself(void **state)
{
    struct message_pending_agent agent = { SLICE("bob"), SLICE("busy") };
    struct message_pending pending = { .reason = SLICE("nobody can"),
                                       .agents = { &agent, 1 } };
    struct message message = { .type = MESSAGE_GET_TASK_ANSWER };
    message.as.get_task_answer.pending = &pending;
    assert_non_null(strstr(bench_text(*state, &message),
                           ",\"pending\":{\"reason\":\"nobody can\",\"agents\":["
                           "{\"agent_id\":\"bob\",\"reason\":\"busy\"}]}}"));
}

static void an_http_body_has_no_type_and_no_status(void **state)
{
    struct message message;
    wire_error_message(ERROR_NOT_FOUND, true, &message);
    assert_int_equal(message.as.http_error.status, 404);
    assert_string_equal(bench_text(*state, &message), "{\"error\":\"not_found\"}");
}

static void an_error_over_the_socket_is_one_word(void **state)
{
    struct message message;
    wire_error_message(ERROR_NOT_IDENTIFIED, false, &message);
    assert_string_equal(bench_text(*state, &message),
                        "{\"type\":\"error\",\"error\":\"not_identified\"}");
}

static void who_is_not_known_gets_a_hint(void **state)
{
    struct message message;
    wire_error_message(ERROR_UNAUTHORIZED, true, &message);
    assert_int_equal(message.as.http_error.status, 401);
    assert_string_equal(bench_text(*state, &message),
                        "{\"error\":\"unauthorized\","
                        "\"hint\":\"Credentials are missing or not valid.\"}");
}

static void broken_json_is_answered_with_its_place(void **state)
{
    struct bench *bench = *state;
    assert_false(bench_inbound(bench, "{\"a\" 1}"));
    assert_string_equal(strstr(bench_refusal_text(bench, true), ",\"offset\""),
                        ",\"offset\":5}");
    struct message message;
    wire_refusal_message(&bench->refusal, true, &bench->arena, &message);
    assert_int_equal(message.as.http_error.status, 400);
}

static void a_required_text_left_out_goes_out_empty(void **state)
{
    /* The door looks for it there: it alone knows a minted token. */
    struct message message = { .type = MESSAGE_POST_ADMIN_TOKEN_ANSWER };
    message.as.post_admin_token_answer.agent_id = SLICE_OF("ci");
    message.as.post_admin_token_answer.role = SLICE_OF("agent");
    assert_string_equal(bench_text(*state, &message),
                        "{\"agent_id\":\"ci\",\"token\":\"\",\"role\":\"agent\","
                        "\"token_prefix\":\"\",\"scopes\":null,\"label\":null,"
                        "\"expires_at\":null}");
}

static void a_request_renders_its_body_alone(void **state)
{
    struct message message = { .type = MESSAGE_POST_TASK_CANCEL };
    message.as.post_task_cancel.task_id = SLICE_OF("task-1");
    message.as.post_task_cancel.reason = SLICE_OF("late");
    assert_string_equal(bench_text(*state, &message), "{\"reason\":\"late\"}");
}

static void a_buffer_that_is_full_says_so(void **state)
{
    (void)state;
    struct message message = { .type = MESSAGE_PONG };
    struct buffer small;
    buffer_init(&small, 4);
    wire_render(&message, &small);
    assert_true(buffer_failed(&small));
    buffer_finish(&small);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_type_stands_first_and_absent_members_are_left_out),
        TEST(an_outbound_name_shared_with_an_inbound_one_is_the_wires),
        TEST(a_task_shows_null_where_v1_1_does),
        TEST(a_pending_task_explains_itself),
        TEST(an_http_body_has_no_type_and_no_status),
        TEST(an_error_over_the_socket_is_one_word),
        TEST(who_is_not_known_gets_a_hint),
        TEST(broken_json_is_answered_with_its_place),
        TEST(a_required_text_left_out_goes_out_empty),
        TEST(a_request_renders_its_body_alone),
        TEST(a_buffer_that_is_full_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
