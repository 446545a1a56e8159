/*
 * Goal: who is connected, in what state, as v1.1's routes say it.
 */
#include "cmocka_all.h"

#include "core/fleet.h"

#include <stdio.h>

static const struct message_list *agents(struct fleet *fleet)
{
    const struct message message = { .type = MESSAGE_GET_AGENTS };
    fleet_as_client(fleet, NULL, ROLE_ANYBODY);
    fleet_do(fleet, &message);
    const struct effect *answer = fleet_answer(fleet);
    assert_non_null(answer);
    assert_int_equal(answer->message.type, MESSAGE_GET_AGENTS_ANSWER);
    return &answer->message.as.get_agents_answer.agents;
}

static int64_t connected(struct fleet *fleet)
{
    const struct message message = { .type = MESSAGE_GET_HEALTH };
    fleet_as_client(fleet, NULL, ROLE_ANYBODY);
    fleet_do(fleet, &message);
    const struct message_get_health_answer *answer =
        &fleet_answer(fleet)->message.as.get_health_answer;
    assert_true(slice_equal_text(answer->status, "ok"));
    assert_true(slice_equal_text(answer->service, "agent_com"));
    return answer->agents_connected;
}

static void close_link(struct fleet *fleet, uint64_t link)
{
    const struct message message = { .type = MESSAGE_LINK_CLOSED };
    fleet_as_hub(fleet);
    fleet->command.origin.link = link;
    fleet_do(fleet, &message);
}

static void nobody_connected_is_an_empty_list(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    const struct message_list *list = agents(&fleet);
    assert_int_equal(list->count, 0);
    assert_non_null(list->items);
    assert_int_equal(connected(&fleet), 0);
    fleet_finish(&fleet);
}

static void an_agent_is_shown_with_what_it_can_and_does(void **state)
{
    (void)state;
    struct fleet fleet;
    static const char *const can[] = { "rust", "git", NULL };
    fleet_init(&fleet);
    fleet_identify(&fleet, "ada", 1, can, 2);
    const struct message_agent_listed *ada = agents(&fleet)->items;
    assert_true(slice_equal_text(ada->agent_id, "ada"));
    assert_true(slice_equal_text(ada->name, "ada"));
    assert_true(slice_equal_text(ada->status, "connected"));
    assert_int_equal(ada->capabilities.count, 2);
    assert_int_equal(ada->connected_at, fleet.command.wall_ms);
    assert_true(slice_equal_text(ada->fsm_state, "idle"));
    assert_int_equal(ada->tasks_held, 0);
    assert_int_equal(ada->max_concurrent, 2);

    fleet_submit(&fleet, "sweep");
    ada = agents(&fleet)->items;
    assert_true(slice_equal_text(ada->fsm_state, "assigned"));
    assert_int_equal(ada->tasks_held, 1);
    fleet_finish(&fleet);
}

static void a_silent_agent_is_told_from_an_idle_one(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    fleet_identify(&fleet, "ada", 1, NULL, 1);
    fleet_submit(&fleet, "sweep");
    fleet_pass(&fleet, fleet.settings.acceptance_ms);
    fleet_settle(&fleet);
    const struct message_agent_listed *ada = agents(&fleet)->items;
    assert_true(slice_equal_text(ada->fsm_state, "idle"));
    assert_true(slice_equal_text(ada->state, "unresponsive"));
    fleet_finish(&fleet);
}

static void who_has_left_is_neither_listed_nor_counted(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    fleet_identify(&fleet, "ada", 1, NULL, 1);
    fleet_identify(&fleet, "bob", 2, NULL, 1);
    assert_int_equal(connected(&fleet), 2);
    close_link(&fleet, 1);
    assert_int_equal(connected(&fleet), 1);
    assert_int_equal(agents(&fleet)->count, 1);
    const struct message_agent_listed *left = agents(&fleet)->items;
    assert_true(slice_equal_text(left->agent_id, "bob"));
    fleet_finish(&fleet);
}

static void a_newer_connection_counts_once(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    fleet_identify(&fleet, "ada", 1, NULL, 1);
    fleet_identify(&fleet, "ada", 2, NULL, 1);
    assert_int_equal(connected(&fleet), 1);
    close_link(&fleet, 1);
    assert_int_equal(connected(&fleet), 1);
    fleet_verify(&fleet);
    fleet_finish(&fleet);
}

static void a_large_fleet_is_listed_whole(void **state)
{
    (void)state;
    struct fleet fleet;
    static char names[1500][16];
    fleet_init(&fleet);
    for (unsigned i = 0; i < 1500; i++) {
        snprintf(names[i], sizeof names[i], "agent-%u", i);
        fleet_identify(&fleet, names[i], i + 1, NULL, 1);
    }
    assert_int_equal(agents(&fleet)->count, 1500);
    fleet_finish(&fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_connected_is_an_empty_list),
        cmocka_unit_test(an_agent_is_shown_with_what_it_can_and_does),
        cmocka_unit_test(a_silent_agent_is_told_from_an_idle_one),
        cmocka_unit_test(who_has_left_is_neither_listed_nor_counted),
        cmocka_unit_test(a_newer_connection_counts_once),
        cmocka_unit_test(a_large_fleet_is_listed_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
