/*
 * Goal: one key, one task, for as long as anybody may still ask.
 */
#include "cmocka_all.h"

#include "core/fleet.h"
#include "core/task.h"

#include <string.h>

static const int64_t HOUR_MS = (int64_t)60 * 60 * 1000;

/* A submit with a key and a body of that mark; the task's number, 0 when refused. */
static uint64_t submit(struct fleet *fleet, const char *actor, const char *key,
                       uint8_t body)
{
    struct message message = { .type = MESSAGE_POST_TASK };
    uint64_t number = 0;
    message.as.post_task.description = SLICE_OF("sweep");
    message.as.post_task.idempotency_key = slice_from_text(key);
    fleet->command.digest_present = true;
    memset(fleet->command.digest, body, DIGEST_BYTES);
    fleet_as_client(fleet, actor, ROLE_SUBMITTER);
    fleet_do(fleet, &message);

    const struct effect *answer = fleet_answer(fleet);
    assert_non_null(answer);
    if (answer->message.type == MESSAGE_POST_TASK_ANSWER)
        assert_true(task_id_parse(answer->message.as.post_task_answer.task_id, &number));
    return number;
}

static void cancel(struct fleet *fleet, uint64_t number)
{
    struct message message = { .type = MESSAGE_POST_TASK_CANCEL };
    struct step step = fleet_step(fleet);
    char id[TASK_ID_BYTES];
    struct slice made = task_id(&step, number);
    memcpy(id, made.data, sizeof id);
    message.as.post_task_cancel.task_id = slice_make(id, sizeof id);
    fleet_as_client(fleet, "root", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

static void pass(struct fleet *fleet, int64_t ms)
{
    fleet_pass(fleet, ms);
    fleet_settle(fleet);
}

static void the_same_request_gets_the_same_answer(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    uint64_t first = submit(&fleet, "ci", "k", 1);
    assert_false(fleet_answer(&fleet)->replayed);
    int64_t created = fleet_answer(&fleet)->message.as.post_task_answer.created_at;
    fleet_pass(&fleet, 5000);
    uint64_t again = submit(&fleet, "ci", "k", 1);

    assert_true(first != 0);
    assert_int_equal(first, again);
    assert_true(fleet_answer(&fleet)->replayed);
    assert_int_equal(fleet_answer(&fleet)->message.as.post_task_answer.created_at,
                     created);
    assert_int_equal(memory_rows(fleet.store, TABLE_TASK), 1);
    fleet_verify(&fleet);
    fleet_finish(&fleet);
}

static void the_answer_stays_the_first_one_when_the_task_has_moved(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    uint64_t number = submit(&fleet, "ci", "k", 1);
    cancel(&fleet, number);
    submit(&fleet, "ci", "k", 1);
    assert_true(slice_equal_text(fleet_answer(&fleet)->message.as.post_task_answer.state,
                                 "queued"));
    fleet_finish(&fleet);
}

static void another_body_under_the_key_is_a_conflict(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    submit(&fleet, "ci", "k", 1);
    assert_int_equal(submit(&fleet, "ci", "k", 2), 0);
    const struct message *answer = &fleet_answer(&fleet)->message;
    assert_int_equal(answer->type, MESSAGE_HTTP_ERROR);
    assert_true(slice_equal_text(answer->as.http_error.error, "idempotency_conflict"));
    assert_int_equal(memory_rows(fleet.store, TABLE_TASK), 1);
    fleet_finish(&fleet);
}

static void keys_belong_to_who_sent_them(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    uint64_t one = submit(&fleet, "ci", "k", 1);
    uint64_t other = submit(&fleet, "bob", "k", 1);
    /* Where the name ends and the key begins is told apart. */
    uint64_t third = submit(&fleet, "c", "ik", 1);
    assert_true(one != 0 && other > one && third > other);
    fleet_finish(&fleet);
}

static void without_a_key_every_submit_is_new(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    uint64_t one = submit(&fleet, "ci", NULL, 1);
    uint64_t other = submit(&fleet, "ci", NULL, 1);
    assert_true(one != other);
    assert_int_equal(memory_rows(fleet.store, TABLE_IDEMPOTENCY), 0);
    fleet_finish(&fleet);
}

static void a_refused_submit_leaves_its_key_free(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    fleet.settings.tasks_open_max = 0;
    assert_int_equal(submit(&fleet, "ci", "k", 1), 0);
    fleet.settings.tasks_open_max = 10;
    assert_true(submit(&fleet, "ci", "k", 2) != 0);
    fleet_finish(&fleet);
}

static void a_key_is_kept_while_its_task_is_open_and_an_hour_more(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    uint64_t number = submit(&fleet, "ci", "k", 1);
    pass(&fleet, 30 * HOUR_MS);
    pass(&fleet, HOUR_MS / 2);
    assert_int_equal(submit(&fleet, "ci", "k", 1), number);

    cancel(&fleet, number);
    pass(&fleet, 3 * HOUR_MS / 4);
    assert_int_equal(submit(&fleet, "ci", "k", 1), number);
    pass(&fleet, 2 * HOUR_MS);
    assert_int_equal(memory_rows(fleet.store, TABLE_IDEMPOTENCY), 0);
    assert_true(submit(&fleet, "ci", "k", 2) != number);
    fleet_verify(&fleet);
    fleet_finish(&fleet);
}

static void a_key_of_an_ended_task_goes_when_its_time_is_over(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    uint64_t number = submit(&fleet, "ci", "k", 1);
    cancel(&fleet, number);
    pass(&fleet, fleet.settings.idempotency_ms - 1);
    assert_int_equal(memory_rows(fleet.store, TABLE_IDEMPOTENCY), 1);
    pass(&fleet, 1);
    assert_int_equal(memory_rows(fleet.store, TABLE_IDEMPOTENCY), 0);
    fleet_finish(&fleet);
}

static uint64_t submit_frame(struct fleet *fleet, const char *request_id,
                             const char *description)
{
    struct message message = { .type = MESSAGE_TASK_SUBMIT };
    uint64_t number = 0;
    message.as.task_submit.description = slice_from_text(description);
    message.as.task_submit.request_id = slice_from_text(request_id);
    message.as.task_submit.idempotency_key = SLICE_OF("k");
    /* The whole frame's digest says nothing: it has the request id in it. */
    fleet->command.digest_present = true;
    memcpy(fleet->command.digest, request_id, 2);
    fleet_as_agent(fleet, "ada", 5);
    fleet_do(fleet, &message);
    const struct message *sent = fleet_sent(fleet, 5, MESSAGE_TASK_SUBMITTED);
    if (sent != NULL)
        assert_true(task_id_parse(sent->as.task_submitted.task_id, &number));
    return number;
}

static void a_frame_sent_again_under_another_request_id_makes_no_second_task(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    fleet_identify(&fleet, "ada", 5, NULL, 0);
    uint64_t first = submit_frame(&fleet, "r1", "sweep");
    uint64_t again = submit_frame(&fleet, "r2", "sweep");
    assert_true(first != 0);
    assert_int_equal(first, again);
    assert_int_equal(submit_frame(&fleet, "r3", "scrub"), 0);
    assert_non_null(fleet_sent(&fleet, 5, MESSAGE_ERROR));
    fleet_finish(&fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_request_gets_the_same_answer),
        cmocka_unit_test(the_answer_stays_the_first_one_when_the_task_has_moved),
        cmocka_unit_test(another_body_under_the_key_is_a_conflict),
        cmocka_unit_test(keys_belong_to_who_sent_them),
        cmocka_unit_test(without_a_key_every_submit_is_new),
        cmocka_unit_test(a_refused_submit_leaves_its_key_free),
        cmocka_unit_test(a_key_is_kept_while_its_task_is_open_and_an_hour_more),
        cmocka_unit_test(a_key_of_an_ended_task_goes_when_its_time_is_over),
        cmocka_unit_test(
            a_frame_sent_again_under_another_request_id_makes_no_second_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
