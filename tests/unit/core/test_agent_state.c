/*
 * Goal: an agent's state is what it does now, as v1.1 calls it; who drains gets nothing
 * new, for as long as its drain lasts; who is blocked keeps its task and says so.
 * Method: stories; the tables are verified after every wait.
 */
#include "core/scene.h"

#include "core/blob.h"

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

static const struct message_agent_state *state_of(struct fleet *fleet, const char *agent)
{
    struct message message = { .type = MESSAGE_GET_AGENT_STATE };
    message.as.get_agent_state.agent_id = slice_from_text(agent);
    fleet_as_client(fleet, "viewer", ROLE_VIEWER);
    fleet_do(fleet, &message);
    const struct effect *answer = fleet_answer(fleet);
    assert_non_null(answer);
    assert_int_equal(answer->message.type, MESSAGE_GET_AGENT_STATE_ANSWER);
    return &answer->message.as.get_agent_state_answer;
}

static void assert_state(struct fleet *fleet, const char *agent, const char *fsm_state)
{
    struct slice found = state_of(fleet, agent)->fsm_state;
    if (!slice_equal_text(found, fsm_state))
        fail_msg("the state is %.*s", (int)found.size, found.data);
}

static bool has_flag(struct fleet *fleet, const char *agent, const char *flag)
{
    const struct slice_list *flags = &state_of(fleet, agent)->flags;
    for (size_t i = 0; i < flags->count; i++)
        if (slice_equal_text(flags->items[i], flag))
            return true;
    return false;
}

static struct message_task shown(struct fleet *fleet, uint64_t task)
{
    struct message message = { .type = MESSAGE_GET_TASK };
    struct step step = fleet_step(fleet);
    message.as.get_task.task_id = task_id(&step, task);
    fleet_as_client(fleet, "viewer", ROLE_VIEWER);
    fleet_do(fleet, &message);
    return fleet_answer(fleet)->message.as.get_task_answer;
}

static void every_state_is_shown_when_it_begins(void **state)
{
    struct fleet *fleet = *state;
    assert_state(fleet, "ada", "idle");
    assert_int_equal(state_of(fleet, "ada")->last_state_change, fleet->command.wall_ms);
    assert_false(slice_is_present(state_of(fleet, "ada")->current_task_id));

    fleet_pass(fleet, 10);
    uint64_t task = scene_submit_plain(fleet);
    assert_state(fleet, "ada", "assigned");
    assert_int_equal(state_of(fleet, "ada")->last_state_change, fleet->command.wall_ms);
    assert_int_equal(state_of(fleet, "ada")->tasks_held, 1);
    struct step step = fleet_step(fleet);
    assert_true(
        slice_equal(state_of(fleet, "ada")->current_task_id, task_id(&step, task)));

    fleet_pass(fleet, 10);
    scene_accepted(fleet, ADA, task, 1);
    assert_state(fleet, "ada", "working");
    int64_t began = fleet->command.wall_ms;
    fleet_pass(fleet, 10);
    scene_progress(fleet, ADA, task, 1);
    assert_int_equal(state_of(fleet, "ada")->last_state_change, began);

    scene_blocked(fleet, ADA, task, 1, "which API?");
    assert_string_equal(scene_ack(fleet, ADA.link), "blocked");
    assert_state(fleet, "ada", "blocked");
    assert_int_equal(state_of(fleet, "ada")->last_state_change, fleet->command.wall_ms);
    fleet_pass(fleet, 10);
    scene_unblocked(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "unblocked");
    assert_state(fleet, "ada", "working");

    fleet_pass(fleet, 10);
    scene_complete(fleet, ADA, task, 1);
    assert_state(fleet, "ada", "idle");
    fleet_pass(fleet, 10);
    scene_link_closed(fleet, ADA.link);
    assert_state(fleet, "ada", "offline");
    assert_int_equal(state_of(fleet, "ada")->last_state_change, fleet->command.wall_ms);
}

static void an_agent_that_never_came_is_not_found(void **state)
{
    struct fleet *fleet = *state;
    struct message message = { .type = MESSAGE_GET_AGENT_STATE };
    message.as.get_agent_state.agent_id = SLICE_OF("nobody");
    fleet_as_client(fleet, "viewer", ROLE_VIEWER);
    fleet_do(fleet, &message);
    assert_string_equal(scene_http_error(fleet), "agent_not_found");
    scene_operate_drain(fleet, "nobody", true);
    assert_string_equal(scene_http_error(fleet), "agent_not_found");
    scene_operate_drain(fleet, "nobody", false);
    assert_string_equal(scene_http_error(fleet), "agent_not_found");
}

static void the_flag_of_a_silent_agent_goes_when_it_speaks(void **state)
{
    struct fleet *fleet = *state;
    scene_submit_plain(fleet);
    fleet_pass(fleet, fleet->settings.acceptance_ms);
    fleet_settle(fleet);
    assert_true(has_flag(fleet, "ada", "unresponsive"));
    assert_true(slice_equal_text(state_of(fleet, "ada")->state, "unresponsive"));
    scene_ping(fleet, ADA);
    assert_false(has_flag(fleet, "ada", "unresponsive"));
}

static void a_blocked_task_tells_why_and_keeps_its_lease_alive(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_blocked(fleet, ADA, task, 1, "which API?");
    assert_string_equal(scene_history(fleet, task),
                        "agent_blocked accepted assigned queued");
    struct message_task view = shown(fleet, task);
    assert_true(slice_equal_text(view.state, "working"));
    assert_true(slice_equal_text(view.blocked_reason, "which API?"));
    assert_true(slice_equal_text(view.pending->reason, "its agent is blocked"));

    /* The lease is the agent's to renew, and renewing does not unblock. */
    scene_wait(fleet, fleet->settings.lease_ms - 1);
    scene_renew(fleet, ADA, task, 1);
    scene_wait(fleet, fleet->settings.lease_ms - 1);
    assert_state(fleet, "ada", "blocked");
    scene_blocked(fleet, ADA, task, 1, NULL);
    assert_int_equal(shown(fleet, task).blocked_reason.size, 0);
    assert_true(slice_is_present(shown(fleet, task).blocked_reason));
    assert_string_equal(scene_history(fleet, task),
                        "agent_blocked accepted assigned queued");

    scene_unblocked(fleet, ADA, task, 1);
    scene_unblocked(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "unblocked");
    assert_string_equal(scene_history(fleet, task),
                        "agent_unblocked agent_blocked accepted assigned queued");
    assert_false(slice_is_present(shown(fleet, task).blocked_reason));
    assert_null(shown(fleet, task).pending);
}

static void a_blocked_agent_that_falls_silent_loses_the_task(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_accepted(fleet, ADA, task, 1);
    scene_blocked(fleet, ADA, task, 1, "which API?");
    scene_wait(fleet, fleet->settings.lease_ms);
    assert_int_equal(scene_task(fleet, task).state, TASK_QUEUED);
    assert_false(scene_task(fleet, task).blocked);
    assert_false(slice_is_present(shown(fleet, task).blocked_reason));
}

static void blocked_is_fenced_like_every_report(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, BOB, 1);
    uint64_t task = scene_submit_plain(fleet);
    scene_accepted(fleet, ADA, task, 1);
    struct memory_store *before = memory_store_copy(fleet->store);
    scene_blocked(fleet, ADA, task, 2, "x");
    assert_string_equal(scene_error(fleet, ADA.link), "stale_generation");
    scene_blocked(fleet, BOB, task, 1, "x");
    assert_string_equal(scene_error(fleet, BOB.link), "invalid_state");
    scene_blocked(fleet, ADA, task + 1, 1, "x");
    assert_string_equal(scene_error(fleet, ADA.link), "task_not_found");
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
    scene_cancel(fleet, task);
    scene_blocked(fleet, ADA, task, 1, "x");
    assert_string_equal(scene_error(fleet, ADA.link), "task_cancelled");
}

static void a_cancelled_task_of_a_blocked_agent_leaves_nothing_behind(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_blocked(fleet, ADA, task, 1, "x");
    scene_cancel(fleet, task);
    fleet_verify(fleet);
    scene_stopped(fleet, ADA, task, 1);
    fleet_verify(fleet);
    assert_false(scene_task(fleet, task).blocked);
    assert_state(fleet, "ada", "idle");
}

static void who_drains_finishes_and_gets_nothing_new(void **state)
{
    struct fleet *fleet = *state;
    uint64_t first = scene_submit_plain(fleet);
    scene_drain(fleet, ADA, true);
    const struct message *said = fleet_sent(fleet, ADA.link, MESSAGE_AGENT_DRAINING);
    assert_non_null(said);
    assert_true(said->as.agent_draining.draining);
    assert_int_equal(said->as.agent_draining.tasks_held, 1);

    uint64_t second = scene_submit_plain(fleet);
    scene_complete(fleet, ADA, first, 1);
    assert_int_equal(scene_assigned(fleet, ADA.link), 0);
    assert_true(has_flag(fleet, "ada", "draining"));
    assert_true(slice_equal_text(state_of(fleet, "ada")->state, "draining"));
    assert_state(fleet, "ada", "idle");
    const struct message_pending_agent *why = shown(fleet, second).pending->agents.items;
    assert_true(slice_equal_text(why->reason, "draining"));

    scene_drain(fleet, ADA, false);
    assert_int_equal(scene_assigned(fleet, ADA.link), second);
}

static void an_agents_own_drain_ends_with_its_connection(void **state)
{
    struct fleet *fleet = *state;
    scene_drain(fleet, ADA, true);
    scene_identify(fleet, ADA, 2);
    assert_true(has_flag(fleet, "ada", "draining"));
    scene_identify(fleet, ADA_AGAIN, 1);
    assert_false(has_flag(fleet, "ada", "draining"));

    scene_drain(fleet, ADA_AGAIN, true);
    scene_link_closed(fleet, ADA_AGAIN.link);
    assert_false(has_flag(fleet, "ada", "draining"));
    scene_identify(fleet, ADA, 1);
    assert_int_not_equal(scene_submit_plain(fleet), 0);
    assert_state(fleet, "ada", "assigned");
}

static void an_operators_drain_outlives_the_connection(void **state)
{
    struct fleet *fleet = *state;
    scene_operate_drain(fleet, "ada", true);
    assert_non_null(fleet_sent(fleet, ADA.link, MESSAGE_AGENT_DRAINING));
    scene_operate_drain(fleet, "ada", true);
    assert_null(fleet_sent(fleet, ADA.link, MESSAGE_AGENT_DRAINING));
    scene_link_closed(fleet, ADA.link);
    assert_true(slice_equal_text(state_of(fleet, "ada")->state, "offline"));
    assert_true(has_flag(fleet, "ada", "draining"));
    uint64_t task = scene_submit_plain(fleet);
    scene_identify(fleet, ADA_AGAIN, 1);
    assert_true(
        fleet_sent(fleet, ADA_AGAIN.link, MESSAGE_IDENTIFIED)->as.identified.draining);
    assert_int_equal(scene_assigned(fleet, ADA_AGAIN.link), 0);

    scene_operate_drain(fleet, "ada", false);
    assert_int_equal(scene_assigned(fleet, ADA_AGAIN.link), task);
}

static void each_ends_its_own_drain_alone(void **state)
{
    struct fleet *fleet = *state;
    scene_drain(fleet, ADA, true);
    scene_operate_drain(fleet, "ada", true);
    scene_drain(fleet, ADA, false);
    assert_true(has_flag(fleet, "ada", "draining"));
    scene_drain(fleet, ADA, true);
    scene_operate_drain(fleet, "ada", false);
    assert_true(
        fleet_answer(fleet)->message.as.post_agent_resume_answer.draining_by_agent);
    assert_true(has_flag(fleet, "ada", "draining"));
    scene_drain(fleet, ADA, false);
    assert_false(has_flag(fleet, "ada", "draining"));
}

static void how_many_it_takes_is_what_it_said_last(void **state)
{
    struct fleet *fleet = *state;
    uint64_t first = scene_submit_plain(fleet);
    uint64_t second = scene_submit_plain(fleet);
    assert_int_equal(scene_task(fleet, second).state, TASK_QUEUED);
    scene_identify(fleet, ADA, 2);
    assert_int_equal(scene_assigned(fleet, ADA.link), second);
    assert_int_equal(state_of(fleet, "ada")->max_concurrent, 2);

    scene_identify(fleet, ADA, 0);
    assert_int_equal(state_of(fleet, "ada")->tasks_held, 2);
    scene_complete(fleet, ADA, first, 1);
    scene_complete(fleet, ADA, second, 1);
    uint64_t third = scene_submit_plain(fleet);
    assert_int_equal(scene_task(fleet, third).state, TASK_QUEUED);
    scene_identify(fleet, ADA, 1);
    assert_int_equal(scene_assigned(fleet, ADA.link), third);
}

static void the_list_of_states_comes_in_pages_and_shows_the_absent_when_asked(
    void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, BOB, 1);
    scene_link_closed(fleet, ADA.link);
    struct message message = { .type = MESSAGE_GET_AGENT_STATES };
    fleet_as_client(fleet, "viewer", ROLE_VIEWER);
    fleet_do(fleet, &message);
    const struct message_get_agent_states_answer *answer =
        &fleet_answer(fleet)->message.as.get_agent_states_answer;
    assert_int_equal(answer->agents.count, 1);
    assert_false(slice_is_present(answer->cursor));

    message.as.get_agent_states = (struct message_get_agent_states){
        .has_offline = true, .offline = true, .has_limit = true, .limit = 1
    };
    fleet_do(fleet, &message);
    answer = &fleet_answer(fleet)->message.as.get_agent_states_answer;
    const struct message_agent_state *first = answer->agents.items;
    assert_int_equal(answer->agents.count, 1);
    assert_true(slice_equal_text(first->agent_id, "ada"));
    char cursor[16];
    assert_int_equal(answer->cursor.size, sizeof cursor);
    memcpy(cursor, answer->cursor.data, sizeof cursor);
    message.as.get_agent_states.cursor = slice_make(cursor, sizeof cursor);
    fleet_do(fleet, &message);
    answer = &fleet_answer(fleet)->message.as.get_agent_states_answer;
    first = answer->agents.items;
    assert_true(slice_equal_text(first->agent_id, "bob"));
    assert_false(slice_is_present(answer->cursor));

    message.as.get_agent_states.cursor = SLICE_OF("nonsense");
    fleet_do(fleet, &message);
    assert_string_equal(scene_http_error(fleet), "validation_failed");
}

static void a_row_of_an_absent_agent_that_drains_is_found(void **state)
{
    struct fleet *fleet = *state;
    const char *text = NULL;
    scene_link_closed(fleet, ADA.link);
    struct step step = fleet_step(fleet);
    struct agent agent = scene_agent_row(fleet, ADA);
    agent.drains = DRAIN_AGENT;
    agent_save(&step, &agent);
    assert_int_equal(core_verify(memory_transaction(fleet->store), &text), ERR_CORRUPT);
    assert_string_equal(text, "an agent that is away drains by its own word");
    agent.drains = 0;
    agent_save(&step, &agent);

    scene_identify(fleet, ADA, 1);
    struct task task = scene_task(fleet, scene_submit_plain(fleet));
    step = fleet_step(fleet);
    task.blocked = true;
    task_save(&step, &task);
    assert_int_equal(core_verify(memory_transaction(fleet->store), &text), ERR_CORRUPT);
    assert_string_equal(text, "a task's agent is blocked and does not work on it");
    task.blocked = false;
    task_save(&step, &task);

    blob_put(&step, task.number, BLOB_TASK_BLOCKED, SLICE_OF("why?"));
    assert_int_equal(core_verify(memory_transaction(fleet->store), &text), ERR_CORRUPT);
    assert_string_equal(text,
                        "what a task's agent is blocked by is not there, or is left");
    blob_remove(&step, task.number, BLOB_TASK_BLOCKED);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(every_state_is_shown_when_it_begins),
        STORY(an_agent_that_never_came_is_not_found),
        STORY(the_flag_of_a_silent_agent_goes_when_it_speaks),
        STORY(a_blocked_task_tells_why_and_keeps_its_lease_alive),
        STORY(a_blocked_agent_that_falls_silent_loses_the_task),
        STORY(blocked_is_fenced_like_every_report),
        STORY(a_cancelled_task_of_a_blocked_agent_leaves_nothing_behind),
        STORY(who_drains_finishes_and_gets_nothing_new),
        STORY(an_agents_own_drain_ends_with_its_connection),
        STORY(an_operators_drain_outlives_the_connection),
        STORY(each_ends_its_own_drain_alone),
        STORY(how_many_it_takes_is_what_it_said_last),
        STORY(the_list_of_states_comes_in_pages_and_shows_the_absent_when_asked),
        STORY(a_row_of_an_absent_agent_that_drains_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
