/*
 * Goal: a job has one end, which its asker is told; the schedule of backups neither skips
 * nor repeats, whatever the hub and its clock do.
 * Method: stories on tables in memory; the test plays the ops thread.
 */
#include "core/backup.h"
#include "core/event_log.h"
#include "core/log_check.h"
#include "core/scene.h"

#include "cmocka_all.h"

#include <string.h>

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

static uint64_t events_so_far(struct fleet *fleet)
{
    struct step step = fleet_step(fleet);
    struct event_span span;
    event_span_load(&step, &span);
    return span.last;
}

/* In the fleet's arena, until the next command. */
static struct message_event_job_skipped last_skipped(struct fleet *fleet)
{
    struct step step = fleet_step(fleet);
    struct event event;
    assert_true(event_load(&step, events_so_far(fleet), &event));
    assert_int_equal(event.message.type, MESSAGE_EVENT_JOB_SKIPPED);
    return event.message.as.event_job_skipped;
}

static void an_end_that_is_told_again_changes_nothing(void **state)
{
    struct fleet *fleet = *state;
    ask(fleet, true);
    finish(fleet, 1, true);
    struct job before = look(fleet, 1);
    uint64_t events = events_so_far(fleet);
    fleet_pass(fleet, 1000);
    finish(fleet, 1, false);
    assert_null(fleet->effects.first);
    struct job after = look(fleet, 1);
    assert_int_equal(after.state, JOB_COMPLETE);
    assert_int_equal(after.finished_ms, before.finished_ms);
    assert_int_equal(events_so_far(fleet), events);
}

static void a_job_is_told_from_its_start_to_its_end(void **state)
{
    struct fleet *fleet = *state;
    uint64_t before = events_so_far(fleet);
    ask(fleet, false);
    fleet_as_hub(fleet);
    struct message message = { .type = MESSAGE_JOB_STARTED };
    message.as.job_started.job = 1;
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_JOB_PROGRESS };
    message.as.job_progress = (struct message_job_progress){ 1, 5, 10, false };
    fleet_do(fleet, &message);
    message.as.job_progress = (struct message_job_progress){ 1, 7, 10, true };
    fleet_do(fleet, &message);
    finish(fleet, 1, true);
    assert_string_equal(log_words(fleet, before),
                        "action job_started job_progress job_complete");
    before = events_so_far(fleet);
    ask(fleet, false);
    finish(fleet, 2, false);
    assert_string_equal(log_words(fleet, before), "action job_failed");
}

static void a_job_that_a_start_finds_open_is_told_to_have_failed(void **state)
{
    struct fleet *fleet = *state;
    ask(fleet, true);
    uint64_t before = events_so_far(fleet);
    scene_hub_started(fleet);
    assert_non_null(strstr(log_words(fleet, before), "job_failed"));
}

static void tick(struct fleet *fleet, bool full)
{
    struct message message = { .type = MESSAGE_TICK };
    message.as.tick.full = full;
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
}

static void what_is_due_while_the_store_is_full_is_told_and_tried_again(void **state)
{
    struct fleet *fleet = *state;
    fleet_pass(fleet, DAY_MS);
    tick(fleet, true);
    assert_int_equal(jobs_given(fleet), 0);
    const struct effect *skipped = first_of(fleet, EFFECT_JOB_SKIPPED);
    assert_non_null(skipped);
    assert_int_equal(skipped->job_kind, JOB_BACKUP);
    assert_true(slice_equal_text(skipped->reason, "storage_full"));
    struct message_event_job_skipped told = last_skipped(fleet);
    assert_true(slice_equal_text(told.kind, "backup"));
    int64_t wait_ms = told.retry_at - fleet->command.wall_ms;
    assert_true(wait_ms > 0 && wait_ms < DAY_MS / 24);

    fleet_pass(fleet, wait_ms - 1);
    fleet_settle(fleet);
    assert_int_equal(jobs_given(fleet), 0);
    fleet_pass(fleet, 1);
    tick(fleet, true); /* still full */
    fleet_pass(fleet, wait_ms);
    fleet_settle(fleet);
    assert_int_equal(jobs_given(fleet), 1);
    finish(fleet, 1, true);
    fleet_pass(fleet, DAY_MS - 1);
    fleet_settle(fleet);
    assert_int_equal(jobs_given(fleet), 1);
}

static void what_is_due_while_too_many_are_open_is_told_as_well(void **state)
{
    struct fleet *fleet = *state;
    for (int i = 0; i < JOBS_OPEN_MAX; i++)
        ask(fleet, false);
    fleet_pass(fleet, DAY_MS);
    tick(fleet, false);
    assert_int_equal(jobs_given(fleet), JOBS_OPEN_MAX);
    assert_true(slice_equal_text(last_skipped(fleet).reason, "jobs_full"));
}

enum { SEEN_MAX = 8 };

static const struct slice NAMES[SEEN_MAX] = {
    SLICE("backup-1"), SLICE("backup-2"), SLICE("backup-3"), SLICE("backup-4"),
    SLICE("backup-5"), SLICE("backup-6"), SLICE("backup-7"), SLICE("backup-8"),
};

/* The directory holds the backups whose bits are set, and the spoilt one (0: none). */
static const char *see(struct fleet *fleet, unsigned bits, unsigned spoilt,
                       uint64_t instance)
{
    struct message_backup_seen seen[SEEN_MAX];
    struct message_backup_spoilt bad = { .reason = SLICE_OF("it is too short") };
    struct message message = { .type = MESSAGE_BACKUPS_SEEN };
    struct message_backups_seen *told = &message.as.backups_seen;
    uint64_t before = events_so_far(fleet);
    *told = (struct message_backups_seen){ .backups = { seen, 0 }, .kept = 3 };
    for (unsigned i = 0; i < SEEN_MAX; i++)
        if ((bits & 1u << i) != 0)
            seen[told->backups.count++] = (struct message_backup_seen){
                .name = NAMES[i],
                .instance = (int64_t)instance,
                .sha256 = SLICE_OF("00"),
            };
    if (spoilt > 0) {
        bad.name = NAMES[spoilt - 1];
        told->spoilt = (struct message_list){ &bad, 1 };
    }
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
    return log_words(fleet, before);
}

static void a_backup_that_is_lost_is_told_unless_it_was_its_turn_to_go(void **state)
{
    struct fleet *fleet = *state;
    ask(fleet, false); /* so that the store has a number */
    struct step step = fleet_step(fleet);
    uint64_t own = step_counter(&step, COUNTER_INSTANCE);
    assert_string_equal(see(fleet, 0x07, 0, own), "");
    assert_string_equal(see(fleet, 0x0e, 0, own), ""); /* 4 was made, 1 went */
    assert_string_equal(see(fleet, 0x0a, 0, own), "backup_lost");
    assert_string_equal(see(fleet, 0x0a, 0, own), ""); /* once */
    assert_string_equal(see(fleet, 0x08, 2, own), "backup_lost");
    assert_string_equal(see(fleet, 0x38, 2, own), "");
    /* Enough younger ones excuse that it went, not that it is bad. */
    assert_string_equal(see(fleet, 0x70, 4, own), "backup_lost");
    assert_string_equal(see(fleet, 0, 0, own), "backup_lost backup_lost backup_lost");
    /* Those of another store are no loss of ours. */
    assert_string_equal(see(fleet, 0x03, 0, own + 1), "");
    assert_string_equal(see(fleet, 0, 0, own), "");
}

/* As it was written before it told of events. */
static void a_row_of_a_backup_from_before_is_read(void **state)
{
    struct fleet *fleet = *state;
    struct step step = fleet_step(fleet);
    struct packed packed;
    struct buffer *row = packed_start(&packed);
    struct backup backup;
    pack_u8(row, 1);
    pack_i64(row, 2);
    for (uint64_t i = 3; i < 9; i++)
        pack_u64(row, i);
    pack_slice(row, SLICE_OF("00"));
    pack_slice(row, SLICE_OF("0.1.0"));
    step_put(&step, TABLE_BACKUP, NAMES[0], packed_slice(&step, row));
    step_counter_put(&step, COUNTER_BACKUPS, 1);
    assert_true(backup_load(&step, NAMES[0], &backup));
    assert_int_equal(backup.created_ms, 2);
    assert_int_equal(backup.instance, 8);
    assert_int_equal(backup.event_last, 0);
    assert_true(slice_equal_text(backup.hub_version, "0.1.0"));
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

static struct slice subject_asked(struct fleet *fleet,
                                  const struct message_post_admin_store_at *wish)
{
    struct message message = { .type = MESSAGE_POST_ADMIN_STORE_AT };
    message.as.post_admin_store_at = *wish;
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
    return first_of(fleet, EFFECT_JOB)->subject;
}

static void the_store_as_it_was_is_a_job_that_says_when(void **state)
{
    struct fleet *fleet = *state;
    struct message_post_admin_store_at wish = { .event = 4711, .has_event = true };
    assert_true(slice_equal_text(subject_asked(fleet, &wish), "4711"));
    wish.epoch = 1000;
    wish.has_epoch = true;
    assert_true(slice_equal_text(subject_asked(fleet, &wish), "4711@1000"));
    wish.has_event = false;
    assert_true(slice_equal_text(subject_asked(fleet, &wish), "last@1000"));

    uint64_t request = fleet->request;
    finish(fleet, 3, true);
    const struct effect *answer = first_of(fleet, EFFECT_ANSWER);
    assert_int_equal(answer->request, request);
    assert_true(slice_equal_text(answer->message.as.post_admin_store_at_answer.status,
                                 "complete"));
    assert_int_equal(answer->message.as.post_admin_store_at_answer.job_id, 3);
}

static void a_backup_that_is_wanted_is_one_that_is_not_on_its_way(void **state)
{
    struct fleet *fleet = *state;
    struct message wanted = { .type = MESSAGE_BACKUP_WANTED };
    fleet_as_hub(fleet);
    fleet_do(fleet, &wanted);
    assert_int_equal(jobs_given(fleet), 1);
    fleet_do(fleet, &wanted);
    assert_int_equal(jobs_given(fleet), 1);
    finish(fleet, 1, true);
    fleet_do(fleet, &wanted);
    assert_int_equal(jobs_given(fleet), 2);
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
        TEST(an_end_that_is_told_again_changes_nothing),
        TEST(a_job_is_told_from_its_start_to_its_end),
        TEST(a_job_that_a_start_finds_open_is_told_to_have_failed),
        TEST(what_is_due_while_the_store_is_full_is_told_and_tried_again),
        TEST(what_is_due_while_too_many_are_open_is_told_as_well),
        TEST(a_backup_that_is_lost_is_told_unless_it_was_its_turn_to_go),
        TEST(a_row_of_a_backup_from_before_is_read),
        TEST(a_backup_is_made_once_a_day),
        TEST(restarts_neither_skip_nor_repeat_one),
        TEST(what_was_missed_is_made_up_for_once),
        TEST(one_that_failed_is_tried_again_within_the_hour),
        TEST(a_clock_that_was_set_back_delays_no_more_than_a_start),
        TEST(a_schedule_that_is_switched_off_is_silent),
        TEST(the_store_as_it_was_is_a_job_that_says_when),
        TEST(a_backup_that_is_wanted_is_one_that_is_not_on_its_way),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
