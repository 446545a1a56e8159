/*
 * Goal: a task ends once, by its holder's word, and saying so twice is harmless.
 * Method: stories; the tables are compared byte for byte where nothing may change.
 */
#include "core/scene.h"

#include "core/blob.h"

#include "cmocka_all.h"

static const struct scene_agent ADA = { "ada", 11 };
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

static struct slice payload(struct fleet *fleet, uint64_t task, enum blob_kind kind)
{
    struct step step = fleet_step(fleet);
    return blob_get(&step, task, kind);
}

static void a_completed_task_keeps_its_result(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_accepted(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "accepted");
    scene_complete(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "complete");

    struct task done = scene_task(fleet, task);
    assert_int_equal(done.state, TASK_COMPLETED);
    assert_int_equal(done.tokens_used, 12);
    assert_int_equal(done.agent, scene_agent_row(fleet, ADA).number);
    assert_false(done.held);
    assert_true(
        slice_equal_text(payload(fleet, task, BLOB_TASK_RESULT), "{\"swept\": true}"));
    assert_string_equal(scene_history(fleet, task), "completed accepted assigned queued");
    assert_int_equal(fleet_next_due_ms(fleet), INT64_MAX);
}

static void a_task_may_be_completed_before_it_was_accepted(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_complete(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "complete");
    scene_wait(fleet, fleet->settings.acceptance_ms);
    assert_int_equal(scene_task(fleet, task).state, TASK_COMPLETED);
    assert_false(scene_agent_row(fleet, ADA).unresponsive);
}

static void a_repeated_completion_gets_the_same_answer_and_no_effect(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_complete(fleet, ADA, task, 1);
    struct memory_store *before = memory_store_copy(fleet->store);
    scene_complete(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "complete");
    assert_int_equal(fleet->effects.count, 1);
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
}

static void a_repeated_failure_counts_once(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_failed(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "retried");
    assert_int_equal(scene_assigned(fleet, ADA.link), task);

    struct memory_store *before = memory_store_copy(fleet->store);
    scene_failed(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "retried");
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
    assert_int_equal(scene_task(fleet, task).attempts, 1);
    assert_int_equal(scene_task(fleet, task).generation, 3);
}

static void a_failure_and_a_completion_are_not_the_same_report(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_failed(fleet, ADA, task, 1);
    scene_complete(fleet, ADA, task, 1);
    assert_string_equal(scene_error(fleet, ADA.link),
                        "task_complete_failed: stale_generation");
}

static void a_completed_task_takes_no_other_report(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_complete(fleet, ADA, task, 1);
    struct memory_store *before = memory_store_copy(fleet->store);
    scene_failed(fleet, ADA, task, 1);
    assert_string_equal(scene_error(fleet, ADA.link), "task_fail_failed: invalid_state");
    scene_renew(fleet, ADA, task, 1);
    assert_string_equal(scene_error(fleet, ADA.link), "invalid_state");
    scene_stopped(fleet, ADA, task, 1);
    assert_string_equal(scene_error(fleet, ADA.link), "invalid_state");
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
}

static void failures_end_in_the_dead_letters(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_failed(fleet, ADA, task, 1);
    scene_failed(fleet, ADA, task, 3);
    scene_failed(fleet, ADA, task, 5);
    assert_string_equal(scene_ack(fleet, ADA.link), "dead_letter");
    assert_int_equal(scene_task(fleet, task).state, TASK_DEAD_LETTER);
    assert_int_equal(scene_task(fleet, task).attempts, 3);
    assert_true(slice_equal_text(payload(fleet, task, BLOB_TASK_ERROR), "no broom"));
    assert_string_equal(scene_history(fleet, task),
                        "dead_letter assigned retry assigned retry assigned queued");

    scene_failed(fleet, ADA, task, 5);
    assert_string_equal(scene_ack(fleet, ADA.link), "dead_letter");
}

static void one_attempt_is_enough_when_so_asked(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit(
        fleet, (struct message_post_task){ .has_max_retries = true, .max_retries = 1 });
    scene_failed(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "dead_letter");
}

static void an_operator_gives_a_dead_task_a_new_life(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit(
        fleet, (struct message_post_task){ .has_max_retries = true, .max_retries = 1 });
    scene_failed(fleet, ADA, task, 1);
    scene_retry(fleet, task);
    struct task again = scene_task(fleet, task);
    assert_int_equal(again.state, TASK_ASSIGNED);
    assert_int_equal(again.attempts, 0);
    assert_int_equal(again.generation, 3);
    assert_false(slice_is_present(payload(fleet, task, BLOB_TASK_ERROR)));

    scene_retry(fleet, task);
    assert_string_equal(scene_http_error(fleet), "invalid_state");
    scene_complete(fleet, ADA, task, 3);
    assert_string_equal(scene_ack(fleet, ADA.link), "complete");
}

static void a_failed_task_waits_before_it_is_tried_again(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.retry_delay_ms = 5000;
    uint64_t task = scene_submit_plain(fleet);
    scene_failed(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "retried");
    assert_int_equal(scene_task(fleet, task).state, TASK_SCHEDULED);
    scene_wait(fleet, 4999);
    assert_int_equal(scene_task(fleet, task).state, TASK_SCHEDULED);
    scene_wait(fleet, 1);
    assert_int_equal(scene_task(fleet, task).state, TASK_ASSIGNED);
    assert_int_equal(scene_task(fleet, task).generation, 3);
}

static void accepting_twice_starts_nothing_anew(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_accepted(fleet, ADA, task, SCENE_NO_GENERATION);
    struct memory_store *before = memory_store_copy(fleet->store);
    scene_accepted(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "accepted");
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
}

static void an_answer_comes_before_the_next_task(void **state)
{
    struct fleet *fleet = *state;
    uint64_t first = scene_submit_plain(fleet);
    uint64_t second = scene_submit_plain(fleet);
    scene_complete(fleet, ADA, first, 1);
    assert_int_equal(fleet->effects.count, 2);
    assert_int_equal(fleet->effects.first->message.type, MESSAGE_TASK_ACK);
    assert_int_equal(scene_assigned(fleet, ADA.link), second);
}

static void a_late_report_is_answered_before_its_task_is_handed_out_again(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_accepted(fleet, ADA, task, 1);
    scene_wait(fleet, fleet->settings.lease_ms);
    assert_true(scene_agent_row(fleet, ADA).unresponsive);
    assert_int_equal(scene_task(fleet, task).generation, 2);

    scene_complete(fleet, ADA, task, 1);
    assert_int_equal(fleet->effects.count, 2);
    const struct message *refusal = &fleet->effects.first->message;
    assert_int_equal(refusal->type, MESSAGE_ERROR);
    assert_int_equal(refusal->as.error.generation, 2);
    assert_string_equal(scene_error(fleet, ADA.link),
                        "task_complete_failed: stale_generation");
    assert_int_equal(scene_assigned(fleet, ADA.link), task);
    assert_int_equal(scene_task(fleet, task).generation, 3);
}

/* Whatever wakes its asker hands out tasks, so it is a command and no question. */
static void reading_the_mailbox_brings_a_silent_agent_back(void **state)
{
    static const enum message_type WORDS[] = { MESSAGE_MAILBOX_READ,
                                               MESSAGE_LIST_CHANNELS };
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        scene_wait(fleet, fleet->settings.acceptance_ms);
        assert_true(scene_agent_row(fleet, ADA).unresponsive);
        fleet_as_agent(fleet, ADA.name, ADA.link);
        fleet_do(fleet, &(struct message){ .type = WORDS[i] });
        assert_false(scene_agent_row(fleet, ADA).unresponsive);
        assert_int_equal(scene_assigned(fleet, ADA.link), task);
    }
}

static void a_failed_task_goes_to_the_one_that_waits_longest(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    scene_identify(fleet, BOB, 1);
    scene_failed(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "retried");
    assert_int_equal(scene_assigned(fleet, ADA.link), 0);
    assert_int_equal(scene_assigned(fleet, BOB.link), task);
}

static void a_strangers_link_is_told_to_identify(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = scene_submit_plain(fleet);
    struct memory_store *before = memory_store_copy(fleet->store);
    scene_complete(fleet, BOB, task, 1);
    assert_string_equal(scene_error(fleet, BOB.link), "not_identified");
    scene_ping(fleet, BOB);
    assert_string_equal(scene_error(fleet, BOB.link), "not_identified");
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        STORY(a_completed_task_keeps_its_result),
        STORY(a_task_may_be_completed_before_it_was_accepted),
        STORY(a_repeated_completion_gets_the_same_answer_and_no_effect),
        STORY(a_repeated_failure_counts_once),
        STORY(a_failure_and_a_completion_are_not_the_same_report),
        STORY(a_completed_task_takes_no_other_report),
        STORY(failures_end_in_the_dead_letters),
        STORY(one_attempt_is_enough_when_so_asked),
        STORY(an_operator_gives_a_dead_task_a_new_life),
        STORY(a_failed_task_waits_before_it_is_tried_again),
        STORY(accepting_twice_starts_nothing_anew),
        STORY(an_answer_comes_before_the_next_task),
        STORY(a_late_report_is_answered_before_its_task_is_handed_out_again),
        STORY(reading_the_mailbox_brings_a_silent_agent_back),
        STORY(a_failed_task_goes_to_the_one_that_waits_longest),
        STORY(a_strangers_link_is_told_to_identify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
