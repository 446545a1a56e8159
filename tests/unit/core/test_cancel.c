/*
 * Goal: a cancelled task is done by nobody, and its agent's slot comes free exactly once.
 * Method: stories; the tables are verified after every wait.
 */
#include "core/scene.h"

#include "cmocka_all.h"

static const struct scene_agent ADA = { "ada", 11 };
static const struct scene_agent ADA_AGAIN = { "ada", 21 };

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

/* A task in Ada's hands that is cancelled, and another that waits for her. */
static uint64_t cancelled_under_ada(struct fleet *fleet, uint64_t *ret_next)
{
    uint64_t task = scene_submit_plain(fleet);
    *ret_next = scene_submit_plain(fleet);
    scene_accepted(fleet, ADA, task, 1);
    scene_cancel(fleet, task);
    assert_non_null(fleet_sent(fleet, ADA.link, MESSAGE_TASK_CANCEL));
    assert_int_equal(scene_task(fleet, task).state, TASK_CANCELLED);
    assert_true(scene_task(fleet, task).held);
    assert_int_equal(scene_task(fleet, *ret_next).state, TASK_QUEUED);
    return task;
}

static void a_queued_task_is_cancelled_at_once(void **state)
{
    struct fleet *fleet = *state;
    scene_submit_plain(fleet);
    uint64_t task = scene_submit_plain(fleet);
    scene_cancel(fleet, task);
    assert_int_equal(fleet_answer(fleet)->message.type, MESSAGE_POST_TASK_CANCEL_ANSWER);
    assert_int_equal(fleet->effects.count, 1);
    assert_int_equal(scene_task(fleet, task).state, TASK_CANCELLED);
    assert_string_equal(scene_history(fleet, task), "cancelled queued");
}

static void the_holder_is_told_and_says_when_it_has_stopped(void **state)
{
    struct fleet *fleet = *state;
    uint64_t next;
    uint64_t task = cancelled_under_ada(fleet, &next);
    scene_stopped(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "cancelled");
    assert_int_equal(scene_assigned(fleet, ADA.link), next);
    assert_false(scene_task(fleet, task).held);

    struct memory_store *before = memory_store_copy(fleet->store);
    scene_stopped(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "cancelled");
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
}

static void the_reason_reaches_the_holder(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_cancel(fleet, task);
    const struct message *stop = fleet_sent(fleet, ADA.link, MESSAGE_TASK_CANCEL);
    assert_non_null(stop);
    assert_true(slice_equal_text(stop->as.task_cancel.reason, "no longer needed"));
    assert_int_equal(stop->as.task_cancel.generation, 1);
}

static void a_result_after_the_cancel_is_refused_and_frees_the_slot(void **state)
{
    struct fleet *fleet = *state;
    uint64_t next;
    uint64_t task = cancelled_under_ada(fleet, &next);
    scene_complete(fleet, ADA, task, 1);
    assert_string_equal(scene_error(fleet, ADA.link),
                        "task_complete_failed: task_cancelled");
    assert_int_equal(scene_assigned(fleet, ADA.link), next);
    assert_int_equal(scene_task(fleet, task).state, TASK_CANCELLED);

    scene_complete(fleet, ADA, task, 1);
    assert_string_equal(scene_error(fleet, ADA.link),
                        "task_complete_failed: task_cancelled");
}

static void a_holder_that_goes_on_is_told_again(void **state)
{
    struct fleet *fleet = *state;
    uint64_t next;
    uint64_t task = cancelled_under_ada(fleet, &next);
    scene_progress(fleet, ADA, task, 1);
    assert_string_equal(scene_error(fleet, ADA.link), "task_cancelled");
    assert_non_null(fleet_sent(fleet, ADA.link, MESSAGE_TASK_CANCEL));
    scene_renew(fleet, ADA, task, 1);
    assert_string_equal(scene_error(fleet, ADA.link), "task_cancelled");
    assert_non_null(fleet_sent(fleet, ADA.link, MESSAGE_TASK_CANCEL));
}

static void a_holder_that_says_nothing_is_free_when_the_lease_ends(void **state)
{
    struct fleet *fleet = *state;
    uint64_t next;
    uint64_t task = cancelled_under_ada(fleet, &next);
    scene_wait(fleet, fleet->settings.lease_ms - 1);
    assert_true(scene_task(fleet, task).held);
    scene_wait(fleet, 1);
    assert_false(scene_task(fleet, task).held);
    assert_int_equal(scene_task(fleet, next).state, TASK_ASSIGNED);
    assert_int_equal(scene_task(fleet, task).attempts, 0);
}

static void a_holder_that_comes_back_hears_of_it(void **state)
{
    struct fleet *fleet = *state;
    uint64_t next;
    uint64_t task = scene_submit_plain(fleet);
    next = scene_submit_plain(fleet);
    scene_accepted(fleet, ADA, task, 1);
    scene_link_closed(fleet, ADA.link);
    scene_cancel(fleet, task);
    scene_identify(fleet, ADA_AGAIN, 1);
    assert_non_null(fleet_sent(fleet, ADA_AGAIN.link, MESSAGE_TASK_CANCEL));
    scene_recovering(fleet, ADA_AGAIN, task);
    assert_non_null(fleet_sent(fleet, ADA_AGAIN.link, MESSAGE_TASK_REASSIGN));
    assert_int_equal(scene_assigned(fleet, ADA_AGAIN.link), next);
}

static void a_holder_that_stays_away_is_free_of_it(void **state)
{
    struct fleet *fleet = *state;
    uint64_t next;
    uint64_t task = cancelled_under_ada(fleet, &next);
    scene_link_closed(fleet, ADA.link);
    scene_wait(fleet, fleet->settings.reconnect_grace_ms);
    assert_false(scene_task(fleet, task).held);
    assert_int_equal(scene_task(fleet, task).state, TASK_CANCELLED);
    assert_int_equal(scene_agent_row(fleet, ADA).held, 0);
}

static void stopping_a_task_nobody_cancelled_is_refused(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_stopped(fleet, ADA, task, 1);
    assert_string_equal(scene_error(fleet, ADA.link), "invalid_state");
    scene_stopped(fleet, ADA, 7, 1);
    assert_string_equal(scene_error(fleet, ADA.link), "task_not_found");
    assert_int_equal(scene_task(fleet, task).state, TASK_ASSIGNED);
}

static void a_scheduled_task_loses_its_timer(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit(
        fleet, (struct message_post_task){ .has_not_before = true,
                                           .not_before = fleet->command.wall_ms + 1000 });
    scene_cancel(fleet, task);
    assert_int_equal(fleet_next_due_ms(fleet), INT64_MAX);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        STORY(a_queued_task_is_cancelled_at_once),
        STORY(the_holder_is_told_and_says_when_it_has_stopped),
        STORY(the_reason_reaches_the_holder),
        STORY(a_result_after_the_cancel_is_refused_and_frees_the_slot),
        STORY(a_holder_that_goes_on_is_told_again),
        STORY(a_holder_that_says_nothing_is_free_when_the_lease_ends),
        STORY(a_holder_that_comes_back_hears_of_it),
        STORY(a_holder_that_stays_away_is_free_of_it),
        STORY(stopping_a_task_nobody_cancelled_is_refused),
        STORY(a_scheduled_task_loses_its_timer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
