/*
 * Goal: compaction and scrub come as often as they are set to, once for what was missed, and
 * whoever asked for a compaction is told how it ended.
 */
#include "core/scene.h"

#include "core/job.h"

#include "cmocka_all.h"

static const int64_t HOUR_MS = (int64_t)60 * 60 * 1000;

static struct fleet fleet;

static int begin(void **state)
{
    (void)state;
    fleet_init(&fleet);
    fleet.settings.compaction_interval_ms = 6 * HOUR_MS;
    fleet.settings.scrub_interval_ms = 24 * HOUR_MS;
    scene_hub_started(&fleet);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fleet_verify(&fleet);
    fleet_finish(&fleet);
    return 0;
}

static void finish(int64_t job, bool complete, uint32_t compacted)
{
    struct message message = { .type = MESSAGE_JOB_STARTED };
    message.as.job_started.job = job;
    fleet_as_hub(&fleet);
    fleet_do(&fleet, &message);
    fleet_pass(&fleet, 120);
    message = (struct message){ .type = MESSAGE_JOB_FINISHED };
    message.as.job_finished = (struct message_job_finished){
        .job = job,
        .complete = complete,
        .code = complete ? (struct slice){ 0 } : SLICE_OF("compaction_failed"),
        .reason = complete ? (struct slice){ 0 } : SLICE_OF("no room"),
        .bytes = 20,
        .bytes_before = 100,
        .has_bytes_before = complete,
        .tables_total = 40,
        .tables_success = compacted,
        .results = SLICE_OF("[1]"),
    };
    fleet_do(&fleet, &message);
}

/* What the ops thread's word had said to whoever waited. */
static const struct message *told_answer(enum message_type type)
{
    const struct effect *effect = fleet.effects.first;
    while (effect != NULL && effect->kind != EFFECT_ANSWER)
        effect = effect->next;
    assert_non_null(effect);
    assert_int_equal(effect->request, fleet.request);
    assert_int_equal(effect->message.type, type);
    return &effect->message;
}

/* How many jobs of a kind there have been, and the youngest one's number. */
static unsigned count(enum job_kind kind, uint64_t *ret_youngest)
{
    struct step step = fleet_step(&fleet);
    struct job job;
    uint64_t number = UINT64_MAX;
    unsigned found = 0;
    *ret_youngest = 0;
    while (job_next_older(&step, &number, &job)) {
        if (job.kind != kind)
            continue;
        if (found++ == 0)
            *ret_youngest = number;
        assert_true(job.scheduled);
    }
    return found;
}

static void each_comes_as_often_as_it_is_set_to(void **state)
{
    (void)state;
    uint64_t youngest;
    for (int hour = 0; hour < 48; hour++) {
        fleet_pass(&fleet, HOUR_MS);
        fleet_settle(&fleet);
        for (int kind = JOB_BACKUP; kind < JOB_KIND_END; kind++) {
            struct step step = fleet_step(&fleet);
            struct job job;
            if (count((enum job_kind)kind, &youngest) > 0 &&
                job_load(&step, youngest, &job) && job_is_open(&job))
                finish((int64_t)youngest, true, 0);
        }
    }
    assert_int_equal(count(JOB_COMPACT, &youngest), 8);
    assert_int_equal(count(JOB_SCRUB, &youngest), 2);
}

static void what_was_missed_is_made_up_for_once(void **state)
{
    (void)state;
    uint64_t youngest;
    fleet_pass(&fleet, 100 * HOUR_MS);
    scene_hub_started(&fleet);
    fleet_settle(&fleet);
    assert_int_equal(count(JOB_COMPACT, &youngest), 1);
    assert_int_equal(count(JOB_SCRUB, &youngest), 1);
    fleet_pass(&fleet, HOUR_MS);
    fleet_settle(&fleet);
    assert_int_equal(count(JOB_COMPACT, &youngest), 1);
}

static void set_to_never_they_do_not_come(void **state)
{
    (void)state;
    uint64_t youngest;
    fleet.settings.compaction_interval_ms = 0;
    fleet.settings.scrub_interval_ms = 0;
    scene_hub_started(&fleet);
    fleet_pass(&fleet, 1000 * HOUR_MS);
    fleet_settle(&fleet);
    assert_int_equal(count(JOB_COMPACT, &youngest), 0);
    assert_int_equal(count(JOB_SCRUB, &youngest), 0);
}

static void a_clock_that_was_ahead_does_not_put_them_off(void **state)
{
    (void)state;
    uint64_t youngest;
    fleet_pass(&fleet, 10000 * HOUR_MS);
    scene_hub_started(&fleet);
    fleet_settle(&fleet);
    fleet.command.wall_ms -= 9000 * HOUR_MS;
    scene_hub_started(&fleet);
    unsigned before = count(JOB_COMPACT, &youngest);
    fleet_pass(&fleet, 6 * HOUR_MS);
    fleet_settle(&fleet);
    assert_int_equal(count(JOB_COMPACT, &youngest), before + 1);
}

static void ask(struct slice table, bool dry_run)
{
    struct message message = { .type = MESSAGE_POST_ADMIN_COMPACT };
    message.as.post_admin_compact.has_dry_run = true;
    message.as.post_admin_compact.dry_run = dry_run;
    if (table.size > 0) {
        message = (struct message){ .type = MESSAGE_POST_ADMIN_COMPACT_TABLE };
        message.as.post_admin_compact_table.table = table;
    }
    fleet_as_client(&fleet, "ops", ROLE_OPERATOR);
    fleet_do(&fleet, &message);
}

static void who_asks_is_told_what_became_of_it(void **state)
{
    (void)state;
    ask(SLICE_OF(""), false);
    finish(1, true, 40);
    const struct message_post_admin_compact_answer *told =
        &told_answer(MESSAGE_POST_ADMIN_COMPACT_ANSWER)->as.post_admin_compact_answer;
    assert_true(slice_equal_text(told->status, "complete"));
    assert_int_equal(told->bytes_before, 100);
    assert_int_equal(told->bytes_after, 20);
    assert_int_equal(told->tables_compacted, 40);
    assert_int_equal(told->tables_skipped, 0);

    ask(SLICE_OF(""), true);
    finish(2, true, 0);
    told = &told_answer(MESSAGE_POST_ADMIN_COMPACT_ANSWER)->as.post_admin_compact_answer;
    assert_true(told->dry_run);
    assert_int_equal(told->tables_skipped, 40);

    ask(SLICE_OF(""), false);
    finish(3, false, 0);
    assert_true(slice_equal_text(told_answer(MESSAGE_HTTP_ERROR)->as.http_error.error,
                                 "compaction_failed"));
}

static void a_table_is_asked_for_by_v11s_name_or_ours(void **state)
{
    (void)state;
    ask(SLICE_OF("task_queue"), false);
    finish(1, true, 40);
    const struct message_post_admin_compact_table_answer *told =
        &told_answer(MESSAGE_POST_ADMIN_COMPACT_TABLE_ANSWER)
             ->as.post_admin_compact_table_answer;
    assert_true(slice_equal_text(told->table, "task_queue"));
    assert_true(slice_equal_text(told->status, "compacted"));
    assert_int_equal(told->duration_ms, 120);
    ask(SLICE_OF("letter"), false);
    finish(2, true, 40);
    ask(SLICE_OF("letters"), false);
    assert_string_equal(scene_http_error(&fleet), "unknown_table");
}

static void verify(const char *code)
{
    struct message message = { .type = MESSAGE_POST_ADMIN_VERIFY };
    struct message ended = { .type = MESSAGE_JOB_FINISHED };
    ended.as.job_finished = (struct message_job_finished){
        .job = 1,
        .complete = code == NULL,
        .code = slice_from_text(code),
        .reason = code == NULL ? (struct slice){ 0 } : SLICE_OF("why"),
        .bytes = 20,
        .sequence = 7,
        .tables_total = 40,
        .tables_success = 40,
        .results = SLICE_OF("[1]"),
    };
    fleet_as_client(&fleet, "ops", ROLE_OPERATOR);
    fleet_do(&fleet, &message);
    fleet_as_hub(&fleet);
    fleet_do(&fleet, &ended);
}

static unsigned events_of_corruption(void)
{
    struct message message = { .type = MESSAGE_GET_EVENTS };
    message.as.get_events = (struct message_get_events){
        .has_since = true,
        .kinds = SLICE_OF("store_corrupt"),
    };
    fleet_as_client(&fleet, "ops", ROLE_ADMIN);
    fleet_do(&fleet, &message);
    return (unsigned)told_answer(MESSAGE_GET_EVENTS_ANSWER)
        ->as.get_events_answer.events.count;
}

static void who_asks_whether_it_is_whole_is_told(void **state)
{
    (void)state;
    verify(NULL);
    const struct message_post_admin_verify_answer *told =
        &told_answer(MESSAGE_POST_ADMIN_VERIFY_ANSWER)->as.post_admin_verify_answer;
    assert_true(slice_equal_text(told->status, "complete"));
    assert_int_equal(told->sequence, 7);
    assert_true(slice_equal_text(told->results, "[1]"));
    assert_int_equal(events_of_corruption(), 0);
}

static void a_store_that_is_not_whole_is_an_event_and_a_failure_to_look_is_none(
    void **state)
{
    static const char *const CODES[] = { "store_corrupt", "verify_failed",
                                         "storage_full" };
    for (unsigned i = 0; i < 3; i++) {
        verify(CODES[i]);
        assert_true(slice_equal_text(told_answer(MESSAGE_HTTP_ERROR)->as.http_error.error,
                                     CODES[i]));
        assert_int_equal(events_of_corruption(), i == 0);
        (void)end(state);
        (void)begin(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_comes_as_often_as_it_is_set_to, begin, end),
        cmocka_unit_test_setup_teardown(what_was_missed_is_made_up_for_once, begin, end),
        cmocka_unit_test_setup_teardown(set_to_never_they_do_not_come, begin, end),
        cmocka_unit_test_setup_teardown(a_clock_that_was_ahead_does_not_put_them_off,
                                        begin, end),
        cmocka_unit_test_setup_teardown(who_asks_is_told_what_became_of_it, begin, end),
        cmocka_unit_test_setup_teardown(who_asks_whether_it_is_whole_is_told, begin, end),
        cmocka_unit_test_setup_teardown(
            a_store_that_is_not_whole_is_an_event_and_a_failure_to_look_is_none, begin,
            end),
        cmocka_unit_test_setup_teardown(a_table_is_asked_for_by_v11s_name_or_ours, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
