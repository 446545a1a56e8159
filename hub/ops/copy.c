#include "base/hash.h"
#include "ops/inside.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/secret.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    CHUNK_BYTES = 64 * 1024,
    PIPE_BYTES = 256 * 1024,
    SYNC_BYTES = 2 * 1024 * 1024, /* so that the disk never has much to catch up with */
    ATTEND_MS = 10,               /* how long the store may wait to grow */
    WATCH_MS = 500,
    GROWTH_PERCENT_MAX = 25,
    HURRY_PART = 4, /* of the growth allowed: past it the pace is let go */
};

#define GROWTH_BYTES_FREE ((uint64_t)256 * 1024 * 1024)

/*
 * LMDB writes its copy as fast as it is read, so it writes into a pipe: what comes out is
 * counted, digested and written at our own pace, and the copy ends when we close the pipe.
 */
struct source {
    struct store *store;
    struct thread thread;
    bool whole;
    int in;
    int out;
    enum err err;
};

struct pump {
    struct ops *ops;
    const struct ops_job *job;
    struct source source;
    struct digest *digest;
    int data;
    uint64_t bytes;
    uint64_t synced;
    uint64_t expected;
    uint64_t file_first; /* the store's file, when the copy began */
    int64_t start_us;
    int64_t watched_ms;
    bool hurry; /* writers grow the file: the sooner this is over the better */
    char chunk[CHUNK_BYTES];
};

static void source_run(void *argument)
{
    struct source *source = argument;
    source->err = store_copy(source->store, source->out, source->whole);
    (void)close(source->out);
}

static enum err source_begin(struct source *source)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ERR_LIMIT;
    (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
    source->in = ends[0];
    source->out = ends[1];
    enum err err = thread_start(&source->thread, "copy", source_run, source);
    if (err != ERR_OK) {
        (void)close(ends[0]);
        (void)close(ends[1]);
    }
    return err;
}

static enum err data_sync(struct pump *pump)
{
    if (fdatasync(pump->data) != 0)
        return file_err(errno);
    /* The hub's own pages are worth more than those of a copy. */
    (void)posix_fadvise(pump->data, 0, 0, POSIX_FADV_DONTNEED);
    pump->synced = pump->bytes;
    return ERR_OK;
}

static enum err data_write(struct pump *pump, struct slice bytes)
{
    digest_add(pump->digest, bytes);
    pump->bytes += bytes.size;
    enum err err = file_put(pump->data, bytes);
    if (err != ERR_OK)
        return err;
    return pump->bytes - pump->synced >= SYNC_BYTES ? data_sync(pump) : ERR_OK;
}

/* While the copy's snapshot stands no page is used again, so writers grow the file. */
static enum err growth_watch(struct pump *pump)
{
    struct store_usage usage;
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - pump->watched_ms < WATCH_MS)
        return ERR_OK;
    pump->watched_ms = now_ms;
    ops_tell_progress(pump->ops, pump->job, pump->bytes, pump->expected);
    if (store_measure(pump->source.store, &usage) != ERR_OK)
        return ERR_OK;
    uint64_t bound = pump->file_first / 100 * (100 + GROWTH_PERCENT_MAX);
    if (bound < pump->file_first + GROWTH_BYTES_FREE)
        bound = pump->file_first + GROWTH_BYTES_FREE;
    pump->hurry =
        usage.file_bytes > pump->file_first + (bound - pump->file_first) / HURRY_PART;
    return usage.file_bytes > bound ? ERR_LIMIT : ERR_OK;
}

static enum err pump_attend(struct pump *pump, int fd, int timeout_ms)
{
    if (!ops_attend(pump->ops, fd, timeout_ms))
        return ERR_CLOSED;
    if (store_copy_must_end(pump->source.store))
        return ERR_MAP_FULL;
    return growth_watch(pump);
}

/* Waits until the bytes so far are no more than the time so far allows. */
static enum err pace(struct pump *pump)
{
    uint64_t rate = pump->ops->options.backup_bytes_per_second;
    int64_t due_us =
        pump->start_us + (int64_t)((double)pump->bytes * 1000000.0 / (double)rate);
    enum err err = ERR_OK;
    int64_t early_us;
    while (err == ERR_OK && !pump->hurry &&
           (early_us = due_us - clock_monotonic_us()) > 0) {
        int64_t wait_ms = early_us / 1000 + 1;
        err = pump_attend(pump, -1, wait_ms > ATTEND_MS ? ATTEND_MS : (int)wait_ms);
    }
    return err;
}

static enum err pump_run(struct pump *pump)
{
    for (;;) {
        enum err err = pump_attend(pump, pump->source.in, ATTEND_MS);
        if (err != ERR_OK)
            return err;
        ssize_t taken = read(pump->source.in, pump->chunk, sizeof pump->chunk);
        if (taken < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (taken <= 0)
            return taken == 0 ? ERR_OK : ERR_IO;
        err = data_write(pump, slice_make(pump->chunk, (size_t)taken));
        if (err == ERR_OK)
            err = pace(pump);
        if (err != ERR_OK)
            return err;
    }
}

static enum err pump_start(struct pump *pump)
{
    struct store_usage usage;
    enum err err = store_measure(pump->source.store, &usage);
    if (err != ERR_OK)
        return err;
    pump->expected = usage.used_bytes;
    pump->file_first = usage.file_bytes;
    pump->start_us = clock_monotonic_us();
    pump->watched_ms = clock_monotonic_ms();
    err = source_begin(&pump->source);
    if (err != ERR_OK)
        return err;
    (void)fcntl(pump->source.in, F_SETFL, O_NONBLOCK);
    err = pump_run(pump);
    (void)close(pump->source.in);
    thread_join(&pump->source.thread);
    /* Without a fault of our own, what the source says counts. */
    return err == ERR_OK ? pump->source.err : err;
}

enum err copy_store(struct ops *ops, const struct ops_job *job, int data, bool whole,
                    struct copy_result *ret_result)
{
    struct pump *pump = calloc(1, sizeof *pump);
    uint8_t digest[SECRET_DIGEST_BYTES];
    if (pump == NULL)
        return ERR_MEMORY;
    pump->ops = ops;
    pump->job = job;
    pump->data = data;
    pump->source.store = ops->options.store;
    pump->source.whole = whole;
    pump->digest = digest_create();
    enum err err = pump_start(pump);
    if (err == ERR_OK)
        err = file_sync(data);
    digest_end(pump->digest, digest);
    ret_result->bytes = pump->bytes;
    hex_encode(ret_result->sha256, digest, sizeof digest);
    ret_result->sha256[MANIFEST_DIGEST_BYTES] = '\0';
    free(pump);
    return err;
}
