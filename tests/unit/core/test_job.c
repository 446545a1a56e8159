/*
 * Goal: a job has one end, which its asker is told; the schedule of backups neither skips
 * nor repeats, whatever the hub and its clock do.
 * Method: stories on tables in memory; the test plays the ops thread.
 */
#include "core/scene.h"

#include "core/backup.h"

#include "cmocka_all.h"

static const int64_t DAY_MS = (int64_t)24 * 60 * 60 * 1000;

static int begin(void **state)
{
    static struct fleet fleet;
    fleet_init(&fleet);
    fleet.settings.backup_interval_ms = DAY_MS;
    scene_hub_started(&fleet);
    *state = &fleet;
    return 0;
}

static int end(void **state)
{
    struct fleet *fleet = *state;
    fleet_verify(fleet);
    fleet_finish(fleet);
    return 0;
}

static const struct effect *ask(struct fleet *fleet, bool wait)
{
    struct message message = { .type = MESSAGE_POST_ADMIN_BACKUP };
    message.as.post_admin_backup.has_wait = true;
    message.as.post_admin_backup.wait = wait;
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
    return fleet_answer(fleet);
}

static void finish(struct fleet *fleet, int64_t job, bool complete)
{
    struct message message = { .type = MESSAGE_JOB_FINISHED };
    message.as.job_finished = (struct message_job_finished){
        .job = job,
        .complete = complete,
        .code = SLICE_OF("storage_full"),
        .reason = SLICE_OF("the disk is full"),
        .results = SLICE_OF("[1]"),
    };
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
}

static const struct effect *first_of(const struct fleet *fleet, enum effect_kind kind)
{
    const struct effect *effect = fleet->effects.first;
    while (effect != NULL && effect->kind != kind)
        effect = effect->next;
    return effect;
}

static struct job look(struct fleet *fleet, uint64_t number)
{
    struct step step = fleet_step(fleet);
    struct job job;
    assert_true(job_load(&step, number, &job));
    return job;
}

static uint64_t jobs_given(struct fleet *fleet)
{
    struct step step = fleet_step(fleet);
    return step_counter(&step, COUNTER_JOB_LAST);
}

static void whoever_waits_is_told_the_end(void **state)
{
    struct fleet *fleet = *state;
    assert_null(ask(fleet, true));
    assert_int_equal(first_of(fleet, EFFECT_JOB)->job, 1);
    uint64_t request = fleet->request;
    finish(fleet, 1, true);
    const struct effect *answer = first_of(fleet, EFFECT_ANSWER);
    assert_non_null(answer);
    assert_int_equal(answer->request, request);
    assert_int_equal(answer->link, FLEET_HTTP_LINK);
    assert_true(
        slice_equal_text(answer->message.as.post_admin_backup_answer.status, "complete"));
    assert_true(
        slice_equal_text(answer->message.as.post_admin_backup_answer.results, "[1]"));
}

static void whoever_waits_is_told_why_it_failed(void **state)
{
    struct fleet *fleet = *state;
    ask(fleet, true);
    finish(fleet, 1, false);
    const struct effect *answer = first_of(fleet, EFFECT_ANSWER);
    assert_int_equal(answer->status, 507);
    assert_true(slice_equal_text(answer->message.as.http_error.error, "storage_full"));
    assert_true(
        slice_equal_text(answer->message.as.http_error.detail, "the disk is full"));
    assert_int_equal(look(fleet, 1).state, JOB_FAILED);
}

static void whoever_waits_too_long_is_told_to_ask_again(void **state)
{
    struct fleet *fleet = *state;
    ask(fleet, true);
    fleet_pass(fleet, JOB_WAIT_MS);
    fleet_as_hub(fleet);
    struct message tick = { .type = MESSAGE_TICK };
    fleet_do(fleet, &tick);
    const struct effect *answer = first_of(fleet, EFFECT_ANSWER);
    assert_int_equal(answer->status, 202);
    assert_int_equal(answer->message.as.post_admin_backup_answer.job_id, 1);
    finish(fleet, 1, true);
    assert_null(first_of(fleet, EFFECT_ANSWER));
}

static void no_more_jobs_are_taken_than_there_is_room_for(void **state)
{
    struct fleet *fleet = *state;
    for (int i = 0; i < JOBS_OPEN_MAX; i++)
        assert_int_equal(ask(fleet, false)->status, 202);
    assert_int_equal(ask(fleet, false)->status, 503);
    assert_string_equal(scene_http_error(fleet), "jobs_full");
    assert_null(first_of(fleet, EFFECT_JOB));
    finish(fleet, 1, true);
    assert_int_equal(ask(fleet, false)->status, 202);
}

static void old_jobs_are_forgotten_and_open_ones_never(void **state)
{
    struct fleet *fleet = *state;
    for (int64_t i = 1; i <= JOBS_KEPT_MAX + 20; i++) {
        ask(fleet, false);
        finish(fleet, i, i % 3 != 0);
    }
    assert_int_equal(memory_rows(fleet->store, TABLE_JOB), JOBS_KEPT_MAX);
    fleet_verify(fleet);
}

static void a_start_finds_what_was_open_failed(void **state)
{
    struct fleet *fleet = *state;
    ask(fleet, true);
    ask(fleet, true);
    scene_hub_started(fleet);
    assert_int_equal(look(fleet, 1).state, JOB_FAILED);
    assert_int_equal(look(fleet, 2).state, JOB_FAILED);
    assert_null(first_of(fleet, EFFECT_ANSWER));
    fleet_pass(fleet, JOB_WAIT_MS);
    fleet_settle(fleet);
}

static void what_is_said_of_a_job_that_is_done_is_a_fault(void **state)
{
    struct fleet *fleet = *state;
    ask(fleet, false);
    finish(fleet, 1, true);
    struct message message = { .type = MESSAGE_JOB_STARTED };
    message.as.job_started.job = 1;
    fleet_as_hub(fleet);
    assert_int_equal(fleet_try(fleet, &message), ERR_CORRUPT);
    message.as.job_started.job = 7;
    assert_int_equal(fleet_try(fleet, &message), ERR_CORRUPT);
}

static void a_backup_is_made_once_a_day(void **state)
{
    struct fleet *fleet = *state;
    for (int64_t day = 1; day <= 5; day++) {
        fleet_pass(fleet, DAY_MS - 1);
        fleet_settle(fleet);
        assert_int_equal(jobs_given(fleet), day - 1);
        fleet_pass(fleet, 1);
        fleet_settle(fleet);
        assert_int_equal(jobs_given(fleet), day);
        assert_true(look(fleet, (uint64_t)day).scheduled);
        finish(fleet, day, true);
    }
}

static void restarts_neither_skip_nor_repeat_one(void **state)
{
    struct fleet *fleet = *state;
    for (int i = 0; i < 47; i++) {
        fleet_pass(fleet, DAY_MS / 24);
        scene_hub_started(fleet);
        fleet_settle(fleet);
    }
    assert_int_equal(jobs_given(fleet), 1);
    fleet_pass(fleet, DAY_MS / 24);
    fleet_settle(fleet);
    assert_int_equal(jobs_given(fleet), 2);
}

static void what_was_missed_is_made_up_for_once(void **state)
{
    struct fleet *fleet = *state;
    fleet_pass(fleet, 10 * DAY_MS);
    scene_hub_started(fleet);
    fleet_settle(fleet);
    assert_int_equal(jobs_given(fleet), 1);
    fleet_pass(fleet, DAY_MS - 1);
    fleet_settle(fleet);
    assert_int_equal(jobs_given(fleet), 1);
}

static void one_that_failed_is_tried_again_within_the_hour(void **state)
{
    struct fleet *fleet = *state;
    fleet_pass(fleet, DAY_MS);
    fleet_settle(fleet);
    finish(fleet, 1, false);
    fleet_pass(fleet, BACKUP_RETRY_MS);
    fleet_settle(fleet);
    assert_int_equal(jobs_given(fleet), 2);
    finish(fleet, 2, true);
    fleet_pass(fleet, DAY_MS - 1);
    fleet_settle(fleet);
    assert_int_equal(jobs_given(fleet), 2);
}

static void a_clock_that_was_set_back_delays_no_more_than_a_start(void **state)
{
    struct fleet *fleet = *state;
    fleet_pass(fleet, DAY_MS);
    fleet_settle(fleet);
    finish(fleet, 1, true);
    fleet->command.wall_ms -= 400 * DAY_MS;
    scene_hub_started(fleet);
    fleet_pass(fleet, DAY_MS);
    fleet_settle(fleet);
    assert_int_equal(jobs_given(fleet), 2);
}

static void a_schedule_that_is_switched_off_is_silent(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.backup_interval_ms = 0;
    scene_hub_started(fleet);
    fleet_pass(fleet, 10 * DAY_MS);
    fleet_settle(fleet);
    assert_int_equal(jobs_given(fleet), 0);
    assert_int_equal(memory_rows(fleet->store, TABLE_DEADLINE), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(whoever_waits_is_told_the_end),
        TEST(whoever_waits_is_told_why_it_failed),
        TEST(whoever_waits_too_long_is_told_to_ask_again),
        TEST(no_more_jobs_are_taken_than_there_is_room_for),
        TEST(old_jobs_are_forgotten_and_open_ones_never),
        TEST(a_start_finds_what_was_open_failed),
        TEST(what_is_said_of_a_job_that_is_done_is_a_fault),
        TEST(a_backup_is_made_once_a_day),
        TEST(restarts_neither_skip_nor_repeat_one),
        TEST(what_was_missed_is_made_up_for_once),
        TEST(one_that_failed_is_tried_again_within_the_hour),
        TEST(a_clock_that_was_set_back_delays_no_more_than_a_start),
        TEST(a_schedule_that_is_switched_off_is_silent),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
