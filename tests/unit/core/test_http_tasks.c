/*
 * Goal: the task routes answer in v1.1's shapes, and refuse in its words.
 */
#include "cmocka_all.h"

#include "core/fleet.h"
#include "core/task.h"

#include <string.h>

static struct slice keep(struct slice text, char space[64])
{
    assert_true(text.size < 64);
    memcpy(space, text.data, text.size);
    return slice_make(space, text.size);
}

static const struct message *ask(struct fleet *fleet, const struct message *message)
{
    fleet_as_client(fleet, "ci", ROLE_OPERATOR);
    fleet_do(fleet, message);
    const struct effect *answer = fleet_answer(fleet);
    assert_non_null(answer);
    return &answer->message;
}

static void assert_refused(const struct fleet *fleet, const char *code, unsigned status)
{
    const struct effect *answer = fleet_answer(fleet);
    assert_non_null(answer);
    assert_int_equal(answer->message.type, MESSAGE_HTTP_ERROR);
    assert_true(slice_equal_text(answer->message.as.http_error.error, code));
    assert_int_equal(answer->status, status);
}

static const struct message_task *show(struct fleet *fleet, struct slice id)
{
    struct message message = { .type = MESSAGE_GET_TASK };
    message.as.get_task.task_id = id;
    const struct message *answer = ask(fleet, &message);
    assert_int_equal(answer->type, MESSAGE_GET_TASK_ANSWER);
    return &answer->as.get_task_answer;
}

static const struct message *cancel(struct fleet *fleet, struct slice id)
{
    struct message message = { .type = MESSAGE_POST_TASK_CANCEL };
    message.as.post_task_cancel.task_id = id;
    message.as.post_task_cancel.reason = SLICE_OF("no longer needed");
    return ask(fleet, &message);
}

static const struct message *retry(struct fleet *fleet, struct slice id)
{
    struct message message = { .type = MESSAGE_POST_TASK_RETRY };
    message.as.post_task_retry.task_id = id;
    return ask(fleet, &message);
}

static void complete(struct fleet *fleet, struct slice id, int64_t generation)
{
    struct message message = { .type = MESSAGE_TASK_COMPLETE };
    message.as.task_complete = (struct message_task_complete){
        .task_id = id,
        .generation = generation,
        .result = SLICE_OF("{ \"b\" : 1.0}"),
        .tokens_used = 12,
        .has_tokens_used = true,
    };
    fleet_as_agent(fleet, "ada", 1);
    fleet_do(fleet, &message);
    assert_non_null(fleet_sent(fleet, 1, MESSAGE_TASK_ACK));
}

/* Handed to ada, who fails at it for good. */
static struct slice make_dead(struct fleet *fleet, char space[64])
{
    struct message post = { .type = MESSAGE_POST_TASK };
    struct message failed = { .type = MESSAGE_TASK_FAILED };
    post.as.post_task.description = SLICE_OF("doomed");
    post.as.post_task.has_max_retries = true;
    post.as.post_task.max_retries = 1;
    fleet_identify(fleet, "ada", 1, NULL, 1);
    struct slice id = keep(ask(fleet, &post)->as.post_task_answer.task_id, space);
    failed.as.task_failed.task_id = id;
    failed.as.task_failed.generation = 1;
    failed.as.task_failed.error = SLICE_OF("it burnt");
    fleet_as_agent(fleet, "ada", 1);
    fleet_do(fleet, &failed);
    return id;
}

static void a_submit_is_answered_as_v1_1_does(void **state)
{
    (void)state;
    struct fleet fleet;
    struct message post = { .type = MESSAGE_POST_TASK };
    fleet_init(&fleet);
    post.as.post_task.description = SLICE_OF("sweep");
    post.as.post_task.priority = SLICE_OF("high");
    const struct message_post_task_answer *answer =
        &ask(&fleet, &post)->as.post_task_answer;
    assert_true(slice_equal_text(answer->status, "queued"));
    assert_true(slice_starts_with(answer->task_id, SLICE_OF("task-")));
    assert_int_equal(answer->task_id.size, TASK_ID_BYTES);
    assert_int_equal(answer->priority, 1);
    assert_int_equal(answer->created_at, fleet.command.wall_ms);
    assert_true(slice_equal_text(answer->state, "queued"));
    fleet_finish(&fleet);
}

static void a_task_for_later_says_so(void **state)
{
    (void)state;
    struct fleet fleet;
    struct message post = { .type = MESSAGE_POST_TASK };
    fleet_init(&fleet);
    post.as.post_task.description = SLICE_OF("sweep");
    post.as.post_task.has_not_before = true;
    post.as.post_task.not_before = fleet.command.wall_ms + 1;
    assert_true(
        slice_equal_text(ask(&fleet, &post)->as.post_task_answer.state, "scheduled"));
    /* A time that has passed asks for nothing. */
    post.as.post_task.not_before = fleet.command.wall_ms;
    assert_true(
        slice_equal_text(ask(&fleet, &post)->as.post_task_answer.state, "queued"));
    fleet_finish(&fleet);
}

static void an_unknown_dependency_is_refused_and_nothing_is_made(void **state)
{
    (void)state;
    struct fleet fleet;
    struct message post = { .type = MESSAGE_POST_TASK };
    struct slice bad[] = { SLICE("task-00000000000000aa") };
    struct slice worse[] = { SLICE("yesterday") };
    fleet_init(&fleet);
    post.as.post_task.description = SLICE_OF("sweep");
    post.as.post_task.depends_on = (struct slice_list){ bad, 1 };
    ask(&fleet, &post);
    assert_refused(&fleet, "unknown_dependency", 422);
    post.as.post_task.depends_on = (struct slice_list){ worse, 1 };
    ask(&fleet, &post);
    assert_refused(&fleet, "unknown_dependency", 422);
    assert_int_equal(memory_rows(fleet.store, TABLE_TASK), 0);
    fleet_finish(&fleet);
}

static void a_full_queue_refuses_until_something_ends(void **state)
{
    (void)state;
    struct fleet fleet;
    struct message post = { .type = MESSAGE_POST_TASK };
    char id[64];
    fleet_init(&fleet);
    fleet.settings.tasks_open_max = 1;
    post.as.post_task.description = SLICE_OF("sweep");
    struct slice first = keep(ask(&fleet, &post)->as.post_task_answer.task_id, id);
    ask(&fleet, &post);
    assert_refused(&fleet, "queue_full", 503);
    cancel(&fleet, first);
    assert_int_equal(ask(&fleet, &post)->type, MESSAGE_POST_TASK_ANSWER);
    fleet_finish(&fleet);
}

static void a_task_that_is_not_there_is_not_found(void **state)
{
    (void)state;
    struct fleet fleet;
    struct message get = { .type = MESSAGE_GET_TASK };
    fleet_init(&fleet);
    get.as.get_task.task_id = SLICE_OF("task-00000000000000aa");
    ask(&fleet, &get);
    assert_refused(&fleet, "task_not_found", 404);
    get.as.get_task.task_id = SLICE_OF("nonsense");
    ask(&fleet, &get);
    assert_refused(&fleet, "task_not_found", 404);
    cancel(&fleet, SLICE_OF("task-00000000000000aa"));
    assert_refused(&fleet, "task_not_found", 404);
    retry(&fleet, SLICE_OF("task-00000000000000aa"));
    assert_refused(&fleet, "task_not_found", 404);
    fleet_finish(&fleet);
}

static void a_new_task_shows_all_its_fields(void **state)
{
    (void)state;
    struct fleet fleet;
    struct slice needs[] = { SLICE("rust"), SLICE("git") };
    struct message post = { .type = MESSAGE_POST_TASK };
    char id[64];
    fleet_init(&fleet);
    post.as.post_task = (struct message_post_task){
        .description = SLICE_OF("sweep"),
        .metadata = SLICE_OF("{\"a\" :  1.50 }"),
        .priority = SLICE_OF("low"),
        .has_complete_by = true,
        .complete_by = fleet.command.wall_ms + 1000,
        .needed_capabilities = { needs, 2 },
    };
    struct slice made = keep(ask(&fleet, &post)->as.post_task_answer.task_id, id);
    const struct message_task *task = show(&fleet, made);

    assert_true(slice_equal(task->id, made));
    assert_true(slice_equal_text(task->description, "sweep"));
    assert_true(slice_equal_text(task->metadata, "{\"a\" :  1.50 }"));
    assert_int_equal(task->priority, 3);
    assert_true(slice_equal_text(task->status, "queued"));
    assert_false(slice_is_present(task->assigned_to));
    assert_false(task->has_assigned_at);
    assert_int_equal(task->generation, 0);
    assert_int_equal(task->retry_count, 0);
    assert_int_equal(task->max_retries, fleet.settings.attempts_default);
    assert_true(task->has_complete_by);
    assert_false(task->has_not_before);
    assert_int_equal(task->needed_capabilities.count, 2);
    assert_true(slice_equal_text(task->needed_capabilities.items[0], "rust"));
    assert_int_equal(task->depends_on.count, 0);
    assert_non_null(task->depends_on.items);
    assert_false(slice_is_present(task->result));
    assert_false(task->has_tokens_used);
    assert_true(slice_equal_text(task->submitted_by, "ci"));
    assert_false(task->has_lease_until);
    const struct message_history_item *history = task->history.items;
    assert_int_equal(task->history.count, 1);
    assert_true(slice_equal_text(history[0].event, "queued"));
    fleet_finish(&fleet);
}

static void absent_metadata_is_shown_as_an_empty_object(void **state)
{
    (void)state;
    struct fleet fleet;
    char id[64];
    fleet_init(&fleet);
    struct slice made = keep(fleet_submit(&fleet, "sweep"), id);
    assert_true(slice_equal_text(show(&fleet, made)->metadata, "{}"));
    assert_non_null(show(&fleet, made)->needed_capabilities.items);
    fleet_finish(&fleet);
}

static void a_completed_task_shows_its_result_and_who_did_it(void **state)
{
    (void)state;
    struct fleet fleet;
    char id[64];
    fleet_init(&fleet);
    fleet_identify(&fleet, "ada", 1, NULL, 1);
    struct slice made = keep(fleet_submit(&fleet, "sweep"), id);
    fleet_pass(&fleet, 2500);
    const struct message_task *task = show(&fleet, made);
    assert_true(task->has_lease_until);
    assert_int_equal(task->lease_until,
                     fleet.command.wall_ms - 2500 + fleet.settings.acceptance_ms);

    complete(&fleet, made, 1);
    task = show(&fleet, made);
    assert_true(slice_equal_text(task->status, "completed"));
    assert_true(slice_equal_text(task->result, "{ \"b\" : 1.0}"));
    assert_true(slice_equal_text(task->assigned_to, "ada"));
    assert_int_equal(task->tokens_used, 12);
    assert_int_equal(task->generation, 1);
    assert_false(task->has_lease_until);
    const struct message_history_item *history = task->history.items;
    assert_true(task->history.count >= 3);
    assert_true(slice_equal_text(history[0].event, "completed"));
    assert_true(slice_equal_text(history[0].agent_id, "ada"));
    assert_true(slice_equal_text(history[task->history.count - 1].event, "queued"));
    fleet_finish(&fleet);
}

static void a_waiting_task_is_cancelled_at_once(void **state)
{
    (void)state;
    struct fleet fleet;
    char id[64];
    fleet_init(&fleet);
    struct slice made = keep(fleet_submit(&fleet, "sweep"), id);
    const struct message_post_task_cancel_answer *answer =
        &cancel(&fleet, made)->as.post_task_cancel_answer;
    assert_true(slice_equal_text(answer->status, "cancelled"));
    assert_true(slice_equal(answer->task_id, made));
    assert_false(slice_is_present(answer->assigned_to));
    assert_true(slice_equal_text(show(&fleet, made)->state, "cancelled"));
    /* Said twice, it is still cancelled. */
    assert_int_equal(cancel(&fleet, made)->type, MESSAGE_POST_TASK_CANCEL_ANSWER);
    fleet_verify(&fleet);
    fleet_finish(&fleet);
}

static void a_held_task_is_cancelled_under_its_agent(void **state)
{
    (void)state;
    struct fleet fleet;
    char id[64];
    fleet_init(&fleet);
    fleet_identify(&fleet, "ada", 1, NULL, 1);
    struct slice made = keep(fleet_submit(&fleet, "sweep"), id);
    const struct message *answer = cancel(&fleet, made);
    assert_true(slice_equal_text(answer->as.post_task_cancel_answer.assigned_to, "ada"));
    const struct message *sent = fleet_sent(&fleet, 1, MESSAGE_TASK_CANCEL);
    assert_non_null(sent);
    assert_int_equal(sent->as.task_cancel.generation, 1);
    assert_true(slice_equal_text(sent->as.task_cancel.reason, "no longer needed"));
    fleet_finish(&fleet);
}

static void what_has_ended_otherwise_is_not_cancelled(void **state)
{
    (void)state;
    struct fleet fleet;
    char id[64];
    char dead[64];
    fleet_init(&fleet);
    struct slice doomed = make_dead(&fleet, dead);
    struct slice made = keep(fleet_submit(&fleet, "sweep"), id);
    complete(&fleet, made, 1);
    cancel(&fleet, made);
    assert_refused(&fleet, "invalid_state", 409);
    cancel(&fleet, doomed);
    assert_refused(&fleet, "invalid_state", 409);
    fleet_finish(&fleet);
}

static void a_dead_letter_is_queued_again_with_all_its_attempts(void **state)
{
    (void)state;
    struct fleet fleet;
    char id[64];
    fleet_init(&fleet);
    struct slice doomed = make_dead(&fleet, id);
    assert_int_equal(show(&fleet, doomed)->retry_count, 1);
    fleet_identify(&fleet, "ada", 1, NULL, 0);

    const struct message_post_task_retry_answer *answer =
        &retry(&fleet, doomed)->as.post_task_retry_answer;
    assert_true(slice_equal_text(answer->status, "requeued"));
    assert_true(slice_equal(answer->task_id, doomed));
    assert_int_equal(answer->priority, 2);
    const struct message_task *task = show(&fleet, doomed);
    assert_true(slice_equal_text(task->status, "queued"));
    assert_int_equal(task->retry_count, 0);
    assert_int_equal(task->generation, 2);
    assert_false(slice_is_present(task->last_error));
    fleet_verify(&fleet);
    fleet_finish(&fleet);
}

static void only_a_dead_letter_is_retried(void **state)
{
    (void)state;
    struct fleet fleet;
    char id[64];
    fleet_init(&fleet);
    struct slice made = keep(fleet_submit(&fleet, "sweep"), id);
    retry(&fleet, made);
    assert_refused(&fleet, "invalid_state", 409);
    assert_int_equal(show(&fleet, made)->generation, 0);
    fleet_finish(&fleet);
}

static void the_counts_follow_the_tasks(void **state)
{
    (void)state;
    struct fleet fleet;
    const struct message message = { .type = MESSAGE_GET_TASKS_STATS };
    char id[64];
    fleet_init(&fleet);
    make_dead(&fleet, id);
    fleet_submit(&fleet, "assigned");
    fleet_submit(&fleet, "queued");
    fleet_submit(&fleet, "queued too");
    const struct message_get_tasks_stats_answer *answer =
        &ask(&fleet, &message)->as.get_tasks_stats_answer;
    assert_int_equal(answer->by_status->queued, 2);
    assert_int_equal(answer->by_status->assigned, 1);
    assert_int_equal(answer->by_status->working, 0);
    assert_int_equal(answer->by_status->dead_letter, 1);
    assert_int_equal(answer->dead_letter, 1);
    assert_int_equal(answer->queued_index_size, 2);
    assert_int_equal(answer->by_priority->urgent, 0);
    fleet_finish(&fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_submit_is_answered_as_v1_1_does),
        cmocka_unit_test(a_task_for_later_says_so),
        cmocka_unit_test(an_unknown_dependency_is_refused_and_nothing_is_made),
        cmocka_unit_test(a_full_queue_refuses_until_something_ends),
        cmocka_unit_test(a_task_that_is_not_there_is_not_found),
        cmocka_unit_test(a_new_task_shows_all_its_fields),
        cmocka_unit_test(absent_metadata_is_shown_as_an_empty_object),
        cmocka_unit_test(a_completed_task_shows_its_result_and_who_did_it),
        cmocka_unit_test(a_waiting_task_is_cancelled_at_once),
        cmocka_unit_test(a_held_task_is_cancelled_under_its_agent),
        cmocka_unit_test(what_has_ended_otherwise_is_not_cancelled),
        cmocka_unit_test(a_dead_letter_is_queued_again_with_all_its_attempts),
        cmocka_unit_test(only_a_dead_letter_is_retried),
        cmocka_unit_test(the_counts_follow_the_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
