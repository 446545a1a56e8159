#include "support/engine/bench_engine.h"

#include "base/ensure.h"
#include "os/secret.h"
#include "store/journal.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct core_settings SETTINGS = {
    .acceptance_ms = 60000,
    .lease_ms = 300000,
    .reconnect_grace_ms = 30000,
    .idempotency_ms = 86400000,
    .attempts_default = 3,
    .attempts_max = 100,
    .history_max = 50,
    .presence_events_agents_max = 256,
    .tasks_open_max = 1000000,
    .capability_sets_max = 64,
    .messages_max = 1000,
    .mailbox_max = 100,
    .mailboxes_max = 1000,
    .channel_messages_max = 200,
    .channels_max = 100,
    .fanout_max = 128,
    .mailbox_ttl_ms = 604800000,
    .event_classes = UINT32_MAX,
    .digest = digest_sha256,
};

static void wake(void *context)
{
    struct bench_engine *bench = context;
    bench->wakes++;
}

static void broken(void *context, enum err err)
{
    struct bench_engine *bench = context;
    bench->breaks++;
    bench->broken = err;
}

static void open_all(struct bench_engine *bench,
                     const struct bench_engine_options *options)
{
    struct store_problem problem;
    struct store_options store = {
        .directory = bench->directory,
        .tables = CORE_TABLES,
        .table_count = CORE_TABLE_COUNT,
        .bytes_first = options->bytes_first,
        .bytes_max = options->bytes_max,
        .forced_file_system = true,
        .fault = options->fault,
    };
    ENSURE(store_open(&store, &bench->store, &problem) == ERR_OK);

    (void)snprintf(bench->journal_directory, sizeof bench->journal_directory,
                   "%s/journal", bench->directory);
    struct journal_options journal = {
        .directory = bench->journal_directory,
        .segment_bytes = (uint64_t)64 * 1024,
        .segment_ms = INT64_MAX,
        .bytes_max = UINT64_MAX,
    };
    bench->journal = NULL;
    if (options->journal)
        ENSURE(journal_create(&journal, &bench->journal, &problem) == ERR_OK);

    struct engine_options engine = {
        .settings = SETTINGS,
        .store = bench->store,
        .journal = bench->journal,
        .ring_slots = options->ring_slots,
        .batch_max = 64,
        .broken = broken,
        .context = bench,
    };
    ENSURE(engine_create(&engine, &bench->engine) == ERR_OK);
    bench->door = engine_door_add(bench->engine, wake, bench);
    ENSURE(bench->door != NULL);
    ENSURE(engine_prepare(bench->engine) == ERR_OK);
}

static void close_all(struct bench_engine *bench)
{
    engine_destroy(bench->engine);
    journal_destroy(bench->journal);
    store_close(bench->store);
}

void bench_engine_start(struct bench_engine *bench,
                        const struct bench_engine_options *options)
{
    *bench = (struct bench_engine){ .directory = "/tmp/test_engine_XXXXXX" };
    ENSURE(mkdtemp(bench->directory) != NULL);
    open_all(bench, options);
}

void bench_engine_restart(struct bench_engine *bench,
                          const struct bench_engine_options *options)
{
    close_all(bench);
    open_all(bench, options);
}

static int remove_one(const char *path, const struct stat *status, int kind,
                      struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void bench_engine_finish(struct bench_engine *bench)
{
    close_all(bench);
    nftw(bench->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

uint64_t bench_engine_link(const struct bench_engine *bench, uint32_t n)
{
    return door_link_first(bench->door) + n;
}

struct envelope *bench_engine_envelope(const struct bench_engine *bench,
                                       const char *actor, uint32_t n,
                                       enum message_type type)
{
    struct envelope *envelope = envelope_create((size_t)1024 * 1024);
    ENSURE(envelope != NULL);
    envelope->origin.link = bench_engine_link(bench, n);
    envelope->actor = arena_copy(&envelope->arena, slice_from_text(actor));
    envelope->role = ROLE_AGENT;
    envelope->message.type = type;
    return envelope;
}

void bench_engine_identify(struct bench_engine *bench, const char *actor, uint32_t n)
{
    struct envelope *envelope = bench_engine_envelope(bench, actor, n, MESSAGE_IDENTIFY);
    envelope->message.as.identify.agent_id = envelope->actor;
    ENSURE(door_push(bench->door, envelope));
}

void bench_engine_submit(struct bench_engine *bench, const char *actor, uint32_t n,
                         const char *description)
{
    struct envelope *envelope =
        bench_engine_envelope(bench, actor, n, MESSAGE_TASK_SUBMIT);
    envelope->message.as.task_submit.description =
        arena_copy(&envelope->arena, slice_from_text(description));
    ENSURE(door_push(bench->door, envelope));
}

uint32_t bench_engine_count(struct bench_engine *bench, const char *text)
{
    struct release_batch *batch;
    uint32_t count = 0;
    while ((batch = door_pop(bench->door)) != NULL) {
        for (struct release *release = release_first(batch); release != NULL;
             release = release->next)
            if (release->frame != NULL &&
                memmem(frame_text(release->frame), release->frame->size, text,
                       strlen(text)) != NULL)
                count++;
        release_batch_destroy(batch);
    }
    return count;
}

uint64_t bench_engine_commits(const struct bench_engine *bench)
{
    struct store_usage usage;
    ENSURE(store_measure(bench->store, &usage) == ERR_OK);
    return usage.commits;
}
