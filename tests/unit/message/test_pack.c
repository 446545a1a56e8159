/*
 * Goal: any message comes back from its bytes as it was, and damaged bytes are refused
 * without harm.
 * Method: messages with every kind of member, packed, cut short and spoilt.
 */
#include "cmocka_all.h"

#include "message/message.h"
#include "message/pack.h"
#include "message/row.h"

#include <string.h>

static struct slice packed(struct buffer *buffer, const struct message *message,
                           uint32_t text_bytes_max, bool *ret_cut)
{
    buffer_clear(buffer);
    message_pack(MESSAGE_ROWS[message->type].table, &message->as, text_bytes_max, buffer,
                 ret_cut);
    assert_false(buffer_failed(buffer));
    return buffer_slice(buffer);
}

static bool unpacked(struct slice bytes, enum message_type type, struct arena *arena,
                     struct message *ret_message)
{
    struct unpack unpack = unpack_start(bytes);
    ret_message->type = type;
    return message_unpack(MESSAGE_ROWS[type].table, &unpack, arena, &ret_message->as) &&
           unpack_done(&unpack);
}

static struct message identify(void)
{
    static struct slice capabilities[] = { SLICE("rust"), SLICE(""), SLICE("go") };
    struct message message = { .type = MESSAGE_IDENTIFY };
    message.as.identify.agent_id = SLICE_OF("builder");
    message.as.identify.capabilities = (struct slice_list){ capabilities, 3 };
    message.as.identify.has_max_concurrent = true;
    message.as.identify.max_concurrent = -3;
    return message;
}

static void members_of_every_kind_come_back(void **state)
{
    (void)state;
    struct arena arena;
    struct buffer buffer;
    bool cut;
    arena_init(&arena, 1 << 20);
    buffer_init(&buffer, 1 << 20);

    struct message before = identify();
    struct message after;
    struct slice bytes = packed(&buffer, &before, MESSAGE_TEXT_WHOLE, &cut);
    assert_false(cut);
    assert_true(unpacked(bytes, before.type, &arena, &after));
    const struct message_identify *read = &after.as.identify;
    assert_true(slice_equal_text(read->agent_id, "builder"));
    assert_false(slice_is_present(read->name));
    assert_int_equal(read->capabilities.count, 3);
    assert_true(slice_is_present(read->capabilities.items[1]));
    assert_true(slice_equal_text(read->capabilities.items[2], "go"));
    assert_true(read->has_max_concurrent);
    assert_int_equal(read->max_concurrent, -3);

    struct message_refusal_item items[2] = { { .field = SLICE_OF("one") },
                                             { .detail = SLICE_OF("two") } };
    struct message error = { .type = MESSAGE_ERROR };
    error.as.error.error = SLICE_OF("validation_failed");
    error.as.error.errors = (struct message_list){ items, 2 };
    bytes = packed(&buffer, &error, MESSAGE_TEXT_WHOLE, &cut);
    assert_true(unpacked(bytes, error.type, &arena, &after));
    assert_int_equal(after.as.error.errors.count, 2);
    const struct message_refusal_item *item = after.as.error.errors.items;
    assert_true(slice_equal_text(item[0].field, "one"));
    assert_true(slice_equal_text(item[1].detail, "two"));

    struct message_agent agent = { .agent_id = SLICE_OF("builder"), .connected_at = 5 };
    struct message joined = { .type = MESSAGE_AGENT_JOINED };
    joined.as.agent_joined.agent = &agent;
    bytes = packed(&buffer, &joined, MESSAGE_TEXT_WHOLE, &cut);
    assert_true(unpacked(bytes, joined.type, &arena, &after));
    assert_true(slice_equal_text(after.as.agent_joined.agent->agent_id, "builder"));
    assert_int_equal(after.as.agent_joined.agent->connected_at, 5);
    joined.as.agent_joined.agent = NULL;
    bytes = packed(&buffer, &joined, MESSAGE_TEXT_WHOLE, &cut);
    assert_true(unpacked(bytes, joined.type, &arena, &after));
    assert_null(after.as.agent_joined.agent);

    buffer_finish(&buffer);
    arena_finish(&arena);
}

static void long_texts_are_cut_and_opaque_ones_left_out(void **state)
{
    (void)state;
    struct arena arena;
    struct buffer buffer;
    bool cut;
    arena_init(&arena, 1 << 20);
    buffer_init(&buffer, 1 << 20);
    struct message before = { .type = MESSAGE_POST_TASK };
    struct message after;
    before.as.post_task.description = SLICE_OF("caf\xc3\xa9");
    before.as.post_task.metadata = SLICE_OF("{\"a\":1}");
    assert_true(unpacked(packed(&buffer, &before, 4, &cut), before.type, &arena, &after));
    assert_true(cut);
    assert_true(slice_equal_text(after.as.post_task.description, "caf"));
    assert_false(slice_is_present(after.as.post_task.metadata));
    assert_true(unpacked(packed(&buffer, &before, 7, &cut), before.type, &arena, &after));
    assert_false(cut);
    assert_true(slice_equal_text(after.as.post_task.metadata, "{\"a\":1}"));
    buffer_finish(&buffer);
    arena_finish(&arena);
}

static void bytes_of_a_shorter_shape_leave_the_rest_absent(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct message after;
    /* One member: the agent's id. */
    static const char bytes[] = "\x01\x00\x00\x00\x02hi";
    assert_true(
        unpacked(slice_make(bytes, sizeof bytes - 1), MESSAGE_IDENTIFY, &arena, &after));
    assert_true(slice_equal_text(after.as.identify.agent_id, "hi"));
    assert_false(after.as.identify.has_max_concurrent);
    /* More members than the shape has are from a later program. */
    assert_false(unpacked(SLICE_OF("\xff"), MESSAGE_IDENTIFY, &arena, &after));
    arena_finish(&arena);
}

static void damaged_bytes_are_refused_or_read_as_something_else(void **state)
{
    (void)state;
    struct arena arena;
    struct buffer buffer;
    bool cut;
    arena_init(&arena, 1 << 20);
    buffer_init(&buffer, 1 << 20);
    struct message before = identify();
    struct message after;
    struct slice whole = packed(&buffer, &before, MESSAGE_TEXT_WHOLE, &cut);
    for (size_t size = 0; size < whole.size; size++) {
        assert_false(unpacked(slice_make(whole.data, size), before.type, &arena, &after));
        arena_clear(&arena);
    }
    for (size_t i = 0; i < whole.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            buffer.data[i] ^= (char)(1u << bit);
            unpacked(whole, before.type, &arena, &after);
            assert_false(arena_failed(&arena));
            buffer.data[i] ^= (char)(1u << bit);
            arena_clear(&arena);
        }
    }
    buffer_finish(&buffer);
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_of_every_kind_come_back),
        cmocka_unit_test(long_texts_are_cut_and_opaque_ones_left_out),
        cmocka_unit_test(bytes_of_a_shorter_shape_leave_the_rest_absent),
        cmocka_unit_test(damaged_bytes_are_refused_or_read_as_something_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
