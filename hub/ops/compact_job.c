#include "json/writer.h"
#include "ops/inside.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/compact.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    TRIES_MAX = 5,
    FEW_ROWS = 2000, /* so little is left that the fleet hardly notices the wait for it */
    ROUNDS_MAX = 100, /* past it changes come faster than they are brought */
    PERCENT = 100,
};

/* A call on the engine thread: what it is to do, and what came of it. */
struct errand {
    struct store *store;
    struct store_compaction *compaction;
    int fd;
    enum err err;
    int64_t held_us;
};

static void begin(void *context)
{
    struct errand *errand = context;
    errand->err = store_compaction_begin(errand->store, &errand->compaction, &errand->fd);
}

static void swap(void *context)
{
    struct errand *errand = context;
    int64_t start_us = clock_monotonic_us();
    errand->err = store_compaction_swap(errand->compaction);
    errand->held_us = clock_monotonic_us() - start_us;
}

static void end(void *context)
{
    struct errand *errand = context;
    store_compaction_end(errand->compaction);
}

static bool fail_with(struct ops_outcome *outcome, enum err err, const char *doing)
{
    if (err == ERR_NO_SPACE)
        ops_fail(outcome, "storage_full", "there is no room for a second file");
    else if (err == ERR_CLOSED)
        ops_fail(outcome, "unavailable", "the hub ends");
    else if (err == ERR_LIMIT || err == ERR_MAP_FULL)
        ops_fail(outcome, "compaction_failed",
                 "too much changed meanwhile: try in a quieter hour");
    else
        ops_fail(outcome, "compaction_failed", "%s: %s", doing, err_name(err));
    return false;
}

/* Tried again when the store had to grow beneath it: what changed is noted all the same. */
static enum err copy_try(struct ops *ops, const struct ops_job *job, int fd)
{
    struct copy_result copied;
    enum err err = ERR_MAP_FULL;
    for (int i = 0; i < TRIES_MAX && err == ERR_MAP_FULL; i++) {
        if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0)
            return ERR_IO;
        err = copy_store(ops, job, fd, false, &copied);
    }
    return err;
}

static bool copy_make(struct ops *ops, const struct ops_job *job, struct errand *errand,
                      struct ops_outcome *outcome)
{
    enum err err = copy_try(ops, job, errand->fd);
    if (close(errand->fd) != 0 && err == ERR_OK)
        err = ERR_IO;
    if (err != ERR_OK)
        return fail_with(outcome, err, "the store cannot be copied");
    /* Before anything is built on it. */
    return ops_walk(ops, store_compaction_directory(errand->compaction),
                    "compaction_failed", "the new file was read back and is not good",
                    NULL, outcome) == 0;
}

/* Until so little is left that it can be brought while the fleet waits. */
static bool changes_bring(struct ops *ops, struct errand *errand,
                          struct ops_outcome *outcome)
{
    uint64_t rows = UINT64_MAX;
    enum err err = store_compaction_open(errand->compaction);
    for (int i = 0; i < ROUNDS_MAX && rows > FEW_ROWS && err == ERR_OK; i++) {
        err = store_compaction_follow(errand->compaction, &rows);
        if (err == ERR_OK && !ops_attend(ops, -1, 0))
            err = ERR_CLOSED;
    }
    if (err == ERR_OK && rows > FEW_ROWS)
        err = ERR_LIMIT;
    return err == ERR_OK || fail_with(outcome, err, "changes cannot be brought after it");
}

static bool file_change(struct ops *ops, struct errand *errand,
                        struct ops_outcome *outcome)
{
    engine_between(ops->options.engine, swap, errand);
    if (errand->err != ERR_OK)
        return fail_with(outcome, errand->err, "the files cannot be changed");
    LOG_NOTICE("store_compacted", LOG_NUMBER("held_us", errand->held_us));
    return true;
}

static bool compact(struct ops *ops, const struct ops_job *job,
                    struct ops_outcome *outcome)
{
    struct errand errand = { .store = ops->options.store, .fd = -1 };
    engine_between(ops->options.engine, begin, &errand);
    if (errand.err != ERR_OK)
        return fail_with(outcome, errand.err, "a second file cannot be made");
    bool done = copy_make(ops, job, &errand, outcome) &&
                changes_bring(ops, &errand, outcome) &&
                file_change(ops, &errand, outcome);
    engine_between(ops->options.engine, end, &errand);
    return done;
}

/* Why nothing is to be done; NULL: something is. */
static const char *reason_to_skip(const struct ops *ops, const struct ops_job *job,
                                  const struct store_usage *usage)
{
    uint64_t free_bytes = usage->file_bytes - usage->used_bytes;
    if ((job->flags & JOB_FORCED) == 0) {
        if (free_bytes < ops->options.compaction_bytes_min)
            return "below_threshold";
        if (free_bytes / PERCENT * PERCENT <
            usage->file_bytes / PERCENT * ops->options.compaction_percent)
            return "below_threshold";
    }
    return (job->flags & JOB_DRY_RUN) != 0 ? "dry_run" : NULL;
}

static void results_write(const struct ops *ops, const char *skipped, int64_t took_ms,
                          struct ops_outcome *outcome)
{
    struct json_writer writer;
    json_writer_init(&writer, &outcome->results);
    json_array_begin(&writer);
    for (unsigned i = 0; i < ops->options.table_count; i++) {
        json_object_begin(&writer);
        json_key_text(&writer, "table");
        json_string_text(&writer, ops->options.tables[i]);
        json_key_text(&writer, "status");
        json_string_text(&writer, skipped != NULL ? "skipped" : "compacted");
        if (skipped != NULL) {
            json_key_text(&writer, "reason");
            json_string_text(&writer, skipped);
        } else {
            json_key_text(&writer, "duration_ms");
            json_i64(&writer, took_ms);
        }
        json_object_end(&writer);
    }
    json_array_end(&writer);
}

void compact_run(struct ops *ops, const struct ops_job *job, struct ops_outcome *outcome)
{
    struct store_usage before;
    struct store_usage after;
    int64_t start_ms = clock_monotonic_ms();
    enum err err = store_measure(ops->options.store, &before);
    if (err != ERR_OK) {
        fail_with(outcome, err, "the store cannot be measured");
        return;
    }
    after = before;
    const char *skipped = reason_to_skip(ops, job, &before);
    if (skipped == NULL) {
        if (!compact(ops, job, outcome))
            return;
        (void)store_measure(ops->options.store, &after);
    } else {
        after.file_bytes = before.used_bytes;
    }
    outcome->complete = true;
    outcome->bytes = after.file_bytes;
    outcome->bytes_before = before.file_bytes;
    outcome->tables_total = ops->options.table_count;
    outcome->tables_success = skipped == NULL ? outcome->tables_total : 0;
    results_write(ops, skipped, clock_monotonic_ms() - start_ms, outcome);
}
