/*
 * Goal: a frame becomes its struct, or one refusal that names all that is wrong with it,
 * in AgentCom v1.1's words.
 * Method: frames as text; the answer to a refusal is compared as text too.
 */
#include "support/wire/bench.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"

static void assert_slice(struct slice slice, const char *text)
{
    assert_true(slice_is_present(slice));
    assert_int_equal(slice.size, strlen(text));
    assert_memory_equal(slice.data, text, slice.size);
}

static void assert_refused(struct bench *bench, const char *frame, const char *answer)
{
    assert_false(bench_inbound(bench, frame));
    assert_string_equal(bench_refusal_text(bench, false), answer);
}

static void a_frame_becomes_its_struct(void **state)
{
    struct bench *bench = *state;
    assert_true(bench_inbound(bench,
                              "{\"type\":\"identify\",\"agent_id\":\"ada\","
                              "\"token\":\"secret\",\"capabilities\":[\"git\",\"c\"],"
                              "\"max_concurrent\":3}"));
    assert_int_equal(bench->message.type, MESSAGE_IDENTIFY);
    const struct message_identify *identify = &bench->message.as.identify;
    assert_slice(identify->agent_id, "ada");
    assert_slice(identify->token, "secret");
    assert_int_equal(identify->capabilities.count, 2);
    assert_slice(identify->capabilities.items[1], "c");
    assert_true(identify->has_max_concurrent);
    assert_int_equal(identify->max_concurrent, 3);
    assert_false(slice_is_present(identify->name));
}

static void what_v1_1_sends_is_understood(void **state)
{
    static const char *const FRAMES[] = {
        "{\"type\":\"identify\",\"agent_id\":\"a\",\"token\":\"t\",\"name\":\"a\","
        "\"status\":\"idle\",\"capabilities\":[],\"client_type\":\"sidecar\","
        "\"protocol_version\":1}",
        "{\"type\":\"ping\"}",
        "{\"type\":\"list_agents\"}",
        "{\"type\":\"status\",\"status\":\"\"}",
        "{\"type\":\"message\",\"payload\":{}}",
        "{\"type\":\"message\",\"payload\":{},\"to\":\"b\",\"message_type\":\"chat\","
        "\"reply_to\":\"x\"}",
        "{\"type\":\"task_accepted\",\"task_id\":\"task-1\"}",
        "{\"type\":\"task_progress\",\"task_id\":\"task-1\"}",
        "{\"type\":\"task_progress\",\"task_id\":\"task-1\",\"progress\":50}",
        "{\"type\":\"task_complete\",\"task_id\":\"task-1\",\"generation\":1,"
        "\"result\":{\"status\":\"success\",\"tokens_used\":7}}",
        "{\"type\":\"task_failed\",\"task_id\":\"task-1\",\"generation\":1,"
        "\"reason\":\"confirmation_timeout\"}",
        "{\"type\":\"task_recovering\",\"task_id\":\"task-1\"}",
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof FRAMES / sizeof FRAMES[0]; i++) {
        if (!bench_inbound(bench, FRAMES[i]))
            fail_msg("%s: %s", FRAMES[i], bench_refusal_text(bench, false));
    }
}

static void null_is_absent(void **state)
{
    struct bench *bench = *state;
    assert_true(bench_inbound(bench, "{\"type\":\"task_complete\",\"task_id\":\"t\","
                                     "\"generation\":1,\"result\":null,"
                                     "\"tokens_used\":null}"));
    assert_false(slice_is_present(bench->message.as.task_complete.result));
    assert_false(bench->message.as.task_complete.has_tokens_used);

    assert_true(bench_inbound(bench, "{\"type\":\"task_submit\",\"description\":\"x\","
                                     "\"priority\":null,\"depends_on\":null,"
                                     "\"needed_capabilities\":null}"));
    assert_null(bench->message.as.task_submit.depends_on.items);
    assert_slice(bench->message.as.task_submit.priority, "normal");
}

static void tokens_may_be_told_inside_the_result(void **state)
{
    struct bench *bench = *state;
    const struct message_task_complete *complete = &bench->message.as.task_complete;
    assert_true(bench_inbound(bench, "{\"type\":\"task_complete\",\"task_id\":\"t\","
                                     "\"generation\":1,\"result\":{\"tokens_used\":7}}"));
    assert_true(complete->has_tokens_used);
    assert_int_equal(complete->tokens_used, 7);

    assert_true(bench_inbound(bench, "{\"type\":\"task_complete\",\"task_id\":\"t\","
                                     "\"generation\":1,\"tokens_used\":8,"
                                     "\"result\":{\"tokens_used\":7}}"));
    assert_int_equal(complete->tokens_used, 8);

    static const char *const OTHERS[] = { "-1",   "1.5", "\"7\"",
                                          "null", "[7]", "9007199254740992" };
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        char frame[256];
        (void)snprintf(frame, sizeof frame,
                       "{\"type\":\"task_complete\",\"task_id\":\"t\","
                       "\"generation\":1,\"result\":{\"tokens_used\":%s}}",
                       OTHERS[i]);
        assert_true(bench_inbound(bench, frame));
        assert_false(complete->has_tokens_used);
    }
}

static void a_null_in_a_list_is_not_missing_but_wrong(void **state)
{
    assert_refused(*state,
                   "{\"type\":\"task_submit\",\"description\":\"x\","
                   "\"needed_capabilities\":[\"a\",5,null]}",
                   "{\"type\":\"error\",\"error\":\"validation_failed\","
                   "\"message_type\":\"task_submit\",\"errors\":[{"
                   "\"field\":\"needed_capabilities[1]\",\"error\":\"wrong_type\","
                   "\"detail\":\"expected string\",\"value\":5}]}");
}

static void a_required_null_is_missing(void **state)
{
    assert_refused(*state, "{\"type\":\"status\",\"status\":null}",
                   "{\"type\":\"error\",\"error\":\"validation_failed\","
                   "\"message_type\":\"status\",\"errors\":[{\"field\":\"status\","
                   "\"error\":\"required\",\"detail\":\"field is required\"}]}");
}

static void defaults_are_filled_in_and_what_is_said_is_kept(void **state)
{
    struct bench *bench = *state;
    assert_true(bench_inbound(bench, "{\"type\":\"identify\",\"agent_id\":\"a\","
                                     "\"token\":\"t\"}"));
    assert_slice(bench->message.as.identify.status, "connected");
    assert_true(bench->message.as.identify.has_max_concurrent);
    assert_int_equal(bench->message.as.identify.max_concurrent, 1);

    assert_true(bench_inbound(bench, "{\"type\":\"identify\",\"agent_id\":\"a\","
                                     "\"token\":\"t\",\"status\":\"\","
                                     "\"max_concurrent\":0}"));
    assert_slice(bench->message.as.identify.status, "");
    assert_int_equal(bench->message.as.identify.max_concurrent, 0);
}

static void opaque_values_keep_their_bytes(void **state)
{
    struct bench *bench = *state;
    assert_true(bench_inbound(bench, "{\"type\":\"message\",\"payload\":{ \"z\" : 1.50,"
                                     "\"a\":\"\\u00e9\\/\"  } }"));
    assert_slice(bench->message.as.message.payload,
                 "{ \"z\" : 1.50,\"a\":\"\\u00e9\\/\"  }");
}

static void texts_are_unescaped_copies(void **state)
{
    struct bench *bench = *state;
    char frame[] = "{\"type\":\"status\",\"status\":\"a\\n\\u00e9\"}";
    assert_true(bench_inbound(bench, frame));
    memset(frame, 'x', sizeof frame - 1);
    assert_slice(bench->message.as.status.status, "a\n\xc3\xa9");
}

static void everything_wrong_is_named_once_and_what_is_missing_first(void **state)
{
    assert_refused(
        *state,
        "{\"type\":\"task_submit\",\"metadata\":[1],\"priority\":\"big\","
        "\"max_retries\":0}",
        "{\"type\":\"error\",\"error\":\"validation_failed\","
        "\"message_type\":\"task_submit\",\"errors\":["
        "{\"field\":\"description\",\"error\":\"required\","
        "\"detail\":\"field is required\"},"
        "{\"field\":\"metadata\",\"error\":\"wrong_type\","
        "\"detail\":\"expected object\",\"value\":[1]},"
        "{\"field\":\"priority\",\"error\":\"invalid_value\","
        "\"detail\":\"not one of urgent, high, normal, low\",\"value\":\"big\"},"
        "{\"field\":\"max_retries\",\"error\":\"invalid_value\","
        "\"detail\":\"less than 1\",\"value\":0}]}");
}

static void of_a_list_the_first_wrong_item_is_named_by_its_index(void **state)
{
    assert_refused(*state,
                   "{\"type\":\"identify\",\"agent_id\":\"a\",\"token\":\"t\","
                   "\"capabilities\":[\"ok\",7,8]}",
                   "{\"type\":\"error\",\"error\":\"validation_failed\","
                   "\"message_type\":\"identify\",\"errors\":["
                   "{\"field\":\"capabilities[1]\",\"error\":\"wrong_type\","
                   "\"detail\":\"expected string\",\"value\":7}]}");
}

static void a_long_text_is_echoed_to_its_fiftieth_character(void **state)
{
    /* Two bytes each: a cut by bytes would show half as many, or half a character. */
    struct bench *bench = *state;
    char frame[1024] = "{\"type\":\"status\",\"status\":\"";
    char fifty[128] = "\"";
    for (size_t i = 0; i < 257; i++)
        memcpy(frame + strlen(frame), "\xc3\xa9", 3);
    memcpy(frame + strlen(frame), "\"}", 3);
    for (size_t i = 0; i < 50; i++)
        memcpy(fifty + strlen(fifty), "\xc3\xa9", 3);
    memcpy(fifty + strlen(fifty), "...\"", 5);

    assert_false(bench_inbound(bench, frame));
    assert_int_equal(bench->refusal.item_count, 1);
    assert_slice(bench->refusal.items[0].error, "too_long");
    assert_slice(bench->refusal.items[0].detail, "longer than 256 characters");
    assert_slice(bench->refusal.items[0].value, fifty);
}

static void a_text_of_exactly_the_limit_passes(void **state)
{
    struct bench *bench = *state;
    char frame[1024] = "{\"type\":\"status\",\"status\":\"";
    for (size_t i = 0; i < 256; i++)
        memcpy(frame + strlen(frame), "\xc3\xa9", 3);
    memcpy(frame + strlen(frame), "\"}", 3);
    assert_true(bench_inbound(bench, frame));
    assert_int_equal(bench->message.as.status.status.size, 512);
}

static void a_large_value_of_the_wrong_type_is_cut(void **state)
{
    struct bench *bench = *state;
    assert_false(bench_inbound(
        bench, "{\"type\":\"status\",\"status\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,"
               "17,18,19,20,21,22,23,24,25,26,27,28,29,30]}"));
    assert_slice(bench->refusal.items[0].value,
                 "\"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,2...\"");
}

static void a_token_is_never_echoed(void **state)
{
    struct bench *bench = *state;
    char frame[512] = "{\"type\":\"identify\",\"agent_id\":\"a\",\"token\":\"";
    memset(frame + strlen(frame), 's', 300);
    memcpy(frame + strlen(frame), "\"}", 3);
    assert_false(bench_inbound(bench, frame));
    assert_slice(bench->refusal.items[0].field, "token");
    assert_slice(bench->refusal.items[0].error, "too_long");
    assert_false(slice_is_present(bench->refusal.items[0].value));
}

static void an_unknown_type_is_answered_with_the_known_ones(void **state)
{
    assert_refused(
        *state, "{\"type\":\"task_rejected\",\"task_id\":\"t\"}",
        "{\"type\":\"error\",\"error\":\"validation_failed\","
        "\"message_type\":\"task_rejected\",\"errors\":[{\"field\":\"type\","
        "\"error\":\"unknown_message_type\","
        "\"detail\":\"no message has this type\",\"value\":\"task_rejected\","
        "\"known_types\":[\"agent_drain\",\"channel_history\",\"channel_publish\","
        "\"channel_subscribe\",\"channel_unsubscribe\",\"events_subscribe\",\"identify\","
        "\"lease_renew\",\"list_agents\",\"list_channels\",\"mailbox_ack\","
        "\"mailbox_read\",\"message\",\"ping\",\"presence_subscribe\",\"presence_unsubscribe\",\"status\","
        "\"task_accepted\",\"task_blocked\",\"task_cancelled\",\"task_complete\","
        "\"task_failed\",\"task_progress\",\"task_recovering\","
        "\"task_submit\",\"task_unblocked\"]}]}");
}

static void what_only_the_hub_says_is_unknown_from_an_agent(void **state)
{
    struct bench *bench = *state;
    assert_false(bench_inbound(bench, "{\"type\":\"pong\",\"timestamp\":1}"));
    assert_true(bench->refusal.unknown_type);
    assert_true(bench_outbound(bench, "{\"type\":\"pong\",\"timestamp\":1}"));
    assert_false(bench_outbound(bench, "{\"type\":\"ping\"}"));
    assert_false(bench_inbound(bench, "{\"type\":\"tick\"}"));
}

static void a_name_of_both_directions_is_read_by_its_direction(void **state)
{
    struct bench *bench = *state;
    assert_true(bench_inbound(bench, "{\"type\":\"message\",\"payload\":{}}"));
    assert_int_equal(bench->message.type, MESSAGE_MESSAGE);
    assert_slice(bench->message.as.message.message_type, "chat");
    assert_true(bench_outbound(bench, "{\"type\":\"message\",\"payload\":{},\"id\":\"i\","
                                      "\"from\":\"b\",\"message_type\":\"chat\","
                                      "\"reply_to\":null,\"timestamp\":5}"));
    assert_int_equal(bench->message.type, MESSAGE_MESSAGE_OUT);
    assert_slice(bench->message.as.message_out.from, "b");
}

static void a_frame_without_a_usable_type_says_so(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *frame;
        const char *error;
    } CASES[] = {
        { "{}", "required" },
        { "{\"type\":null}", "required" },
        { "{\"type\":5}", "wrong_type" },
        { "[]", "wrong_type" },
        { "\"ping\"", "wrong_type" },
        { "7", "wrong_type" },
        { "null", "wrong_type" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_false(bench_inbound(bench, CASES[i].frame));
        assert_int_equal(bench->refusal.code, ERROR_VALIDATION_FAILED);
        assert_int_equal(bench->refusal.item_count, 1);
        assert_slice(bench->refusal.items[0].error, CASES[i].error);
    }
}

static void broken_json_is_located(void **state)
{
    struct bench *bench = *state;
    assert_false(bench_inbound(bench, "{\"type\":\"ping\",}"));
    assert_int_equal(bench->refusal.code, ERROR_INVALID_JSON);
    assert_int_equal(bench->refusal.offset, 15);
    assert_false(bench_inbound(bench, ""));
    assert_int_equal(bench->refusal.code, ERROR_INVALID_JSON);
    assert_false(bench_inbound(bench, "{\"type\":\"ping\",\"type\":\"status\"}"));
    assert_int_equal(bench->refusal.code, ERROR_INVALID_JSON);
}

static void integers_are_whole_and_shared_by_every_tool(void **state)
{
    static const struct {
        const char *number;
        bool fits;
    } CASES[] = {
        { "0", true },
        { "9007199254740991", true },
        { "9007199254740992", false },
        { "1.0", false },
        { "1.5", false },
        { "1e2", false },
        { "\"1\"", false },
        { "1e400", false },
        { "true", false },
        { "-1", false },
        { "99999999999999999999", false },
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char frame[128];
        snprintf(frame, sizeof frame,
                 "{\"type\":\"lease_renew\",\"task_id\":\"t\",\"generation\":%s}",
                 CASES[i].number);
        if (bench_inbound(bench, frame) != CASES[i].fits)
            fail_msg("generation %s", CASES[i].number);
        if (!CASES[i].fits)
            assert_slice(bench->refusal.items[0].field, "generation");
    }
}

static void an_empty_list_is_present(void **state)
{
    struct bench *bench = *state;
    assert_true(bench_inbound(bench, "{\"type\":\"identify\",\"agent_id\":\"a\","
                                     "\"token\":\"t\",\"capabilities\":[]}"));
    assert_non_null(bench->message.as.identify.capabilities.items);
    assert_int_equal(bench->message.as.identify.capabilities.count, 0);
}

static void unknown_members_are_ignored(void **state)
{
    struct bench *bench = *state;
    assert_true(
        bench_inbound(bench, "{\"colour\":\"red\",\"type\":\"ping\",\"x\":[{}]}"));
    assert_string_equal(bench_text(bench, &bench->message), "{\"type\":\"ping\"}");
}

static void a_message_too_large_for_its_arena_is_refused(void **state)
{
    struct bench *bench = *state;
    struct arena small;
    arena_init(&small, 1);
    assert_false(wire_parse_socket(bench->reader, DIRECTION_SOCKET_IN,
                                   SLICE_OF("{\"type\":\"status\",\"status\":\"x\"}"),
                                   &small, &bench->message, &bench->refusal));
    assert_int_equal(bench->refusal.code, ERROR_UNAVAILABLE);
    arena_finish(&small);
}

static void nested_objects_come_back_as_they_went(void **state)
{
    static const char FRAME[] =
        "{\"type\":\"agents\",\"agents\":[{\"agent_id\":\"a\",\"name\":\"A\","
        "\"status\":\"idle\",\"capabilities\":[\"x\"],\"connected_at\":5},"
        "{\"agent_id\":\"b\",\"name\":\"B\",\"status\":\"\",\"capabilities\":[],"
        "\"connected_at\":6}]}";
    struct bench *bench = *state;
    assert_true(bench_outbound(bench, FRAME));
    const struct message_agent *agents = bench->message.as.agents.agents.items;
    assert_int_equal(bench->message.as.agents.agents.count, 2);
    assert_slice(agents[1].agent_id, "b");
    assert_int_equal(agents[1].connected_at, 6);
    assert_string_equal(bench_text(bench, &bench->message), FRAME);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_frame_becomes_its_struct),
        TEST(what_v1_1_sends_is_understood),
        TEST(null_is_absent),
        TEST(tokens_may_be_told_inside_the_result),
        TEST(a_null_in_a_list_is_not_missing_but_wrong),
        TEST(a_required_null_is_missing),
        TEST(defaults_are_filled_in_and_what_is_said_is_kept),
        TEST(opaque_values_keep_their_bytes),
        TEST(texts_are_unescaped_copies),
        TEST(everything_wrong_is_named_once_and_what_is_missing_first),
        TEST(of_a_list_the_first_wrong_item_is_named_by_its_index),
        TEST(a_long_text_is_echoed_to_its_fiftieth_character),
        TEST(a_text_of_exactly_the_limit_passes),
        TEST(a_large_value_of_the_wrong_type_is_cut),
        TEST(a_token_is_never_echoed),
        TEST(an_unknown_type_is_answered_with_the_known_ones),
        TEST(what_only_the_hub_says_is_unknown_from_an_agent),
        TEST(a_name_of_both_directions_is_read_by_its_direction),
        TEST(a_frame_without_a_usable_type_says_so),
        TEST(broken_json_is_located),
        TEST(integers_are_whole_and_shared_by_every_tool),
        TEST(an_empty_list_is_present),
        TEST(unknown_members_are_ignored),
        TEST(a_message_too_large_for_its_arena_is_refused),
        TEST(nested_objects_come_back_as_they_went),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
