/*
 * Goal: every change has its event in its own transaction, the log has no gap, and what
 * was done to it afterwards shows.
 * Method: stories on tables in memory; rows spoilt behind the core's back.
 */
#include "cmocka_all.h"

#include "core/event_log.h"
#include "core/log_check.h"
#include "core/scene.h"
#include "core/story.h"
#include "os/secret.h"

#include <string.h>

static const struct scene_agent BUILDER = { "builder", 7 };

static int fleet_open(void **state)
{
    static struct fleet fleet;
    fleet_init(&fleet);
    *state = &fleet;
    return 0;
}

static int fleet_close(void **state)
{
    fleet_verify(*state);
    fleet_finish(*state);
    return 0;
}

static uint64_t last_of(struct fleet *fleet)
{
    struct step step = fleet_step(fleet);
    struct event_span span;
    event_span_load(&step, &span);
    assert_int_equal(step.err, ERR_OK);
    return span.last;
}

/* In the fleet's arena, until the next command. */
static struct event event_at(struct fleet *fleet, uint64_t sequence)
{
    struct step step = fleet_step(fleet);
    struct event event;
    assert_true(event_load(&step, sequence, &event));
    return event;
}

static struct core_chain chain_of(struct fleet *fleet)
{
    struct core_chain chain;
    assert_int_equal(
        core_chain_verify(memory_transaction(fleet->store), digest_sha256, &chain),
        ERR_OK);
    return chain;
}

static void a_task_is_told_from_its_submit_to_its_end(void **state)
{
    struct fleet *fleet = *state;
    scene_hub_started(fleet);
    uint64_t task = scene_submit_plain(fleet);
    scene_identify(fleet, BUILDER, 1);
    scene_accepted(fleet, BUILDER, task, 1);
    scene_complete(fleet, BUILDER, task, 1);
    assert_string_equal(log_words(fleet, 0),
                        "hub_started task_submitted agent_joined task_assigned "
                        "task_accepted task_completed");
    struct event event = event_at(fleet, 6);
    assert_true(slice_equal_text(event.actor, "builder"));
    assert_int_equal(event.role, ROLE_AGENT);
    assert_int_equal(event.wall_ms, fleet->command.wall_ms);
    assert_int_equal(event.epoch, 1767225600000);
    assert_int_equal(event.message.as.event_task_completed.tokens_used, 12);
    assert_false(event.cut);
}

static void a_whole_story_is_told_without_a_gap(void **state)
{
    struct fleet *fleet = *state;
    story_tell(fleet);
    const char *flaw = log_check(fleet);
    assert_string_equal(flaw == NULL ? "" : flaw, "");
    assert_true(last_of(fleet) > 50);
}

static void a_command_that_fails_leaves_no_event(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, BUILDER, 1);
    uint64_t last = last_of(fleet);
    struct message message = { .type = MESSAGE_POST_TASK };
    message.as.post_task.description = SLICE_OF("sweep the yard");
    fleet_as_client(fleet, "ada", ROLE_SUBMITTER);
    for (uint64_t call = 1;; call++) {
        memory_fail_at(fleet->store, call, ERR_NO_SPACE);
        if (fleet_try(fleet, &message) == ERR_OK)
            break;
        memory_fail_at(fleet->store, 0, ERR_OK);
        assert_int_equal(last_of(fleet), last);
    }
    memory_fail_at(fleet->store, 0, ERR_OK);
    assert_string_equal(log_words(fleet, last), "task_submitted task_assigned");
}

static void whatever_byte_is_changed_breaks_the_chain_there(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, BUILDER, 1);
    scene_submit_plain(fleet);
    scene_submit_plain(fleet);
    uint64_t last = last_of(fleet);
    assert_int_equal(chain_of(fleet).broken_at, 0);

    for (uint64_t sequence = 1; sequence <= last; sequence++) {
        struct step step = fleet_step(fleet);
        struct number_key key;
        struct slice value;
        char spoilt[TRANSACTION_VALUE_BYTES_MAX];
        assert_true(step_get(&step, TABLE_EVENT, key_one(&key, sequence), &value));
        struct slice whole = step_copy(&step, value);
        for (size_t i = 0; i < whole.size; i++) {
            memcpy(spoilt, whole.data, whole.size);
            spoilt[i] ^= 1;
            step_put(&step, TABLE_EVENT, key_one(&key, sequence),
                     slice_make(spoilt, whole.size));
            assert_int_equal(chain_of(fleet).broken_at, sequence);
            assert_int_equal(chain_of(fleet).last, sequence - 1);
        }
        step_put(&step, TABLE_EVENT, key_one(&key, sequence), whole);
    }
    assert_int_equal(chain_of(fleet).broken_at, 0);
    assert_int_equal(chain_of(fleet).count, last);
}

static void a_missing_event_is_found_also_at_the_end(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, BUILDER, 1);
    scene_submit_plain(fleet);
    uint64_t last = last_of(fleet);
    assert_true(last >= 3);
    for (uint64_t sequence = 1; sequence <= last; sequence++) {
        struct step step = fleet_step(fleet);
        struct number_key key;
        struct slice value;
        assert_true(step_get(&step, TABLE_EVENT, key_one(&key, sequence), &value));
        struct slice whole = step_copy(&step, value);
        step_remove(&step, TABLE_EVENT, key_one(&key, sequence));
        assert_int_equal(chain_of(fleet).broken_at, sequence);
        step_put(&step, TABLE_EVENT, key_one(&key, sequence), whole);
    }
}

static void a_long_text_is_cut_between_two_characters(void **state)
{
    struct fleet *fleet = *state;
    static char text[30001];
    for (size_t i = 0; i + 1 < sizeof text; i += 2) {
        text[i] = '\xc3';
        text[i + 1] = '\xa9';
    }
    fleet_submit(fleet, text);
    struct event event = event_at(fleet, last_of(fleet));
    struct slice told = event.message.as.event_task_submitted.description;
    assert_true(event.cut);
    assert_true(told.size > 0 && told.size <= 1024 && told.size % 2 == 0);
    assert_memory_equal(told.data, text, told.size);
}

static void retention_by_number_leaves_a_chain_that_holds(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.events_max = 300;
    scene_hub_started(fleet);
    for (int i = 0; i < 1000; i++)
        scene_submit_plain(fleet);
    fleet_settle(fleet);
    struct core_chain chain = chain_of(fleet);
    assert_int_equal(chain.broken_at, 0);
    assert_int_equal(chain.last, 1001);
    assert_in_range(chain.count, 300, 300 + 256);
    assert_int_equal(memory_rows(fleet->store, TABLE_EVENT), chain.count);
    fleet_verify(fleet);

    /* The next start brings it down to what is kept from now on. */
    fleet->settings.events_max = 10;
    scene_hub_started(fleet);
    fleet_settle(fleet);
    assert_int_equal(memory_rows(fleet->store, TABLE_EVENT), 10);
    chain = chain_of(fleet);
    assert_int_equal(chain.broken_at, 0);
    assert_int_equal(chain.last, 1002);
}

static void retention_by_age_keeps_the_last_event_and_its_number(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.events_ttl_ms = 3600 * 1000;
    scene_hub_started(fleet);
    scene_submit_plain(fleet);
    scene_submit_plain(fleet);
    for (int i = 0; i < 5; i++)
        scene_wait(fleet, 1800 * 1000);
    assert_int_equal(memory_rows(fleet->store, TABLE_EVENT), 1);
    assert_int_equal(last_of(fleet), 3);
    scene_submit_plain(fleet);
    assert_int_equal(last_of(fleet), 4);
    assert_int_equal(chain_of(fleet).broken_at, 0);
    assert_int_equal(chain_of(fleet).first, 3);
    for (int i = 0; i < 5; i++)
        scene_wait(fleet, 1800 * 1000);
    assert_int_equal(chain_of(fleet).first, 4);
}

static void set_retention(struct fleet *fleet, int64_t ttl_ms)
{
    struct message message = { .type = MESSAGE_PUT_MAILBOX_RETENTION };
    message.as.put_mailbox_retention.mailbox_ttl_ms = ttl_ms;
    fleet_as_client(fleet, "root", ROLE_ADMIN);
    fleet->command.address = SLICE_OF("192.0.2.7");
    fleet_do(fleet, &message);
    fleet->command.address = (struct slice){ 0 };
}

static void a_privileged_action_is_told_once_with_who_what_and_from_where(void **state)
{
    struct fleet *fleet = *state;
    set_retention(fleet, 60000);
    assert_string_equal(log_words(fleet, 0), "action");
    struct event event = event_at(fleet, 1);
    const struct message_event_action *action = &event.message.as.event_action;
    assert_true(slice_equal_text(event.actor, "root"));
    assert_true(slice_equal_text(event.address, "192.0.2.7"));
    assert_int_equal(event.role, ROLE_ADMIN);
    assert_true(slice_equal_text(action->action, "put_mailbox_retention"));
    assert_true(slice_equal_text(action->parameters, "mailbox_ttl_ms=60000"));
    assert_int_equal(action->status, 200);
    assert_false(slice_is_present(action->error));
}

static void a_refused_privileged_action_is_told_with_its_error(void **state)
{
    struct fleet *fleet = *state;
    struct message message = { .type = MESSAGE_DELETE_SCHEMA };
    message.as.delete_schema.name = SLICE_OF("nothing");
    fleet_as_client(fleet, "olga", ROLE_OPERATOR);
    fleet_do(fleet, &message);
    assert_string_equal(log_words(fleet, 0), "action");
    struct event event = event_at(fleet, 1);
    assert_int_equal(event.message.as.event_action.status, 404);
    assert_true(
        slice_equal_text(event.message.as.event_action.error, "schema_not_found"));
    assert_true(
        slice_equal_text(event.message.as.event_action.parameters, "name=nothing"));
}

static void an_action_with_an_event_of_its_own_is_told_once(void **state)
{
    struct fleet *fleet = *state;
    struct message message = { .type = MESSAGE_POST_ADMIN_TOKEN };
    message.as.post_admin_token.agent_id = SLICE_OF("builder");
    fleet->command.minted = true;
    memset(fleet->command.minted_digest, 9, DIGEST_BYTES);
    memset(fleet->command.minted_prefix, 'p', sizeof fleet->command.minted_prefix);
    fleet_as_client(fleet, "root", ROLE_ADMIN);
    fleet_do(fleet, &message);
    assert_string_equal(log_words(fleet, 0), "token_created");
    struct event event = event_at(fleet, 1);
    assert_true(slice_equal_text(event.message.as.event_token_created.role, "agent"));
    assert_true(
        slice_equal_text(event.message.as.event_token_created.prefix, "pppppppp"));
}

static void classes_that_are_not_kept_leave_no_gap_and_audit_stays(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.event_classes = 1u << EVENT_CLASS_AGENT;
    scene_hub_started(fleet);
    scene_identify(fleet, BUILDER, 1);
    scene_submit_plain(fleet);
    set_retention(fleet, 60000);
    assert_string_equal(log_words(fleet, 0), "agent_joined action");
    assert_int_equal(chain_of(fleet).broken_at, 0);
}

static void a_new_epoch_is_later_and_numbers_go_on(void **state)
{
    struct fleet *fleet = *state;
    struct transaction *transaction = memory_transaction(fleet->store);
    struct core_place place;
    scene_hub_started(fleet);
    assert_int_equal(core_epoch_start(transaction, 5), ERR_OK);
    scene_submit_plain(fleet);
    assert_int_equal(event_at(fleet, 1).epoch, 1767225600000);
    assert_int_equal(event_at(fleet, 2).epoch, 1767225600001);
    assert_int_equal(core_epoch_start(transaction, 1800000000000), ERR_OK);
    assert_int_equal(core_place_read(transaction, &place), ERR_OK);
    assert_int_equal(place.epoch, 1800000000000);
    assert_int_equal(place.event_last, 2);
    /* A start of the hub is no new history. */
    scene_hub_started(fleet);
    assert_int_equal(event_at(fleet, 3).epoch, 1800000000000);
    assert_int_equal(chain_of(fleet).broken_at, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fleet_open, fleet_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_task_is_told_from_its_submit_to_its_end),
        TEST(a_whole_story_is_told_without_a_gap),
        TEST(a_command_that_fails_leaves_no_event),
        TEST(whatever_byte_is_changed_breaks_the_chain_there),
        TEST(a_missing_event_is_found_also_at_the_end),
        TEST(a_long_text_is_cut_between_two_characters),
        TEST(retention_by_number_leaves_a_chain_that_holds),
        TEST(retention_by_age_keeps_the_last_event_and_its_number),
        TEST(a_privileged_action_is_told_once_with_who_what_and_from_where),
        TEST(a_refused_privileged_action_is_told_with_its_error),
        TEST(an_action_with_an_event_of_its_own_is_told_once),
        TEST(classes_that_are_not_kept_leave_no_gap_and_audit_stays),
        TEST(a_new_epoch_is_later_and_numbers_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
