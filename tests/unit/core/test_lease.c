/*
 * Goal: nothing is held without an end, nothing alive is taken away, and nobody speaks
 * for a task that is not his any more.
 * Method: stories on virtual time; the tables are verified after every wait, and held
 * against a copy where a command must change nothing.
 */
#include "core/scene.h"

#include "cmocka_all.h"

static const struct scene_agent ADA = { "ada", 11 };
static const struct scene_agent BOB = { "bob", 12 };

static int begin(void **state)
{
    static struct fleet fleet;
    fleet_init(&fleet);
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

/* A task in Ada's hands, accepted. */
static uint64_t ada_works(struct fleet *fleet)
{
    scene_identify(fleet, ADA, 1);
    uint64_t task = scene_submit_plain(fleet);
    scene_accepted(fleet, ADA, task, 1);
    assert_int_equal(scene_task(fleet, task).state, TASK_WORKING);
    return task;
}

static void a_task_not_accepted_in_time_goes_back(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    uint64_t task = scene_submit_plain(fleet);
    assert_int_equal(scene_assigned(fleet, ADA.link), task);

    scene_wait(fleet, fleet->settings.acceptance_ms - 1);
    assert_int_equal(scene_task(fleet, task).state, TASK_ASSIGNED);
    scene_wait(fleet, 1);

    struct task back = scene_task(fleet, task);
    assert_int_equal(back.state, TASK_QUEUED);
    assert_int_equal(back.attempts, 1);
    assert_int_equal(back.generation, 2);
    assert_int_equal(back.agent, 0);
    assert_true(scene_agent_row(fleet, ADA).unresponsive);
    assert_string_equal(scene_history(fleet, task), "reclaimed assigned queued");
}

static void a_silent_agent_gets_nothing_until_it_speaks(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    uint64_t task = scene_submit_plain(fleet);
    scene_wait(fleet, fleet->settings.acceptance_ms);
    scene_wait(fleet, fleet->settings.acceptance_ms);
    assert_int_equal(scene_task(fleet, task).state, TASK_QUEUED);

    scene_ping(fleet, ADA);
    assert_int_equal(scene_assigned(fleet, ADA.link), task);
    assert_non_null(fleet_sent(fleet, ADA.link, MESSAGE_PONG));
}

static void a_silent_agents_task_goes_to_another(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    uint64_t task = scene_submit_plain(fleet);
    scene_identify(fleet, BOB, 1);
    fleet_pass(fleet, fleet->settings.acceptance_ms);
    fleet_settle(fleet);
    assert_int_equal(scene_assigned(fleet, BOB.link), task);
    assert_int_equal(scene_task(fleet, task).generation, 3);
}

static void renewals_keep_a_task_for_as_long_as_it_takes(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = ada_works(fleet);
    for (int i = 0; i < 50; i++) {
        scene_wait(fleet, fleet->settings.lease_ms - 1);
        scene_renew(fleet, ADA, task, 1);
        const struct message *renewed =
            fleet_sent(fleet, ADA.link, MESSAGE_LEASE_RENEWED);
        assert_non_null(renewed);
        assert_int_equal(renewed->as.lease_renewed.lease_ms, fleet->settings.lease_ms);
    }
    assert_int_equal(scene_task(fleet, task).state, TASK_WORKING);
    assert_int_equal(scene_task(fleet, task).attempts, 0);
}

static void progress_renews_and_is_kept(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = ada_works(fleet);
    for (int i = 0; i < 5; i++) {
        scene_wait(fleet, fleet->settings.lease_ms - 1);
        scene_progress(fleet, ADA, task, i % 2 == 0 ? 1 : SCENE_NO_GENERATION);
        assert_int_equal(fleet->effects.count, 0);
    }
    assert_int_equal(scene_task(fleet, task).state, TASK_WORKING);
    assert_int_equal(scene_task(fleet, task).progress, 40);
}

static void progress_says_that_the_task_was_accepted(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    uint64_t task = scene_submit_plain(fleet);
    scene_progress(fleet, ADA, task, SCENE_NO_GENERATION);
    assert_int_equal(scene_task(fleet, task).state, TASK_WORKING);
}

static void a_lease_that_ends_takes_the_task_back(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = ada_works(fleet);
    scene_wait(fleet, fleet->settings.lease_ms - 1);
    assert_int_equal(scene_task(fleet, task).state, TASK_WORKING);

    fleet_pass(fleet, 1);
    fleet_settle(fleet);
    const struct message *stop = fleet_sent(fleet, ADA.link, MESSAGE_TASK_CANCEL);
    assert_non_null(stop);
    assert_int_equal(stop->as.task_cancel.generation, 1);
    assert_int_equal(scene_task(fleet, task).state, TASK_QUEUED);
    assert_int_equal(scene_task(fleet, task).attempts, 1);
    assert_int_equal(scene_agent_row(fleet, ADA).held, 0);
}

static void the_last_attempt_ends_in_the_dead_letters(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    uint64_t task = scene_submit_plain(fleet);
    for (int i = 0; i < 3; i++) {
        scene_wait(fleet, fleet->settings.acceptance_ms);
        scene_ping(fleet, ADA);
    }
    struct task dead = scene_task(fleet, task);
    assert_int_equal(dead.state, TASK_DEAD_LETTER);
    assert_int_equal(dead.attempts, 3);
    assert_int_equal(dead.set, 0);
    assert_string_equal(scene_history(fleet, task),
                        "dead_letter reclaimed assigned reclaimed assigned reclaimed "
                        "assigned queued");
}

/* Says something as the agent with an old generation: an error and no other change. */
static void assert_stale(struct fleet *fleet, struct memory_store *before,
                         const char *error)
{
    assert_string_equal(scene_error(fleet, ADA.link), error);
    assert_int_equal(fleet->effects.count, 1);
    assert_true(memory_store_equal(before, fleet->store));
}

static void late_reports_change_nothing(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = ada_works(fleet);
    scene_wait(fleet, fleet->settings.lease_ms);
    scene_identify(fleet, BOB, 1);
    assert_int_equal(scene_assigned(fleet, BOB.link), task);
    scene_ping(fleet, ADA);
    fleet_settle(fleet);

    struct memory_store *before = memory_store_copy(fleet->store);
    scene_complete(fleet, ADA, task, 1);
    assert_stale(fleet, before, "task_complete_failed: stale_generation");
    scene_failed(fleet, ADA, task, 1);
    assert_stale(fleet, before, "task_fail_failed: stale_generation");
    scene_progress(fleet, ADA, task, 1);
    assert_stale(fleet, before, "stale_generation");
    scene_renew(fleet, ADA, task, 1);
    assert_stale(fleet, before, "stale_generation");
    scene_accepted(fleet, ADA, task, 1);
    assert_stale(fleet, before, "stale_generation");
    scene_stopped(fleet, ADA, task, 1);
    assert_stale(fleet, before, "stale_generation");
    memory_store_destroy(before);
}

static void nobody_speaks_for_anothers_task(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = ada_works(fleet);
    scene_identify(fleet, BOB, 1);

    struct memory_store *before = memory_store_copy(fleet->store);
    scene_complete(fleet, BOB, task, 1);
    assert_string_equal(scene_error(fleet, BOB.link),
                        "task_complete_failed: invalid_state");
    scene_failed(fleet, BOB, task, 1);
    assert_string_equal(scene_error(fleet, BOB.link), "task_fail_failed: invalid_state");
    scene_progress(fleet, BOB, task, SCENE_NO_GENERATION);
    assert_string_equal(scene_error(fleet, BOB.link), "invalid_state");
    scene_recovering(fleet, BOB, task);
    assert_non_null(fleet_sent(fleet, BOB.link, MESSAGE_TASK_REASSIGN));
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
}

static void unknown_tasks_are_named_as_such(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    scene_complete(fleet, ADA, 7, 1);
    assert_string_equal(scene_error(fleet, ADA.link), "task_complete_failed: not_found");
    scene_failed(fleet, ADA, 7, 1);
    assert_string_equal(scene_error(fleet, ADA.link), "task_fail_failed: not_found");
    scene_accepted(fleet, ADA, 7, 1);
    assert_string_equal(scene_error(fleet, ADA.link), "task_not_found");
    scene_recovering(fleet, ADA, 7);
    assert_non_null(fleet_sent(fleet, ADA.link, MESSAGE_TASK_REASSIGN));
}

static void an_overdue_task_is_taken_back_once(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    uint64_t task = scene_submit(
        fleet,
        (struct message_post_task){ .has_complete_by = true,
                                    .complete_by = fleet->command.wall_ms + 1000 });
    scene_accepted(fleet, ADA, task, 1);
    fleet_pass(fleet, 1000);
    fleet_settle(fleet);
    assert_string_equal(scene_history(fleet, task),
                        "assigned reclaimed accepted assigned queued");
    struct task again = scene_task(fleet, task);
    assert_int_equal(again.attempts, 1);
    assert_true(again.complete_by_passed);
    assert_int_equal(again.wall_timer_ms, 0);

    scene_accepted(fleet, ADA, task, 3);
    scene_wait(fleet, 2000);
    assert_int_equal(scene_task(fleet, task).state, TASK_WORKING);
}

static void what_is_late_when_handed_out_is_not_taken_back_for_it(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit(
        fleet, (struct message_post_task){ .has_complete_by = true,
                                           .complete_by = fleet->command.wall_ms + 10 });
    scene_wait(fleet, 20);
    scene_identify(fleet, ADA, 1);
    scene_accepted(fleet, ADA, task, 1);
    scene_wait(fleet, 1000);
    assert_int_equal(scene_task(fleet, task).attempts, 0);
}

static void wall_clock_jumps_do_not_end_leases(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = ada_works(fleet);
    fleet->command.wall_ms += (int64_t)24 * 60 * 60 * 1000;
    fleet_settle(fleet);
    assert_int_equal(scene_task(fleet, task).state, TASK_WORKING);
    fleet->command.wall_ms -= (int64_t)48 * 60 * 60 * 1000;
    scene_wait(fleet, fleet->settings.lease_ms - 1);
    assert_int_equal(scene_task(fleet, task).state, TASK_WORKING);
    scene_wait(fleet, 1);
    assert_int_equal(scene_task(fleet, task).state, TASK_QUEUED);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        STORY(a_task_not_accepted_in_time_goes_back),
        STORY(a_silent_agent_gets_nothing_until_it_speaks),
        STORY(a_silent_agents_task_goes_to_another),
        STORY(renewals_keep_a_task_for_as_long_as_it_takes),
        STORY(progress_renews_and_is_kept),
        STORY(progress_says_that_the_task_was_accepted),
        STORY(a_lease_that_ends_takes_the_task_back),
        STORY(the_last_attempt_ends_in_the_dead_letters),
        STORY(late_reports_change_nothing),
        STORY(nobody_speaks_for_anothers_task),
        STORY(unknown_tasks_are_named_as_such),
        STORY(an_overdue_task_is_taken_back_once),
        STORY(what_is_late_when_handed_out_is_not_taken_back_for_it),
        STORY(wall_clock_jumps_do_not_end_leases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
