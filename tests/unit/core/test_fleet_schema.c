/*
 * Goal: a payload is judged by the version that is current where its command stands in
 * the order, a refusal changes nothing, and what the judge remembers changes nothing.
 * Method: stories on tables in memory; a long one from a seed, told twice.
 */
#include "core/scene.h"

#include "core/fleet_schema.h"
#include "engine/judge.h"

#include "cmocka_all.h"

#include <stdio.h>

static const struct scene_agent ADA = { "ada", 11 };

static int begin(void **state)
{
    static struct fleet fleet;
    fleet_init(&fleet);
    scene_identify(&fleet, ADA, 1);
    *state = &fleet;
    return 0;
}

static int end(void **state)
{
    struct fleet *fleet = *state;
    fleet_settle(fleet);
    fleet_verify(fleet);
    fleet_finish(fleet);
    return 0;
}

static void put(struct fleet *fleet, const char *name, const char *text, const char *kind,
                const char *part)
{
    struct message_put_schema_bind bind = { .kind = slice_from_text(kind),
                                            .part = slice_from_text(part) };
    struct message message = { .type = MESSAGE_PUT_SCHEMA };
    message.as.put_schema.name = slice_from_text(name);
    message.as.put_schema.schema = slice_from_text(text);
    message.as.put_schema.bind = kind != NULL ? &bind : NULL;
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

static void delete (struct fleet *fleet, const char *name)
{
    struct message message = { .type = MESSAGE_DELETE_SCHEMA };
    message.as.delete_schema.name = slice_from_text(name);
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

static void submit(struct fleet *fleet, const char *kind, const char *metadata)
{
    struct message message = { .type = MESSAGE_POST_TASK };
    message.as.post_task.description = SLICE_OF("work");
    message.as.post_task.kind = slice_from_text(kind);
    message.as.post_task.metadata = slice_from_text(metadata);
    fleet_as_client(fleet, "boss", ROLE_SUBMITTER);
    fleet_do(fleet, &message);
}

static void each_payload_is_judged_by_the_version_before_it_in_the_order(void **state)
{
    struct fleet *fleet = *state;
    put(fleet, "a", "{\"required\":[\"x\"]}", "k", NULL);
    submit(fleet, "k", "{\"x\":1}");
    assert_string_equal(scene_http_error(fleet), "");
    put(fleet, "a", "{\"required\":[\"y\"]}", NULL, NULL);
    submit(fleet, "k", "{\"x\":1}");
    assert_string_equal(scene_http_error(fleet), "schema_violation");
    submit(fleet, "k", "{\"y\":1}");
    assert_string_equal(scene_http_error(fleet), "");
    delete (fleet, "a");
    submit(fleet, "k", "{}");
    assert_string_equal(scene_http_error(fleet), "");
}

static void a_refused_payload_changes_no_row(void **state)
{
    struct fleet *fleet = *state;
    put(fleet, "a", "{\"required\":[\"x\"]}", "k", NULL);
    put(fleet, "b", "{\"required\":[\"x\"]}", "k", "result");
    struct memory_store *before = memory_store_copy(fleet->store);
    submit(fleet, "k", "{}");
    assert_string_equal(scene_http_error(fleet), "schema_violation");
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);

    submit(fleet, "k", "{\"x\":1}");
    uint64_t task = scene_assigned(fleet, ADA.link);
    before = memory_store_copy(fleet->store);
    scene_complete(fleet, ADA, task, 1);
    assert_string_equal(scene_error(fleet, ADA.link),
                        "task_complete_failed: schema_violation");
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
    delete (fleet, "b");
    scene_complete(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "complete");
}

static void bind_channel(struct fleet *fleet, const char *name, const char *text,
                         const char *channel)
{
    struct message_put_schema_bind bind = { .channel = slice_from_text(channel) };
    struct message message = { .type = MESSAGE_PUT_SCHEMA };
    message.as.put_schema.name = slice_from_text(name);
    message.as.put_schema.schema = slice_from_text(text);
    message.as.put_schema.bind = &bind;
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

static void say(struct fleet *fleet, const char *channel, const char *payload)
{
    struct message message = { .type = MESSAGE_POST_CHANNEL_PUBLISH };
    message.as.post_channel_publish.channel = slice_from_text(channel);
    message.as.post_channel_publish.payload = slice_from_text(payload);
    fleet_as_client(fleet, "boss", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

static void create_channel(struct fleet *fleet, const char *name)
{
    struct message message = { .type = MESSAGE_POST_CHANNEL };
    message.as.post_channel.name = slice_from_text(name);
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

static void what_is_said_in_a_bound_channel_is_judged_and_else_changes_no_row(
    void **state)
{
    struct fleet *fleet = *state;
    bind_channel(fleet, "a", "{\"required\":[\"x\"]}", "#General");
    create_channel(fleet, "general");
    create_channel(fleet, "other");
    struct memory_store *before = memory_store_copy(fleet->store);
    say(fleet, "general", "{}");
    assert_string_equal(scene_http_error(fleet), "schema_violation");
    struct message spoken = { .type = MESSAGE_CHANNEL_PUBLISH };
    spoken.as.channel_publish.channel = SLICE_OF("GENERAL");
    spoken.as.channel_publish.payload = SLICE_OF("{}");
    fleet_as_agent(fleet, ADA.name, ADA.link);
    fleet_do(fleet, &spoken);
    assert_string_equal(scene_error(fleet, ADA.link), "schema_violation");
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);

    say(fleet, "general", "{\"x\":1}");
    assert_string_equal(scene_http_error(fleet), "");
    say(fleet, "other", "{}");
    assert_string_equal(scene_http_error(fleet), "");
    delete (fleet, "a");
    say(fleet, "general", "{}");
    assert_string_equal(scene_http_error(fleet), "");
}

static void a_new_version_is_tried_on_what_was_said_last(void **state)
{
    struct fleet *fleet = *state;
    create_channel(fleet, "general");
    say(fleet, "general", "{\"x\":1}");
    for (int i = 0; i < 5; i++)
        say(fleet, "general", i % 2 == 0 ? "{\"y\":1}" : "{\"x\":1}");
    fleet->settings.schema_payloads_checked = 4;
    bind_channel(fleet, "a", "{\"required\":[\"x\"]}", "general");
    const struct message_put_schema_answer *answer =
        &fleet_answer(fleet)->message.as.put_schema_answer;
    assert_int_equal(answer->checked, 4);
    assert_int_equal(answer->failed, 2);
    const struct message_schema_failure *failure = answer->failures.items;
    assert_false(slice_is_present(failure->task_id));
    assert_int_equal(failure->message_id.size, 16);
    assert_true(slice_equal_text(answer->bind->channel, "general"));
    assert_false(slice_is_present(answer->bind->kind));
}

static void a_channel_is_bound_to_one_schema_and_a_schema_to_one_thing(void **state)
{
    struct fleet *fleet = *state;
    bind_channel(fleet, "a", "{}", "general");
    bind_channel(fleet, "b", "{}", "#GENERAL");
    assert_string_equal(scene_http_error(fleet), "schema_conflict");
    bind_channel(fleet, "b", "{}", "!?");
    assert_string_equal(scene_http_error(fleet), "validation_failed");
    /* A kind of the same name is another thing. */
    put(fleet, "b", "{}", "general", NULL);
    assert_string_equal(scene_http_error(fleet), "");
    /* Bound anew, it lets go of what it was bound to. */
    put(fleet, "a", "{}", "k", NULL);
    assert_string_equal(scene_http_error(fleet), "");
    bind_channel(fleet, "c", "{}", "general");
    assert_string_equal(scene_http_error(fleet), "");
    struct message_put_schema_bind both = { .kind = SLICE_OF("k"),
                                            .channel = SLICE_OF("general") };
    struct message message = { .type = MESSAGE_PUT_SCHEMA };
    message.as.put_schema.name = SLICE_OF("c");
    message.as.put_schema.schema = SLICE_OF("{}");
    message.as.put_schema.bind = &both;
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
    assert_string_equal(scene_http_error(fleet), "validation_failed");
}

static void a_dry_run_changes_no_row(void **state)
{
    struct fleet *fleet = *state;
    submit(fleet, "k", "{}");
    struct message_put_schema_bind bind = { .kind = SLICE_OF("k") };
    struct message message = { .type = MESSAGE_PUT_SCHEMA };
    message.as.put_schema = (struct message_put_schema){
        .name = SLICE_OF("a"),
        .schema = SLICE_OF("false"),
        .bind = &bind,
        .dry_run = true,
        .has_dry_run = true,
    };
    struct memory_store *before = memory_store_copy(fleet->store);
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
    const struct effect *answer = fleet_answer(fleet);
    assert_int_equal(answer->message.as.put_schema_answer.version, 1);
    assert_int_equal(answer->message.as.put_schema_answer.failed, 1);
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
}

static void without_a_judge_nothing_is_taken_unjudged(void **state)
{
    struct fleet *fleet = *state;
    put(fleet, "a", "{}", "k", NULL);
    fleet->settings.judge = NULL;
    submit(fleet, "k", "{}");
    assert_string_equal(scene_http_error(fleet), "unavailable");
    submit(fleet, "other", "{}");
    assert_string_equal(scene_http_error(fleet), "");
    put(fleet, "b", "{}", NULL, NULL);
    assert_string_equal(scene_http_error(fleet), "unavailable");
    fleet->settings.judge = fleet->judge;
}

static void old_versions_go_with_their_texts(void **state)
{
    struct fleet *fleet = *state;
    char text[64];
    fleet->settings.schema_versions_max = 3;
    for (int i = 0; i < 10; i++) {
        (void)snprintf(text, sizeof text, "{\"minProperties\":%d}", i);
        put(fleet, "a", text, NULL, NULL);
    }
    assert_int_equal(memory_rows(fleet->store, TABLE_SCHEMA_VERSION), 3);
    fleet->settings.schema_versions_max = 1;
    put(fleet, "a", "{}", NULL, NULL);
    assert_int_equal(memory_rows(fleet->store, TABLE_SCHEMA_VERSION), 1);
    fleet_verify(fleet);
    delete (fleet, "a");
    assert_int_equal(memory_rows(fleet->store, TABLE_SCHEMA_VERSION), 0);
    assert_int_equal(memory_rows(fleet->store, TABLE_SCHEMA), 0);
}

static uint64_t draw(uint64_t *random, uint64_t below)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random % below;
}

/* One command of the long story: `forgetful` starts each with a judge that is new. */
static void one_turn(struct fleet *fleet, uint64_t *random, bool forgetful)
{
    static const char *const names[] = { "a", "b", "c" };
    static const char *const kinds[] = { "k", "l", NULL };
    static const char *const parts[] = { "payload", "result" };
    static const char *const payloads[] = { "{}", "{\"x\":1}", "{\"x\":1,\"y\":[]}" };
    char text[64];
    if (forgetful)
        judge_forget(fleet->judge);
    const char *name = names[draw(random, 3)];
    const char *kind = kinds[draw(random, 3)];
    const char *part = parts[draw(random, 2)];
    uint64_t number = draw(random, 4);
    switch (draw(random, 6)) {
    case 4:
        bind_channel(fleet, name, number < 2 ? "{\"minProperties\":1}" : "{}",
                     number % 2 == 0 ? "general" : "other");
        break;
    case 5:
        say(fleet, number % 2 == 0 ? "general" : "other", payloads[draw(random, 3)]);
        break;
    case 0:
        (void)snprintf(text, sizeof text, "{\"minProperties\":%d}", (int)number);
        put(fleet, name, text, kind, part);
        break;
    case 1:
        if (number == 0)
            delete (fleet, name);
        break;
    case 2:
        submit(fleet, kind, payloads[draw(random, 3)]);
        break;
    default:
        if (scene_agent_row(fleet, ADA).held > 0) {
            struct step step = fleet_step(fleet);
            struct slice key;
            struct slice value;
            if (step_first_from(&step, TABLE_HOLDING, SLICE_OF(""), &key, &value))
                scene_complete(fleet, ADA, key_number(&step, key, 1), 1);
        }
    }
    fleet_pass(fleet, 1);
}

static void what_the_judge_forgets_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct fleet one;
        struct fleet other;
        uint64_t random_one = seed * 0x9E3779B97F4A7C15;
        uint64_t random_other = random_one;
        fleet_init(&one);
        fleet_init(&other);
        scene_identify(&one, ADA, 1);
        scene_identify(&other, ADA, 1);
        create_channel(&one, "general");
        create_channel(&other, "general");
        for (int i = 0; i < 300; i++) {
            one_turn(&one, &random_one, false);
            one_turn(&other, &random_other, true);
            assert_true(memory_store_equal(one.store, other.store));
        }
        fleet_verify(&one);
        fleet_finish(&one);
        fleet_finish(&other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            each_payload_is_judged_by_the_version_before_it_in_the_order, begin, end),
        cmocka_unit_test_setup_teardown(a_refused_payload_changes_no_row, begin, end),
        cmocka_unit_test_setup_teardown(
            what_is_said_in_a_bound_channel_is_judged_and_else_changes_no_row, begin,
            end),
        cmocka_unit_test_setup_teardown(a_new_version_is_tried_on_what_was_said_last,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            a_channel_is_bound_to_one_schema_and_a_schema_to_one_thing, begin, end),
        cmocka_unit_test_setup_teardown(a_dry_run_changes_no_row, begin, end),
        cmocka_unit_test_setup_teardown(without_a_judge_nothing_is_taken_unjudged, begin,
                                        end),
        cmocka_unit_test_setup_teardown(old_versions_go_with_their_texts, begin, end),
        cmocka_unit_test(what_the_judge_forgets_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
