/*
 * Goal: the turn keeps the output law and the bounds: one commit a batch, nothing said
 * before it, nothing lost when the map, the disk or a ring is full.
 * Method: a real store in a directory of its own; the test turns the engine by hand.
 */
#include "engine/engine.h"
#include "engine/reader.h"
#include "support/engine/bench_engine.h"

#include "cmocka_all.h"

#include <errno.h>

#define MIB ((uint64_t)1024 * 1024)

static const struct bench_engine_options ROOMY = { 64 * MIB, 256 * MIB, 64, NULL, false };

static void turn_all(struct bench_engine *bench)
{
    while (engine_turn(bench->engine))
        continue;
}

static void commands_that_wait_together_share_one_commit(void **state)
{
    (void)state;
    struct bench_engine bench;
    bench_engine_start(&bench, &ROOMY);
    turn_all(&bench);
    bench_engine_identify(&bench, "boss", 0);
    turn_all(&bench);
    bench_engine_count(&bench, "");
    uint64_t before = bench_engine_commits(&bench);

    for (int i = 0; i < 32; i++)
        bench_engine_submit(&bench, "boss", 0, "work");
    assert_true(engine_turn(bench.engine));

    assert_int_equal(bench_engine_commits(&bench), before + 1);
    assert_int_equal(bench_engine_count(&bench, "task_submitted"), 32);
    bench_engine_finish(&bench);
}

static void questions_alone_sync_nothing(void **state)
{
    (void)state;
    struct bench_engine bench;
    bench_engine_start(&bench, &ROOMY);
    bench_engine_identify(&bench, "boss", 0);
    turn_all(&bench);
    bench_engine_count(&bench, "");
    uint64_t before = bench_engine_commits(&bench);

    assert_true(
        door_push(bench.door, bench_engine_envelope(&bench, "boss", 0, MESSAGE_PING)));
    assert_true(door_push(bench.door,
                          bench_engine_envelope(&bench, "boss", 0, MESSAGE_LIST_AGENTS)));
    turn_all(&bench);

    assert_int_equal(bench_engine_commits(&bench), before);
    assert_int_equal(bench_engine_count(&bench, "\"pong\""), 1);
    bench_engine_finish(&bench);
}

static void a_full_map_is_grown_and_nobody_notices(void **state)
{
    (void)state;
    struct bench_engine bench;
    struct bench_engine_options small = { MIB / 2, 256 * MIB, 64, NULL, false };
    char description[8000];
    memset(description, 'd', sizeof description - 1);
    description[sizeof description - 1] = '\0';
    bench_engine_start(&bench, &small);
    bench_engine_identify(&bench, "boss", 0);
    turn_all(&bench);
    bench_engine_count(&bench, "");

    uint32_t submitted = 0;
    for (int i = 0; i < 32; i++) {
        for (int j = 0; j < 16; j++)
            bench_engine_submit(&bench, "boss", 0, description);
        turn_all(&bench);
        submitted += bench_engine_count(&bench, "task_submitted");
    }

    assert_int_equal(submitted, 32 * 16);
    struct store_usage usage;
    assert_int_equal(store_measure(bench.store, &usage), ERR_OK);
    assert_true(usage.used_bytes > MIB);
    bench_engine_finish(&bench);
}

static uint32_t fill(struct bench_engine *bench, const char *description)
{
    for (int i = 0; i < 2000; i++) {
        bench_engine_submit(bench, "boss", 0, description);
        turn_all(bench);
        if (bench_engine_count(bench, "storage_full") > 0)
            return (uint32_t)i;
    }
    return 0;
}

static void a_store_at_its_largest_refuses_new_work_and_lives(void **state)
{
    (void)state;
    struct bench_engine bench;
    struct bench_engine_options tight = { MIB, 2 * MIB, 64, NULL, false };
    char description[8000];
    memset(description, 'd', sizeof description - 1);
    description[sizeof description - 1] = '\0';
    bench_engine_start(&bench, &tight);
    bench_engine_identify(&bench, "boss", 0);
    turn_all(&bench);

    assert_true(fill(&bench, description) > 10);
    assert_false(engine_is_broken(bench.engine));
    assert_true(door_push(bench.door,
                          bench_engine_envelope(&bench, "boss", 0, MESSAGE_LIST_AGENTS)));
    turn_all(&bench);
    assert_int_equal(bench_engine_count(&bench, "\"boss\""), 1);
    bench_engine_finish(&bench);
}

static void a_full_ring_refuses_and_wakes_its_owner_when_there_is_room(void **state)
{
    (void)state;
    struct bench_engine bench;
    struct bench_engine_options narrow = { 64 * MIB, 256 * MIB, 4, NULL, false };
    bench_engine_start(&bench, &narrow);
    bench_engine_identify(&bench, "boss", 0);
    turn_all(&bench);
    bench_engine_count(&bench, "");

    for (int i = 0; i < 4; i++)
        bench_engine_submit(&bench, "boss", 0, "work");
    struct envelope *extra = bench_engine_envelope(&bench, "boss", 0, MESSAGE_PING);
    assert_false(door_push(bench.door, extra));
    uint32_t wakes = bench.wakes;
    turn_all(&bench);

    assert_true(bench.wakes > wakes + 1); /* for the answers, and for the room */
    assert_true(door_push(bench.door, extra));
    turn_all(&bench);
    assert_int_equal(bench_engine_count(&bench, "\"pong\""), 1);
    bench_engine_finish(&bench);
}

static void nothing_is_taken_while_the_way_out_is_full(void **state)
{
    (void)state;
    struct bench_engine bench;
    bench_engine_start(&bench, &ROOMY);
    bench_engine_identify(&bench, "boss", 0);
    turn_all(&bench);

    uint32_t asked = 0;
    while (asked < 64) {
        assert_true(door_push(bench.door,
                              bench_engine_envelope(&bench, "boss", 0, MESSAGE_PING)));
        asked++;
        if (!engine_turn(bench.engine))
            break;
    }
    assert_true(asked < 64); /* the out ring is shorter than that */

    uint32_t answered = bench_engine_count(&bench, "\"pong\"");
    assert_int_equal(answered, asked - 1);
    turn_all(&bench);
    assert_int_equal(bench_engine_count(&bench, "\"pong\""), 1);
    bench_engine_finish(&bench);
}

struct failing {
    enum store_call call;
    int code;
    bool on;
};

static int fail_call(void *context, enum store_call call)
{
    struct failing *failing = context;
    return failing->on && call == failing->call ? failing->code : 0;
}

static void a_commit_that_fails_says_nothing_and_stops_all_writing(void **state)
{
    (void)state;
    struct bench_engine bench;
    struct failing failing = { STORE_CALL_COMMIT, EIO, false };
    struct store_fault fault = { fail_call, NULL, &failing };
    struct bench_engine_options options = { 64 * MIB, 256 * MIB, 64, &fault, false };
    bench_engine_start(&bench, &options);
    bench_engine_identify(&bench, "boss", 0);
    turn_all(&bench);
    bench_engine_count(&bench, "");

    failing.on = true;
    bench_engine_submit(&bench, "boss", 0, "lost?");
    turn_all(&bench);
    assert_int_equal(bench.breaks, 1);
    assert_int_equal(bench.broken, ERR_IO);
    assert_true(engine_is_broken(bench.engine));

    failing.on = false;
    bench_engine_submit(&bench, "boss", 0, "after");
    turn_all(&bench);
    assert_int_equal(bench_engine_count(&bench, "task_submitted"), 0);
    assert_int_equal(bench.breaks, 1);
    bench_engine_finish(&bench);
}

static void a_refusal_of_storage_reaches_every_asker(void **state)
{
    (void)state;
    struct bench_engine bench;
    struct failing failing = { STORE_CALL_COMMIT, ENOSPC, false };
    struct store_fault fault = { fail_call, NULL, &failing };
    struct bench_engine_options options = { 64 * MIB, 256 * MIB, 64, &fault, false };
    bench_engine_start(&bench, &options);
    bench_engine_identify(&bench, "boss", 0);
    turn_all(&bench);
    bench_engine_count(&bench, "");

    failing.on = true;
    for (int i = 0; i < 5; i++)
        bench_engine_submit(&bench, "boss", 0, "no room");
    turn_all(&bench);
    assert_int_equal(bench_engine_count(&bench, "storage_full"), 5);
    assert_int_equal(bench.breaks, 0);

    failing.on = false;
    bench_engine_submit(&bench, "boss", 0, "room again");
    turn_all(&bench);
    assert_int_equal(bench_engine_count(&bench, "task_submitted"), 1);
    bench_engine_finish(&bench);
}

static void no_job_begins_soon_after_something_did_not_fit(void **state)
{
    (void)state;
    static const enum message_type ROUTES[] = {
        MESSAGE_POST_ADMIN_BACKUP,
        MESSAGE_POST_ADMIN_RESTORE,
        MESSAGE_POST_ADMIN_COMPACT,
        MESSAGE_POST_ADMIN_COMPACT_TABLE,
    };
    struct bench_engine bench;
    struct failing failing = { STORE_CALL_COMMIT, ENOSPC, false };
    struct store_fault fault = { fail_call, NULL, &failing };
    struct bench_engine_options options = { 64 * MIB, 256 * MIB, 64, &fault, false };
    bench_engine_start(&bench, &options);
    bench_engine_identify(&bench, "boss", 0);
    turn_all(&bench);

    failing.on = true;
    bench_engine_submit(&bench, "boss", 0, "no room");
    turn_all(&bench);
    assert_int_equal(bench_engine_count(&bench, "storage_full"), 1);
    failing.on = false;
    for (size_t i = 0; i < sizeof ROUTES / sizeof ROUTES[0]; i++) {
        struct envelope *envelope = bench_engine_envelope(&bench, "boss", 1, ROUTES[i]);
        envelope->origin.request = i + 1;
        assert_true(door_push(bench.door, envelope));
        turn_all(&bench);
        assert_int_equal(bench_engine_count(&bench, "storage_full"), 1);
    }
    /* Work is taken again at once. */
    bench_engine_submit(&bench, "boss", 0, "room again");
    turn_all(&bench);
    assert_int_equal(bench_engine_count(&bench, "task_submitted"), 1);
    bench_engine_finish(&bench);
}

/* When a batch fails its commands are tried one by one; the end may come between two. The
 * leak checker sees what is kept. */
static void what_was_taken_and_not_yet_applied_is_freed_at_the_end(void **state)
{
    (void)state;
    struct bench_engine bench;
    struct failing failing = { STORE_CALL_COMMIT, ENOSPC, false };
    struct store_fault fault = { fail_call, NULL, &failing };
    struct bench_engine_options options = { 64 * MIB, 256 * MIB, 64, &fault, false };
    bench_engine_start(&bench, &options);
    bench_engine_identify(&bench, "boss", 0);
    turn_all(&bench);
    bench_engine_count(&bench, "");

    failing.on = true;
    for (int i = 0; i < 3; i++)
        bench_engine_submit(&bench, "boss", 0, "no room");
    assert_true(engine_turn(bench.engine));
    assert_int_equal(bench_engine_count(&bench, "storage_full"), 1);
    bench_engine_finish(&bench);
}

static void links_are_never_reused_after_a_restart(void **state)
{
    (void)state;
    struct bench_engine bench;
    bench_engine_start(&bench, &ROOMY);
    uint64_t first = bench_engine_link(&bench, 0);
    bench_engine_restart(&bench, &ROOMY);
    assert_int_not_equal(first, bench_engine_link(&bench, 0));
    bench_engine_finish(&bench);
}

static void a_reader_answers_from_the_last_commit(void **state)
{
    (void)state;
    struct bench_engine bench;
    bench_engine_start(&bench, &ROOMY);
    bench_engine_identify(&bench, "boss", 0);
    turn_all(&bench);

    struct reader *reader = reader_create(bench.engine);
    assert_non_null(reader);
    struct envelope *question =
        bench_engine_envelope(&bench, "boss", 1, MESSAGE_GET_AGENTS);
    question->origin.request = 7;
    struct release_batch *batch = reader_answer(reader, question);
    assert_non_null(batch);
    struct release *release = release_first(batch);
    assert_non_null(release);
    assert_int_equal(release->kind, RELEASE_ANSWER);
    assert_int_equal(release->request, 7);
    assert_int_equal(release->status, 200);
    assert_non_null(
        memmem(frame_text(release->frame), release->frame->size, "\"boss\"", 6));
    release_batch_destroy(batch);
    envelope_destroy(question);
    reader_destroy(reader);
    bench_engine_finish(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_that_wait_together_share_one_commit),
        cmocka_unit_test(questions_alone_sync_nothing),
        cmocka_unit_test(a_full_map_is_grown_and_nobody_notices),
        cmocka_unit_test(a_store_at_its_largest_refuses_new_work_and_lives),
        cmocka_unit_test(a_full_ring_refuses_and_wakes_its_owner_when_there_is_room),
        cmocka_unit_test(nothing_is_taken_while_the_way_out_is_full),
        cmocka_unit_test(a_commit_that_fails_says_nothing_and_stops_all_writing),
        cmocka_unit_test(a_refusal_of_storage_reaches_every_asker),
        cmocka_unit_test(no_job_begins_soon_after_something_did_not_fit),
        cmocka_unit_test(what_was_taken_and_not_yet_applied_is_freed_at_the_end),
        cmocka_unit_test(links_are_never_reused_after_a_restart),
        cmocka_unit_test(a_reader_answers_from_the_last_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
