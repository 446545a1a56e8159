/*
 * Goal: the figures are those of what was refused, bounded in every direction, and always
 * the answer that the route's schema describes.
 */
#include "gate/failures.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_MS ((int64_t)60 * 1000)

static struct wire *wire;
static struct wire_reader *reader;
static struct failures *failures;
static struct arena arena;
static struct buffer text;
static struct message message;
static struct gate_time now;

static int begin(void **state)
{
    (void)state;
    assert_int_equal(wire_create(&wire), ERR_OK);
    reader = wire_reader_create(wire);
    failures = failures_create();
    assert_non_null(reader);
    assert_non_null(failures);
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    buffer_init(&text, (size_t)4 * 1024 * 1024);
    now = (struct gate_time){ 5 * MINUTE_MS, 1000 };
    return 0;
}

static int end(void **state)
{
    (void)state;
    buffer_finish(&text);
    arena_finish(&arena);
    failures_destroy(failures);
    wire_reader_destroy(reader);
    wire_destroy(wire);
    return 0;
}

/* What the route answers, read back through its own schema. */
static const struct message_get_validation_answer_validation *look(void)
{
    struct refusal refusal;
    arena_clear(&arena);
    buffer_clear(&text);
    failures_render(failures, now.monotonic_ms, &text);
    assert_false(buffer_failed(&text));
    if (!wire_parse_answer(reader, MESSAGE_GET_VALIDATION_ANSWER, buffer_slice(&text),
                           &arena, &message, &refusal))
        fail_msg("%.*s", (int)text.size, text.data);
    return message.as.get_validation_answer.validation;
}

static const struct message_validation_failure *recent(size_t at)
{
    const struct message_list *list = &look()->recent_failures;
    assert_true(at < list->count);
    return (const struct message_validation_failure *)list->items + at;
}

static struct refusal refusal_of(size_t count)
{
    struct refusal refusal = { .code = ERROR_VALIDATION_FAILED, .item_count = count };
    for (size_t i = 0; i < count; i++)
        refusal.items[i] = (struct refusal_item){
            .field = SLICE_OF("task_id"),
            .error = SLICE_OF("required"),
            .detail = SLICE_OF("field is required"),
            .value = SLICE_OF("\"a secret\""),
        };
    return refusal;
}

static void offend(const char *actor, const char *type)
{
    struct refusal refusal = refusal_of(1);
    failures_add(failures,
                 (struct offender){ slice_from_text(actor), SLICE_OF("10.0.0.1") },
                 slice_from_text(type), &refusal, now);
}

static void nothing_refused_is_nothing_told(void **state)
{
    (void)state;
    const struct message_get_validation_answer_validation *seen = look();
    assert_int_equal(seen->recent_failures.count, 0);
    assert_int_equal(seen->recent_disconnects.count, 0);
    assert_int_equal(seen->total_failures_this_hour, 0);
    assert_true(slice_equal_text(seen->failure_counts_by_agent, "{}"));
    assert_false(slice_is_present(message.as.get_validation_answer.warning));
}

static void a_failure_says_who_what_when_but_not_the_value(void **state)
{
    (void)state;
    offend("ada", "task_complete");
    const struct message_validation_failure *seen = recent(0);
    assert_true(slice_equal_text(seen->agent_id, "ada"));
    assert_true(slice_equal_text(seen->address, "10.0.0.1"));
    assert_true(slice_equal_text(seen->message_type, "task_complete"));
    assert_int_equal(seen->timestamp, 1000);
    assert_int_equal(seen->error_count, 1);
    const struct message_refusal_item *item = seen->errors.items;
    assert_true(slice_equal_text(item->field, "task_id"));
    assert_true(slice_equal_text(item->error, "required"));
    assert_true(slice_equal_text(item->detail, "field is required"));
    assert_null(memmem(text.data, text.size, "secret", 6));
}

static void who_is_not_known_has_an_address_alone(void **state)
{
    (void)state;
    offend(NULL, NULL);
    assert_false(slice_is_present(recent(0)->agent_id));
    assert_false(slice_is_present(recent(0)->message_type));
    assert_true(slice_equal_text(recent(0)->address, "10.0.0.1"));
    assert_true(slice_equal_text(look()->failure_counts_by_agent, "{}"));
    assert_int_equal(look()->total_failures_this_hour, 1);
}

static void the_last_fifty_are_kept_the_newest_first(void **state)
{
    (void)state;
    for (int i = 0; i < FAILURES_RECENT_MAX + 7; i++) {
        now.wall_ms = i;
        offend("ada", "status");
    }
    assert_int_equal(look()->recent_failures.count, FAILURES_RECENT_MAX);
    assert_int_equal(recent(0)->timestamp, FAILURES_RECENT_MAX + 6);
    assert_int_equal(recent(FAILURES_RECENT_MAX - 1)->timestamp, 7);
}

static void of_many_errors_the_first_are_told_and_all_are_counted(void **state)
{
    (void)state;
    struct refusal refusal = refusal_of(REFUSAL_ITEMS_MAX);
    failures_add(failures, (struct offender){ SLICE_OF("ada"), SLICE_OF("") },
                 SLICE_OF("x"), &refusal, now);
    assert_int_equal(recent(0)->errors.count, FAILURES_ITEMS_MAX);
    assert_int_equal(recent(0)->error_count, REFUSAL_ITEMS_MAX);
}

static void more_than_fifty_in_an_hour_are_worth_a_warning(void **state)
{
    (void)state;
    for (int i = 0; i < FAILURES_WARNING; i++)
        offend("ada", "status");
    look();
    assert_false(slice_is_present(message.as.get_validation_answer.warning));
    now.monotonic_ms += 59 * MINUTE_MS;
    offend("bob", "status");
    assert_int_equal(look()->total_failures_this_hour, FAILURES_WARNING + 1);
    assert_true(slice_equal_text(message.as.get_validation_answer.warning,
                                 "51 validation failures within the hour"));
    assert_true(
        slice_equal_text(look()->failure_counts_by_agent, "{\"ada\":50,\"bob\":1}"));
    now.monotonic_ms += MINUTE_MS;
    assert_int_equal(look()->total_failures_this_hour, 1);
    assert_true(slice_equal_text(look()->failure_counts_by_agent, "{\"bob\":1}"));
    assert_false(slice_is_present(message.as.get_validation_answer.warning));
}

static void too_many_agents_make_the_longest_silent_one_give_way(void **state)
{
    (void)state;
    char name[32];
    for (int i = 0; i < FAILURES_AGENTS_MAX; i++) {
        snprintf(name, sizeof name, "agent-%d", i);
        now.monotonic_ms++;
        offend(name, "status");
    }
    now.monotonic_ms++;
    offend("agent-0", "status");
    offend("newcomer", "status");
    struct slice counts = look()->failure_counts_by_agent;
    assert_non_null(memmem(counts.data, counts.size, "\"agent-0\":2", 11));
    assert_non_null(memmem(counts.data, counts.size, "\"newcomer\":1", 12));
    assert_null(memmem(counts.data, counts.size, "\"agent-1\":", 10));
    assert_non_null(memmem(counts.data, counts.size, "\"agent-2\":1", 11));
    assert_int_equal(look()->total_failures_this_hour, FAILURES_AGENTS_MAX + 2);
}

static void the_last_twenty_disconnects_are_kept_the_newest_first(void **state)
{
    (void)state;
    const struct message_list *list;
    for (uint32_t i = 1; i <= FAILURES_DISCONNECTS_MAX + 3; i++) {
        now.wall_ms = i;
        failures_add_disconnect(
            failures, (struct offender){ SLICE_OF("ada"), SLICE_OF("10.0.0.1") },
            (struct cooldown){ i, 30000 }, now);
    }
    list = &look()->recent_disconnects;
    const struct message_validation_disconnect *items = list->items;
    assert_int_equal(list->count, FAILURES_DISCONNECTS_MAX);
    assert_int_equal(items[0].times, FAILURES_DISCONNECTS_MAX + 3);
    assert_int_equal(items[0].cooldown_ms, 30000);
    assert_int_equal(items[0].timestamp, FAILURES_DISCONNECTS_MAX + 3);
    assert_true(slice_equal_text(items[0].agent_id, "ada"));
    assert_int_equal(items[FAILURES_DISCONNECTS_MAX - 1].times, 4);
}

/* Every text as long as it comes, and of characters that are written longer than they
 * are; what is kept is cut between characters, else it would not be read back. */
static void the_worst_that_may_come_is_still_told(void **state)
{
    (void)state;
    static char worst[3][1200];
    for (size_t i = 0; i < sizeof worst[0] / 3; i++) {
        memcpy(worst[0] + i * 3, "\xe2\x82\xac", 3);
        memcpy(worst[1] + i * 3, "\"\\\x01", 3);
    }
    for (int i = 0; i < FAILURES_AGENTS_MAX; i++) {
        struct refusal refusal = refusal_of(REFUSAL_ITEMS_MAX);
        struct slice name = slice_make(worst[1], 500);
        worst[1][0] = (char)('a' + i % 16);
        worst[1][1] = (char)('a' + i / 16);
        for (size_t k = 0; k < REFUSAL_ITEMS_MAX; k++) {
            refusal.items[k].field = slice_make(worst[k % 2], sizeof worst[0]);
            refusal.items[k].error = slice_make(worst[k % 2], sizeof worst[0]);
            refusal.items[k].detail = slice_make(worst[k % 2], sizeof worst[0]);
        }
        failures_add(failures, (struct offender){ name, slice_make(worst[0], 900) },
                     slice_make(worst[0], sizeof worst[0]), &refusal, now);
    }
    assert_int_equal(look()->total_failures_this_hour, FAILURES_AGENTS_MAX);
    const struct message_refusal_item *item = recent(0)->errors.items;
    assert_true(item->field.size <= 64);
    assert_memory_equal(item->field.data + item->field.size - 6, "\xe2\x82\xac...", 6);
    assert_null(memmem(text.data, text.size, "\xef\xbf\xbd", 3));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_refused_is_nothing_told),
        CASE(a_failure_says_who_what_when_but_not_the_value),
        CASE(who_is_not_known_has_an_address_alone),
        CASE(the_last_fifty_are_kept_the_newest_first),
        CASE(of_many_errors_the_first_are_told_and_all_are_counted),
        CASE(more_than_fifty_in_an_hour_are_worth_a_warning),
        CASE(too_many_agents_make_the_longest_silent_one_give_way),
        CASE(the_last_twenty_disconnects_are_kept_the_newest_first),
        CASE(the_worst_that_may_come_is_still_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
