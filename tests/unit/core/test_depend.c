/*
 * Goal: a task that waits for others, or for a time, is handed out then and not before.
 * Method: stories; the tables are verified after every wait.
 */
#include "core/scene.h"

#include "cmocka_all.h"

#include <stdio.h>

static const struct scene_agent ADA = { "ada", 11 };

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

static struct message_post_task after(const uint64_t *tasks, size_t count)
{
    static char ids[8][TASK_ID_BYTES + 1];
    static struct slice items[8];
    for (size_t i = 0; i < count; i++) {
        snprintf(ids[i], sizeof ids[i], "task-%016llx", (unsigned long long)tasks[i]);
        items[i] = slice_make(ids[i], TASK_ID_BYTES);
    }
    return (struct message_post_task){ .depends_on = { items, count } };
}

static uint64_t submit_after(struct fleet *fleet, uint64_t task)
{
    return scene_submit(fleet, after(&task, 1));
}

static void complete(struct fleet *fleet, uint64_t task)
{
    scene_complete(fleet, ADA, task, (int64_t)scene_task(fleet, task).generation);
    assert_string_equal(scene_ack(fleet, ADA.link), "complete");
}

static void a_task_waits_until_all_it_needs_is_done(void **state)
{
    struct fleet *fleet = *state;
    uint64_t first[2] = { scene_submit_plain(fleet), scene_submit_plain(fleet) };
    uint64_t last = scene_submit(fleet, after(first, 2));
    assert_int_equal(scene_task(fleet, last).state, TASK_BLOCKED);
    assert_int_equal(scene_task(fleet, last).blocked_on, 2);
    scene_identify(fleet, ADA, 4);
    complete(fleet, first[1]);
    assert_int_equal(scene_task(fleet, last).state, TASK_BLOCKED);
    complete(fleet, first[0]);
    assert_int_equal(scene_assigned(fleet, ADA.link), last);
    assert_string_equal(scene_history(fleet, last), "assigned queued blocked");
}

static void what_is_done_already_is_not_waited_for(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    uint64_t first = scene_submit_plain(fleet);
    complete(fleet, first);
    assert_int_equal(scene_task(fleet, submit_after(fleet, first)).state, TASK_ASSIGNED);
}

static void the_same_task_twice_is_waited_for_once(void **state)
{
    struct fleet *fleet = *state;
    uint64_t first = scene_submit_plain(fleet);
    uint64_t twice[2] = { first, first };
    uint64_t last = scene_submit(fleet, after(twice, 2));
    assert_int_equal(scene_task(fleet, last).blocked_on, 1);
    fleet_verify(fleet);
}

static void assert_refused(struct fleet *fleet, uint64_t depends_on, const char *error)
{
    struct memory_store *before = memory_store_copy(fleet->store);
    struct message message = { .type = MESSAGE_POST_TASK };
    message.as.post_task = after(&depends_on, 1);
    message.as.post_task.description = SLICE_OF("x");
    fleet_as_client(fleet, "submitter", ROLE_SUBMITTER);
    fleet_do(fleet, &message);
    assert_string_equal(scene_http_error(fleet), error);
    assert_int_equal(fleet_answer(fleet)->status, 422);
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
}

static void what_cannot_be_waited_for_is_refused(void **state)
{
    struct fleet *fleet = *state;
    uint64_t cancelled = scene_submit_plain(fleet);
    scene_cancel(fleet, cancelled);
    assert_refused(fleet, cancelled, "validation_failed");
    assert_refused(fleet, cancelled + 1, "unknown_dependency");
}

static void a_dead_letter_holds_its_dependents_until_it_is_retried(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    uint64_t first = scene_submit(
        fleet, (struct message_post_task){ .has_max_retries = true, .max_retries = 1 });
    uint64_t last = submit_after(fleet, first);
    scene_failed(fleet, ADA, first, 1);
    assert_int_equal(scene_task(fleet, last).state, TASK_BLOCKED);
    scene_retry(fleet, first);
    complete(fleet, first);
    assert_int_equal(scene_task(fleet, last).state, TASK_ASSIGNED);
}

static void a_cancel_goes_down_the_whole_chain(void **state)
{
    enum { LENGTH = 300 };
    struct fleet *fleet = *state;
    uint64_t chain[LENGTH];
    chain[0] = scene_submit_plain(fleet);
    for (int i = 1; i < LENGTH; i++)
        chain[i] = submit_after(fleet, chain[i - 1]);
    scene_cancel(fleet, chain[0]);
    scene_wait(fleet, 0);
    for (int i = 0; i < LENGTH; i++)
        assert_int_equal(scene_task(fleet, chain[i]).state, TASK_CANCELLED);
    assert_int_equal(memory_rows(fleet->store, TABLE_WAITER), 0);
    assert_int_equal(memory_rows(fleet->store, TABLE_DEADLINE), 0);
}

static void many_dependents_come_free_in_batches(void **state)
{
    enum { MANY = 200 };
    struct fleet *fleet = *state;
    uint64_t first = scene_submit_plain(fleet);
    uint64_t waiters[MANY];
    for (int i = 0; i < MANY; i++)
        waiters[i] = submit_after(fleet, first);
    scene_identify(fleet, ADA, MANY);
    complete(fleet, first);
    fleet_verify(fleet);
    assert_true(memory_rows(fleet->store, TABLE_WAITER) > 0);
    scene_wait(fleet, 0);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(scene_task(fleet, waiters[i]).state, TASK_ASSIGNED);
}

static void a_cancelled_waiter_stops_waiting(void **state)
{
    struct fleet *fleet = *state;
    uint64_t first[2] = { scene_submit_plain(fleet), scene_submit_plain(fleet) };
    uint64_t last = scene_submit(fleet, after(first, 2));
    scene_cancel(fleet, last);
    assert_int_equal(memory_rows(fleet->store, TABLE_WAITER), 0);
    scene_identify(fleet, ADA, 2);
    complete(fleet, first[0]);
    assert_int_equal(scene_task(fleet, last).state, TASK_CANCELLED);
}

static void a_task_is_not_handed_out_before_its_time(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    uint64_t task = scene_submit(
        fleet, (struct message_post_task){ .has_not_before = true,
                                           .not_before = fleet->command.wall_ms + 1000 });
    assert_int_equal(scene_task(fleet, task).state, TASK_SCHEDULED);
    assert_int_equal(fleet_next_due_ms(fleet), 1000);
    scene_wait(fleet, 999);
    assert_int_equal(scene_task(fleet, task).state, TASK_SCHEDULED);
    fleet_pass(fleet, 1);
    fleet_settle(fleet);
    assert_int_equal(scene_assigned(fleet, ADA.link), task);
    assert_string_equal(scene_history(fleet, task), "assigned queued scheduled");
}

static void a_time_that_has_passed_is_no_reason_to_wait(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit(
        fleet, (struct message_post_task){ .has_not_before = true,
                                           .not_before = fleet->command.wall_ms });
    assert_int_equal(scene_task(fleet, task).state, TASK_QUEUED);
}

static void the_time_counts_after_the_dependencies(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    uint64_t first = scene_submit_plain(fleet);
    struct message_post_task both = after(&first, 1);
    both.has_not_before = true;
    both.not_before = fleet->command.wall_ms + 1000;
    uint64_t last = scene_submit(fleet, both);
    assert_int_equal(scene_task(fleet, last).state, TASK_BLOCKED);
    complete(fleet, first);
    assert_int_equal(scene_task(fleet, last).state, TASK_SCHEDULED);
    scene_wait(fleet, 1000);
    assert_int_equal(scene_task(fleet, last).state, TASK_ASSIGNED);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        STORY(a_task_waits_until_all_it_needs_is_done),
        STORY(what_is_done_already_is_not_waited_for),
        STORY(the_same_task_twice_is_waited_for_once),
        STORY(what_cannot_be_waited_for_is_refused),
        STORY(a_dead_letter_holds_its_dependents_until_it_is_retried),
        STORY(a_cancel_goes_down_the_whole_chain),
        STORY(many_dependents_come_free_in_batches),
        STORY(a_cancelled_waiter_stops_waiting),
        STORY(a_task_is_not_handed_out_before_its_time),
        STORY(a_time_that_has_passed_is_no_reason_to_wait),
        STORY(the_time_counts_after_the_dependencies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
