/*
 * Goal: every job that was begun ends, whatever the store has room for when it does.
 * Method: a real store whose commits can be made to fail, the ops thread itself, and an
 * engine that the test turns by hand.
 */
#include "ops/ops.h"

#include "core/job.h"
#include "core/step.h"
#include "os/clock.h"
#include "os/secret.h"
#include "store/fault.h"

#include "cmocka_all.h"

#include <errno.h>
#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MIB ((uint64_t)1024 * 1024)

enum {
    PATIENCE_MS = 20 * 1000,
    FULL_FOR_MS = 500, /* the job takes a few */
};

static const struct core_settings SETTINGS = {
    .lease_ms = 300000,
    .history_max = 50,
    .capability_sets_max = 64,
    .messages_max = 1000,
    .mailbox_max = 100,
    .channels_max = 100,
    .fanout_max = 128,
    .event_classes = UINT32_MAX,
    .digest = digest_sha256,
};

struct hub {
    char directory[64];
    char backups[96];
    struct store *store;
    struct engine *engine;
    struct door *door;
    struct ops *ops;
    atomic_bool full; /* the disk */
    atomic_int refused;
};

static int fail_commit(void *context, enum store_call call)
{
    struct hub *hub = context;
    if (call != STORE_CALL_COMMIT || !atomic_load(&hub->full))
        return 0;
    atomic_fetch_add(&hub->refused, 1);
    return ENOSPC;
}

static void wake(void *context)
{
    (void)context;
}

static void broken(void *context, enum err err)
{
    (void)context;
    fail_msg("the store broke: %s", err_name(err));
}

static void hub_start(struct hub *hub)
{
    static struct store_fault fault;
    struct store_problem problem;
    *hub = (struct hub){ .directory = "/tmp/test_ops_XXXXXX" };
    assert_non_null(mkdtemp(hub->directory));
    (void)snprintf(hub->backups, sizeof hub->backups, "%s/backups", hub->directory);
    fault = (struct store_fault){ fail_commit, NULL, hub };
    struct store_options store = {
        .directory = hub->directory,
        .tables = CORE_TABLES,
        .table_count = CORE_TABLE_COUNT,
        .bytes_first = 64 * MIB,
        .bytes_max = 256 * MIB,
        .forced_file_system = true,
        .fault = &fault,
    };
    assert_int_equal(store_open(&store, &hub->store, &problem), ERR_OK);
    struct engine_options engine = {
        .settings = SETTINGS,
        .store = hub->store,
        .ring_slots = 64,
        .batch_max = 64,
        .broken = broken,
        .context = hub,
    };
    assert_int_equal(engine_create(&engine, &hub->engine), ERR_OK);
    hub->door = engine_door_add(hub->engine, wake, hub);
    assert_non_null(hub->door);
    struct ops_options ops = {
        .engine = hub->engine,
        .store = hub->store,
        .data_directory = hub->directory,
        .backup_directory = hub->backups,
        .backups_kept = 3,
        .backup_bytes_per_second = MIB,
        .tables = CORE_TABLES,
        .table_count = CORE_TABLE_COUNT,
    };
    assert_int_equal(ops_create(&ops, &hub->ops), ERR_OK);
    assert_int_equal(engine_prepare(hub->engine), ERR_OK);
    assert_int_equal(ops_start(hub->ops), ERR_OK);
}

static int remove_one(const char *path, const struct stat *status, int kind,
                      struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static void hub_finish(struct hub *hub)
{
    ops_stop(hub->ops);
    ops_destroy(hub->ops);
    engine_destroy(hub->engine);
    store_close(hub->store);
    (void)nftw(hub->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Asks for a job that changes nothing: what a compaction would save. */
static void ask(struct hub *hub)
{
    struct envelope *envelope = envelope_create((size_t)MIB);
    assert_non_null(envelope);
    envelope->origin.link = door_link_first(hub->door);
    envelope->origin.request = 1;
    envelope->role = ROLE_ADMIN;
    envelope->message.type = MESSAGE_POST_ADMIN_COMPACT;
    envelope->message.as.post_admin_compact = (struct message_post_admin_compact){
        .has_wait = true,
        .has_dry_run = true,
        .dry_run = true,
    };
    assert_true(door_push(hub->door, envelope));
}

static void turn(struct hub *hub)
{
    struct release_batch *batch;
    while (engine_turn(hub->engine))
        while ((batch = door_pop(hub->door)) != NULL)
            release_batch_destroy(batch);
    (void)usleep(1000);
}

static enum job_state state_of(struct hub *hub, uint64_t number)
{
    struct effects effects;
    struct arena arena;
    struct job job = { .state = JOB_STATE_END };
    struct command look = { .role = ROLE_HUB };
    struct step step = { .settings = &SETTINGS, .command = &look, .effects = &effects };
    arena_init(&arena, (size_t)MIB);
    effects_init(&effects, &arena);
    struct store_reader *reader = store_reader_create(hub->store);
    assert_non_null(reader);
    step.transaction = store_reader_begin(reader);
    (void)job_load(&step, number, &job);
    store_reader_end(reader);
    store_reader_destroy(reader);
    enum job_state state = job.state;
    arena_finish(&arena);
    return state;
}

static bool ends(struct hub *hub, uint64_t number)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (clock_monotonic_ms() < until_ms) {
        turn(hub);
        if (state_of(hub, number) == JOB_COMPLETE)
            return true;
    }
    return false;
}

static void a_job_ends_that_is_told_of_once(void **state)
{
    (void)state;
    struct hub hub;
    hub_start(&hub);
    ask(&hub);
    assert_true(ends(&hub, 1));
    hub_finish(&hub);
}

static void a_job_whose_end_finds_no_room_is_told_of_again_until_it_fits(void **state)
{
    (void)state;
    struct hub hub;
    hub_start(&hub);
    ask(&hub);
    /* The ops thread gets the job with the first commit; its words wait for a turn. */
    assert_true(engine_turn(hub.engine));
    assert_int_equal(state_of(&hub, 1), JOB_QUEUED);
    atomic_store(&hub.full, true);
    int64_t until_ms = clock_monotonic_ms() + FULL_FOR_MS;
    while (clock_monotonic_ms() < until_ms)
        turn(&hub);
    assert_true(atomic_load(&hub.refused) > 0);
    assert_int_not_equal(state_of(&hub, 1), JOB_COMPLETE);
    atomic_store(&hub.full, false);
    assert_true(ends(&hub, 1));
    hub_finish(&hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_ends_that_is_told_of_once),
        cmocka_unit_test(a_job_whose_end_finds_no_room_is_told_of_again_until_it_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
