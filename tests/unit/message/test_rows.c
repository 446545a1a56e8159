/*
 * Goal: the generated tables are whole: no row without what its reader relies on.
 */
#include "message/row.h"

#include <string.h>

#include "cmocka_all.h"

static bool is_socket(const struct message_row *row)
{
    return row->direction == DIRECTION_SOCKET_IN ||
           row->direction == DIRECTION_SOCKET_OUT;
}

static void every_row_has_a_name_and_a_table(void **state)
{
    (void)state;
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        const struct message_row *row = &MESSAGE_ROWS[i];
        assert_true(row->name.size > 0);
        assert_true(row->summary.size > 0);
        assert_non_null(row->table);
        assert_true(row->table->struct_size <= sizeof(struct message));
        assert_true(!is_socket(row) || row->schema.size > 0);
    }
}

static void no_two_messages_of_a_direction_share_a_name(void **state)
{
    (void)state;
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++)
        for (size_t k = i + 1; k < MESSAGE_COUNT; k++)
            assert_false(MESSAGE_ROWS[i].direction == MESSAGE_ROWS[k].direction &&
                         slice_equal(MESSAGE_ROWS[i].name, MESSAGE_ROWS[k].name));
}

static void what_may_be_sent_says_by_whom(void **state)
{
    (void)state;
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        const struct message_row *row = &MESSAGE_ROWS[i];
        bool sent_to_us = row->direction == DIRECTION_SOCKET_IN ||
                          row->direction == DIRECTION_HTTP_REQUEST ||
                          row->direction == DIRECTION_INTERNAL;
        assert_int_equal(row->roles != 0, sent_to_us);
        assert_int_equal(row->kind != KIND_NOTICE, sent_to_us);
        /* The hub's own commands never come from outside, nor the other way round. */
        assert_int_equal((row->roles & ROLE_HUB) != 0,
                         row->direction == DIRECTION_INTERNAL);
    }
}

static void every_route_is_followed_by_its_success_answer(void **state)
{
    (void)state;
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        if (MESSAGE_ROWS[i].direction != DIRECTION_HTTP_REQUEST)
            continue;
        assert_true(MESSAGE_ROWS[i].method.size > 0);
        assert_int_equal(MESSAGE_ROWS[i].path.data[0], '/');
        assert_int_equal(MESSAGE_ROWS[i + 1].direction, DIRECTION_HTTP_ANSWER);
        assert_true(slice_starts_with(MESSAGE_ROWS[i + 1].name, MESSAGE_ROWS[i].name));
        /* One route is there to say what to do instead. */
        if (i != MESSAGE_POST_ADMIN_RESTORE_TABLE)
            assert_in_range(MESSAGE_ROWS[i + 1].status, 200, 299);
    }
}

static void only_a_notice_may_be_dropped_for_a_slow_reader(void **state)
{
    (void)state;
    assert_int_equal(MESSAGE_ROWS[MESSAGE_TASK_ASSIGN].slow_reader, SLOW_READER_CLOSE);
    assert_int_equal(MESSAGE_ROWS[MESSAGE_TASK_ACK].slow_reader, SLOW_READER_CLOSE);
    assert_int_equal(MESSAGE_ROWS[MESSAGE_AGENT_JOINED].slow_reader, SLOW_READER_DROP);
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++)
        assert_true(MESSAGE_ROWS[i].slow_reader == SLOW_READER_CLOSE ||
                    MESSAGE_ROWS[i].direction == DIRECTION_SOCKET_OUT);
}

static void every_error_has_a_status_and_a_text(void **state)
{
    (void)state;
    for (size_t i = ERROR_NONE + 1; i < ERROR_CODE_COUNT; i++) {
        assert_true(ERROR_ROWS[i].name.size > 0);
        assert_true(ERROR_ROWS[i].text.size > 0);
        assert_in_range(ERROR_ROWS[i].status, 400, 599);
    }
}

static void a_close_code_of_our_own_tells_whether_to_come_back(void **state)
{
    (void)state;
    for (size_t i = CLOSE_NONE + 1; i < CLOSE_REASON_COUNT; i++) {
        const struct close_row *row = &CLOSE_ROWS[i];
        /* A close frame holds so many bytes of reason (RFC 6455 5.5). */
        assert_in_range(row->name.size, 1, 123);
        if (row->code >= 4000)
            assert_int_equal(row->reconnect, row->code < 4500);
    }
    assert_int_equal(CLOSE_ROWS[CLOSE_SESSION_REPLACED].code, 4509);
}

static void every_setting_has_names_and_a_default_it_would_accept(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = &SETTING_ROWS[i];
        int64_t number;
        assert_true(slice_starts_with(row->flag, SLICE_OF("--")));
        assert_true(slice_starts_with(row->environment, SLICE_OF("DROVER_")));
        assert_true(slice_is_present(row->fallback));
        if (row->kind != SETTING_KIND_INTEGER)
            continue;
        assert_true(slice_parse_i64(row->fallback, &number));
        assert_true(number >= row->minimum && number <= row->maximum);
    }
}

static void an_envelope_brings_its_memory_and_takes_it_along(void **state)
{
    (void)state;
    struct envelope *envelope = envelope_create(64 * 1024);
    assert_non_null(envelope);
    assert_non_null(arena_take(&envelope->arena, 1024));
    assert_null(arena_take(&envelope->arena, 128 * 1024));
    envelope_destroy(envelope);
    envelope_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_a_name_and_a_table),
        cmocka_unit_test(no_two_messages_of_a_direction_share_a_name),
        cmocka_unit_test(what_may_be_sent_says_by_whom),
        cmocka_unit_test(every_route_is_followed_by_its_success_answer),
        cmocka_unit_test(only_a_notice_may_be_dropped_for_a_slow_reader),
        cmocka_unit_test(every_error_has_a_status_and_a_text),
        cmocka_unit_test(a_close_code_of_our_own_tells_whether_to_come_back),
        cmocka_unit_test(every_setting_has_names_and_a_default_it_would_accept),
        cmocka_unit_test(an_envelope_brings_its_memory_and_takes_it_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
