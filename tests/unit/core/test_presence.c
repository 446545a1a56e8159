/*
 * Goal: the newest connection of an agent is the only one, and a lost agent finds its
 * tasks again when it is back in time.
 * Method: stories; the tables are verified after every wait.
 */
#include "core/scene.h"

#include "cmocka_all.h"

#include <string.h>

static const struct scene_agent ADA = { "ada", 11 };
static const struct scene_agent ADA_AGAIN = { "ada", 21 };
static const struct scene_agent BOB = { "bob", 12 };

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

static const struct effect *effect_of(const struct fleet *fleet, enum effect_kind kind)
{
    const struct effect *effect = fleet->effects.first;
    while (effect != NULL && effect->kind != kind)
        effect = effect->next;
    return effect;
}

static void identify_binds_answers_and_tells_the_others(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, BOB, 1);
    const struct effect *effect = fleet->effects.first;
    assert_int_equal(effect->kind, EFFECT_BIND);
    assert_int_equal(effect->link, BOB.link);
    assert_true(slice_equal_text(effect->actor, "bob"));
    const struct message *identified = fleet_sent(fleet, BOB.link, MESSAGE_IDENTIFIED);
    assert_non_null(identified);
    assert_int_equal(identified->as.identified.lease_ms, fleet->settings.lease_ms);

    const struct effect *joined = effect_of(fleet, EFFECT_BROADCAST);
    assert_non_null(joined);
    assert_int_equal(joined->link, BOB.link);
    assert_int_equal(joined->message.type, MESSAGE_AGENT_JOINED);
    const struct message_agent *agent = joined->message.as.agent_joined.agent;
    assert_true(slice_equal_text(agent->agent_id, "bob"));
    assert_true(slice_equal_text(agent->name, "bob"));
    assert_true(slice_equal_text(agent->status, "connected"));
}

static void a_token_speaks_for_its_own_agent_only(void **state)
{
    struct fleet *fleet = *state;
    struct memory_store *before = memory_store_copy(fleet->store);
    struct message message = { .type = MESSAGE_IDENTIFY };
    message.as.identify.agent_id = SLICE_OF("ada");
    fleet_as_agent(fleet, "bob", 30);
    fleet_do(fleet, &message);
    assert_string_equal(scene_error(fleet, 30), "token_agent_mismatch");
    fleet_as_agent(fleet, NULL, 30);
    fleet_do(fleet, &message);
    assert_string_equal(scene_error(fleet, 30), "invalid_token");
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
}

static void the_newest_connection_wins(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_identify(fleet, ADA_AGAIN, 1);
    const struct effect *closed = effect_of(fleet, EFFECT_CLOSE);
    assert_non_null(closed);
    assert_int_equal(closed->link, ADA.link);
    assert_int_equal(closed->code, CLOSE_ROWS[CLOSE_SESSION_REPLACED].code);
    assert_null(effect_of(fleet, EFFECT_BROADCAST));
    assert_int_equal(scene_assigned(fleet, ADA_AGAIN.link), task);

    struct memory_store *before = memory_store_copy(fleet->store);
    scene_complete(fleet, ADA, task, 1);
    scene_accepted(fleet, ADA, task, 1);
    scene_ping(fleet, ADA);
    assert_null(fleet_sent(fleet, ADA.link, MESSAGE_PONG));
    scene_link_closed(fleet, ADA.link);
    assert_int_equal(fleet->effects.count, 0);
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
    assert_int_equal(scene_agent_row(fleet, ADA).link, ADA_AGAIN.link);
}

static void a_task_waits_for_its_agent_through_the_grace(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, BOB, 1);
    uint64_t task = scene_submit_plain(fleet);
    scene_accepted(fleet, ADA, task, 1);
    scene_link_closed(fleet, ADA.link);
    scene_wait(fleet, fleet->settings.reconnect_grace_ms - 1);
    assert_int_equal(scene_task(fleet, task).state, TASK_WORKING);

    scene_identify(fleet, ADA_AGAIN, 1);
    assert_int_equal(scene_assigned(fleet, ADA_AGAIN.link), 0);
    scene_recovering(fleet, ADA_AGAIN, task);
    const struct message *goes_on =
        fleet_sent(fleet, ADA_AGAIN.link, MESSAGE_TASK_CONTINUE);
    assert_non_null(goes_on);
    assert_int_equal(goes_on->as.task_continue.generation, 1);
    scene_wait(fleet, fleet->settings.reconnect_grace_ms);
    scene_complete(fleet, ADA_AGAIN, task, 1);
    assert_string_equal(scene_ack(fleet, ADA_AGAIN.link), "complete");
    assert_int_equal(scene_task(fleet, task).attempts, 0);
}

static void past_the_grace_the_task_goes_to_another(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_accepted(fleet, ADA, task, 1);
    scene_identify(fleet, BOB, 1);
    scene_link_closed(fleet, ADA.link);
    const struct effect *left = effect_of(fleet, EFFECT_BROADCAST);
    assert_non_null(left);
    assert_int_equal(left->message.type, MESSAGE_AGENT_LEFT);

    fleet_pass(fleet, fleet->settings.reconnect_grace_ms);
    fleet_settle(fleet);
    assert_int_equal(scene_assigned(fleet, BOB.link), task);
    assert_int_equal(scene_task(fleet, task).attempts, 1);
    assert_string_equal(scene_history(fleet, task),
                        "assigned reclaimed accepted assigned queued");

    scene_identify(fleet, ADA_AGAIN, 1);
    scene_recovering(fleet, ADA_AGAIN, task);
    assert_non_null(fleet_sent(fleet, ADA_AGAIN.link, MESSAGE_TASK_REASSIGN));
}

static void a_task_not_accepted_yet_is_said_again(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    fleet_pass(fleet, 20 * 1000);
    scene_link_closed(fleet, ADA.link);
    fleet_pass(fleet, 20 * 1000);
    fleet_settle(fleet);
    scene_identify(fleet, ADA_AGAIN, 1);
    assert_int_equal(scene_assigned(fleet, ADA_AGAIN.link), task);
    assert_int_equal(scene_task(fleet, task).generation, 1);
    scene_wait(fleet, fleet->settings.acceptance_ms - 1);
    assert_int_equal(scene_task(fleet, task).state, TASK_ASSIGNED);
    scene_wait(fleet, 1);
    assert_int_equal(scene_task(fleet, task).state, TASK_QUEUED);
}

static void many_tasks_not_accepted_are_all_said_again(void **state)
{
    enum { MANY = 200 };
    struct fleet *fleet = *state;
    static char text[100000];
    memset(text, 'x', sizeof text);
    scene_identify(fleet, BOB, MANY);
    for (int i = 0; i < MANY; i++)
        scene_submit(fleet, (struct message_post_task){
                                .description = slice_make(text, sizeof text) });
    scene_link_closed(fleet, BOB.link);
    struct scene_agent again = { "bob", 40 };
    scene_identify(fleet, again, MANY);
    size_t said = 0;
    /* Large as they are, with pauses; long before the first of them must be accepted. */
    for (int i = 0; i < 1000 && fleet_next_due_ms(fleet) < 1000; i++) {
        for (const struct effect *effect = fleet->effects.first; effect != NULL;
             effect = effect->next)
            said += effect->kind == EFFECT_SEND && effect->link == again.link &&
                    effect->message.type == MESSAGE_TASK_ASSIGN;
        assert_true(fleet->effects.count <= 64 + 2);
        const struct message tick = { .type = MESSAGE_TICK };
        fleet_as_hub(fleet);
        fleet_pass(fleet, fleet_next_due_ms(fleet));
        fleet_do(fleet, &tick);
    }
    for (const struct effect *effect = fleet->effects.first; effect != NULL;
         effect = effect->next)
        said +=
            effect->kind == EFFECT_SEND && effect->message.type == MESSAGE_TASK_ASSIGN;
    assert_int_equal(said, scene_agent_row(fleet, again).held);
}

static void a_restarted_hub_gives_everybody_the_grace(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, BOB, 1);
    uint64_t first = scene_submit_plain(fleet);
    uint64_t second = scene_submit_plain(fleet);
    scene_accepted(fleet, ADA, first, 1);
    scene_accepted(fleet, BOB, second, 1);
    scene_hub_started(fleet);
    assert_int_equal(memory_rows(fleet->store, TABLE_CONNECTED), 0);
    assert_int_equal(memory_rows(fleet->store, TABLE_LINK), 0);
    fleet_verify(fleet);

    /* Links are numbered anew: the old number may be another's. */
    struct scene_agent bob = { "bob", ADA.link };
    scene_identify(fleet, bob, 1);
    scene_recovering(fleet, bob, second);
    assert_non_null(fleet_sent(fleet, bob.link, MESSAGE_TASK_CONTINUE));
    scene_wait(fleet, fleet->settings.reconnect_grace_ms);
    assert_int_equal(scene_task(fleet, first).state, TASK_QUEUED);
    assert_int_equal(scene_task(fleet, first).attempts, 1);
    assert_int_equal(scene_task(fleet, second).state, TASK_WORKING);
}

static void a_link_may_change_its_agent(void **state)
{
    struct fleet *fleet = *state;
    struct scene_agent bob = { "bob", ADA.link };
    uint64_t task = scene_submit_plain(fleet);
    scene_identify(fleet, bob, 1);
    assert_int_equal(scene_agent_row(fleet, ADA).link, 0);
    assert_int_equal(scene_agent_row(fleet, bob).link, ADA.link);
    scene_wait(fleet, fleet->settings.reconnect_grace_ms);
    assert_int_equal(scene_task(fleet, task).agent, scene_agent_row(fleet, bob).number);
}

static void identifying_twice_on_a_link_changes_what_was_said(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    const char *able[] = { "git", NULL };
    fleet_identify(fleet, "ada", ADA.link, able, 2);
    assert_null(effect_of(fleet, EFFECT_CLOSE));
    assert_null(effect_of(fleet, EFFECT_BROADCAST));
    assert_int_equal(scene_assigned(fleet, ADA.link), 0);
    assert_int_equal(scene_task(fleet, task).state, TASK_ASSIGNED);
    assert_int_equal(scene_agent_row(fleet, ADA).slots, 2);
    fleet_verify(fleet);
}

static void a_large_fleet_is_not_told_of_joins(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.presence_events_agents_max = 1;
    scene_identify(fleet, BOB, 1);
    assert_null(effect_of(fleet, EFFECT_BROADCAST));
    scene_link_closed(fleet, BOB.link);
    assert_non_null(effect_of(fleet, EFFECT_BROADCAST));
}

static void a_status_is_told_to_all(void **state)
{
    struct fleet *fleet = *state;
    struct message message = { .type = MESSAGE_STATUS };
    message.as.status.status = SLICE_OF("thinking");
    fleet_as_agent(fleet, ADA.name, ADA.link);
    fleet_do(fleet, &message);
    assert_non_null(fleet_sent(fleet, ADA.link, MESSAGE_STATUS_UPDATED));
    const struct effect *changed = effect_of(fleet, EFFECT_BROADCAST);
    assert_non_null(changed);
    assert_int_equal(changed->link, 0);
    assert_true(
        slice_equal_text(changed->message.as.status_changed.agent->status, "thinking"));
}

static void the_list_names_the_connected(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, BOB, 0);
    scene_link_closed(fleet, ADA.link);
    const struct message message = { .type = MESSAGE_LIST_AGENTS };
    fleet_as_agent(fleet, BOB.name, BOB.link);
    fleet_do(fleet, &message);
    const struct message *agents = fleet_sent(fleet, BOB.link, MESSAGE_AGENTS);
    assert_non_null(agents);
    assert_int_equal(agents->as.agents.agents.count, 1);
    const struct message_agent *listed = agents->as.agents.agents.items;
    assert_true(slice_equal_text(listed->agent_id, "bob"));
}

static void pings_write_nothing(void **state)
{
    struct fleet *fleet = *state;
    struct memory_store *before = memory_store_copy(fleet->store);
    scene_ping(fleet, ADA);
    const struct message *pong = fleet_sent(fleet, ADA.link, MESSAGE_PONG);
    assert_non_null(pong);
    assert_int_equal(pong->as.pong.timestamp, fleet->command.wall_ms);
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
}

static struct message letter(const char *to)
{
    struct message message = { .type = MESSAGE_MESSAGE };
    message.as.message.payload = SLICE_OF("{\"a\": 1.0}");
    message.as.message.to = slice_from_text(to);
    return message;
}

static void a_direct_message_reaches_its_agent_alone(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, BOB, 1);
    struct message message = letter("bob");
    fleet_as_agent(fleet, ADA.name, ADA.link);
    fleet_do(fleet, &message);
    const struct message *got = fleet_sent(fleet, BOB.link, MESSAGE_MESSAGE_OUT);
    const struct message *sent = fleet_sent(fleet, ADA.link, MESSAGE_MESSAGE_SENT);
    assert_non_null(got);
    assert_non_null(sent);
    assert_int_equal(fleet->effects.count, 2);
    assert_true(slice_equal_text(got->as.message_out.from, "ada"));
    assert_true(slice_equal_text(got->as.message_out.message_type, "chat"));
    assert_true(slice_equal_text(got->as.message_out.payload, "{\"a\": 1.0}"));
    assert_int_equal(got->as.message_out.id.size, 16);
    assert_true(slice_equal(got->as.message_out.id, sent->as.message_sent.id));
}

static void a_broadcast_reaches_its_sender_too(void **state)
{
    struct fleet *fleet = *state;
    struct message message = letter(NULL);
    for (int i = 0; i < 2; i++) {
        fleet_as_agent(fleet, ADA.name, ADA.link);
        fleet_do(fleet, &message);
        const struct effect *all = effect_of(fleet, EFFECT_BROADCAST);
        assert_non_null(all);
        assert_int_equal(all->link, 0);
        assert_int_equal(all->message.type, MESSAGE_MESSAGE_OUT);
        message = letter("broadcast");
    }
}

static void a_message_to_the_absent_is_queued(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, BOB, 1);
    scene_link_closed(fleet, BOB.link);
    const char *nobody[] = { "bob", "carol" };
    for (int i = 0; i < 2; i++) {
        struct message message = letter(nobody[i]);
        fleet_as_agent(fleet, ADA.name, ADA.link);
        fleet_do(fleet, &message);
        const struct message *sent = fleet_sent(fleet, ADA.link, MESSAGE_MESSAGE_SENT);
        assert_non_null(sent);
        assert_true(slice_equal_text(sent->as.message_sent.delivery, "queued"));
        assert_int_equal(fleet->effects.count, 1);
    }
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        STORY(identify_binds_answers_and_tells_the_others),
        STORY(a_token_speaks_for_its_own_agent_only),
        STORY(the_newest_connection_wins),
        STORY(a_task_waits_for_its_agent_through_the_grace),
        STORY(past_the_grace_the_task_goes_to_another),
        STORY(a_task_not_accepted_yet_is_said_again),
        STORY(many_tasks_not_accepted_are_all_said_again),
        STORY(a_restarted_hub_gives_everybody_the_grace),
        STORY(a_link_may_change_its_agent),
        STORY(identifying_twice_on_a_link_changes_what_was_said),
        STORY(a_large_fleet_is_not_told_of_joins),
        STORY(a_status_is_told_to_all),
        STORY(the_list_names_the_connected),
        STORY(pings_write_nothing),
        STORY(a_direct_message_reaches_its_agent_alone),
        STORY(a_broadcast_reaches_its_sender_too),
        STORY(a_message_to_the_absent_is_queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
