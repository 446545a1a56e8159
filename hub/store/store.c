#include "store/store.h"

#include "base/ensure.h"
#include "os/clock.h"
#include "os/counter.h"
#include "store/inside.h"
#include "store/migrate.h"
#include "store/place.h"
#include "store/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    READERS_MAX = 256,
    MAP_UNIT_BYTES = 64 * 1024, /* a multiple of every page size */
    MAP_BYTES_MIN = 2 * MAP_UNIT_BYTES,
    FILE_TIMES = 4, /* the map at start is so many times the file */
};

enum err store_judge(struct store *store, int code)
{
    enum err err = code_to_err(code);

    /* A write that is cut off half-way by a full disk looks like a broken one. The root
     * was not written, so what it did leave behind is free space. */
    if (code == EIO && place_is_full(store->directory))
        err = ERR_NO_SPACE;
    if (err == ERR_NO_SPACE)
        counter_add(COUNTER_STORE_FULL, 1);
    if (err == ERR_IO || err == ERR_CORRUPT) {
        counter_add(COUNTER_STORE_ERRORS, 1);
        int none = ERR_OK;
        (void)atomic_compare_exchange_strong(&store->broken, &none, (int)err);
    }
    return err;
}

static uint64_t map_bytes_at_start(const struct store_options *options, uint64_t file)
{
    uint64_t bytes = file * FILE_TIMES;
    if (bytes < options->bytes_first)
        bytes = options->bytes_first;
    if (bytes > options->bytes_max)
        bytes = options->bytes_max;
    if (bytes < file)
        bytes = file;
    if (bytes < MAP_BYTES_MIN)
        bytes = MAP_BYTES_MIN;
    return (bytes + MAP_UNIT_BYTES - 1) / MAP_UNIT_BYTES * MAP_UNIT_BYTES;
}

static enum err env_open(struct store *store, const struct store_options *options,
                         struct store_problem *ret_problem)
{
    uint64_t file = 0;
    enum err err = place_data_bytes(options->directory, &file);
    if (err != ERR_OK) {
        problem_set(ret_problem, "cannot look at the store's file");
        return err;
    }
    uint64_t map = map_bytes_at_start(options, file);
    int code = mdb_env_create(&store->env);
    if (code == 0)
        code = mdb_env_set_maxreaders(store->env, READERS_MAX);
    if (code == 0)
        code = mdb_env_set_maxdbs(store->env, options->table_count + 1);
    if (code == 0)
        code = mdb_env_set_mapsize(store->env, (size_t)map);
    if (code == 0)
        code = call_open(store, options->read_only ? MDB_NOTLS | MDB_RDONLY | MDB_NOLOCK
                                                   : MDB_NOTLS);
    if (code != 0) {
        problem_set(ret_problem, "the store cannot be opened: %s", mdb_strerror(code));
        return store_judge(store, code);
    }
    /* The one descriptor that LMDB itself would pass on to a child. */
    int fd = -1;
    if (mdb_env_get_fd(store->env, &fd) == 0)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    atomic_store(&store->map_bytes, map);
    return ERR_OK;
}

static enum err lock_take(struct store *store, const struct store_options *options,
                          struct store_problem *ret_problem)
{
    char path[PLACE_PATH_BYTES];
    enum err err = ERR_IO;
    if (path_join(path, sizeof path, options->directory, PLACE_HUB_LOCK))
        err = file_lock_take(path, &store->lock);
    if (err == ERR_EXISTS)
        problem_set(ret_problem, "another hub is using the data directory");
    else if (err != ERR_OK)
        problem_set(ret_problem, "the data directory cannot be locked");
    return err;
}

static bool map_lock_init(pthread_rwlock_t *lock)
{
    /* Growing waits for a reader, but not for ever for one after another. */
    pthread_rwlockattr_t attributes;
    if (pthread_rwlockattr_init(&attributes) != 0)
        return false;
    bool done = pthread_rwlockattr_setkind_np(
                    &attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0 &&
                pthread_rwlock_init(lock, &attributes) == 0;
    (void)pthread_rwlockattr_destroy(&attributes);
    return done;
}

static struct store *store_create(const struct store_options *options)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return NULL;
    store->fault = options->fault;
    store->bytes_max = options->bytes_max;
    store->table_count = options->table_count;
    store->read_only = options->read_only;
    store->table_names = options->tables;
    store->lock.fd = -1;
    store->directory = strdup(options->directory);
    store->tables = calloc(options->table_count, sizeof *store->tables);
    store->options = *options;
    store->options.directory = store->directory;
    bool locked = map_lock_init(&store->map_lock) &&
                  pthread_mutex_init(&store->readers_lock, NULL) == 0;
    if (store->directory != NULL && store->tables != NULL && locked &&
        view_init(&store->batch, store, true) == ERR_OK)
        return store;

    if (locked)
        (void)pthread_rwlock_destroy(&store->map_lock);
    free(store->tables);
    free(store->directory);
    free(store);
    return NULL;
}

static enum err open_to_read(struct store *store, const struct store_options *options,
                             struct store_problem *ret_problem)
{
    enum err err = env_open(store, options, ret_problem);
    return err == ERR_OK ? format_open(store, options, ret_problem) : err;
}

static enum err migrate_when_older(struct store *store, bool *ret_migrated,
                                   struct store_problem *ret_problem)
{
    uint32_t version;
    enum err err = format_version(store, &version, ret_problem);
    if (err != ERR_OK || version == 0 || version > store->options.migration_count)
        return err;
    err = migrate_run(store, version, ret_problem);
    *ret_migrated = err == ERR_OK;
    return err == ERR_OK ? env_open(store, &store->options, ret_problem) : err;
}

static enum err open_to_write(struct store *store, const struct store_options *options,
                              struct store_problem *ret_problem)
{
    bool migrated = false;
    enum err err = lock_take(store, options, ret_problem);
    if (err == ERR_OK)
        err = env_open(store, options, ret_problem);
    if (err == ERR_OK)
        err = migrate_when_older(store, &migrated, ret_problem);
    if (err == ERR_OK) {
        (void)store_check_readers(store);
        err = format_open(store, options, ret_problem);
    }
    if (err == ERR_OK)
        replace_forget(options->directory, REPLACE_COMPACTING);
    /* Any other change of files that was under way is settled by who walks the store. */
    if (err == ERR_OK && migrated)
        err = replace_settle(options->directory, true);
    if (err == ERR_OK && directory_sync(options->directory) != ERR_OK) {
        problem_set(ret_problem, "the data directory cannot be synced");
        err = ERR_IO;
    }
    return err;
}

enum err store_open_copy(const struct store_options *options, struct store **ret_store,
                         struct store_problem *ret_problem)
{
    struct store *store = store_create(options);
    if (store == NULL)
        return ERR_MEMORY;
    enum err err = store_env_open(store, ret_problem);
    if (err != ERR_OK) {
        store_close(store);
        return err;
    }
    *ret_store = store;
    return ERR_OK;
}

enum err store_open(const struct store_options *options, struct store **ret_store,
                    struct store_problem *ret_problem)
{
    ENSURE(options->table_count > 0);
    ret_problem->text[0] = '\0';

    /* A file that may not grow any further is an error to be told of, not to die of. */
    (void)signal(SIGXFSZ, SIG_IGN);

    enum err err = ERR_OK;
    if (!options->read_only)
        err = place_prepare(options, ret_problem);
    if (err != ERR_OK)
        return err;
    struct store *store = store_create(options);
    if (store == NULL) {
        problem_set(ret_problem, "out of memory");
        return ERR_MEMORY;
    }
    err = options->read_only ? open_to_read(store, options, ret_problem)
                             : open_to_write(store, options, ret_problem);
    if (err != ERR_OK) {
        store_close(store);
        return err;
    }
    *ret_store = store;
    return ERR_OK;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    ENSURE(atomic_load(&store->readers) == 0);
    view_finish(&store->batch);
    if (store->env != NULL)
        mdb_env_close(store->env);
    file_lock_release(&store->lock);
    (void)pthread_rwlock_destroy(&store->map_lock);
    (void)pthread_mutex_destroy(&store->readers_lock);
    free(store->tables);
    free(store->directory);
    free(store);
}

uint32_t store_version_of(const struct store_options *options)
{
    struct store_options reading = *options;
    struct store_problem unused;
    uint32_t version = 0;
    reading.read_only = true;
    struct store *store = store_create(&reading);
    if (store != NULL && env_open(store, &reading, &unused) == ERR_OK)
        (void)format_version(store, &version, &unused);
    store_close(store);
    return version;
}

static void snapshot_give_up(struct view *view)
{
    if (view->snapshot != NULL)
        mdb_txn_abort(view->snapshot);
    view->snapshot = NULL;
}

void store_env_close(struct store *store)
{
    ENSURE(pthread_mutex_lock(&store->readers_lock) == 0);
    for (struct store_reader *reader = store->reader_first; reader != NULL;
         reader = reader->next)
        snapshot_give_up(&reader->view);
    ENSURE(pthread_mutex_unlock(&store->readers_lock) == 0);
    snapshot_give_up(&store->batch);
    if (store->env != NULL)
        mdb_env_close(store->env);
    store->env = NULL;
}

enum err store_env_open(struct store *store, struct store_problem *ret_problem)
{
    enum err err = env_open(store, &store->options, ret_problem);
    return err == ERR_OK ? format_open(store, &store->options, ret_problem) : err;
}

struct transaction *store_batch(struct store *store)
{
    view_begin(&store->batch);
    return &store->batch.transaction;
}

bool store_batch_changed(const struct store *store)
{
    return store->batch.changed;
}

enum err store_commit(struct store *store)
{
    if (!store->batch.changed)
        return view_commit(&store->batch);

    int64_t start_us = clock_monotonic_us();
    enum err err = view_commit(&store->batch);
    if (err == ERR_OK) {
        atomic_fetch_add(&store->commits, 1);
        counter_add(COUNTER_STORE_COMMITS, 1);
        counter_add(COUNTER_STORE_COMMIT_US, (uint64_t)(clock_monotonic_us() - start_us));
    }
    return err;
}

void store_abort(struct store *store)
{
    view_end(&store->batch);
}

/* How far the map may go now: no further than its bound, and than the disk. */
static enum err map_bytes_next(struct store *store, uint64_t bytes_max,
                               uint64_t *ret_bytes)
{
    uint64_t map = atomic_load(&store->map_bytes);
    uint64_t file = 0;
    uint64_t room = 0;
    enum err err = place_data_bytes(store->directory, &file);
    if (err == ERR_OK)
        err = place_room_bytes(store->directory, &room);
    if (err != ERR_OK)
        return err;

    uint64_t bytes = map * 2;
    if (bytes > bytes_max)
        bytes = bytes_max;
    if (bytes > file + room)
        bytes = file + room;
    bytes = bytes / MAP_UNIT_BYTES * MAP_UNIT_BYTES;
    if (bytes <= map)
        return ERR_NO_SPACE;
    *ret_bytes = bytes;
    return ERR_OK;
}

/* LMDB gives up the old map before it asks for the new one: ask first. */
static bool address_space_has(uint64_t bytes)
{
    void *trial = mmap(NULL, (size_t)bytes, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (trial == MAP_FAILED)
        return false;
    (void)munmap(trial, (size_t)bytes);
    return true;
}

static enum err grow_within(struct store *store, uint64_t bytes_max)
{
    ENSURE(!store->batch.open);
    (void)store_check_readers(store);

    uint64_t bytes = 0;
    enum err err = map_bytes_next(store, bytes_max, &bytes);
    if (err == ERR_NO_SPACE)
        counter_add(COUNTER_STORE_FULL, 1);
    if (err != ERR_OK)
        return err;
    atomic_store(&store->grow_waits, true);
    ENSURE(pthread_rwlock_wrlock(&store->map_lock) == 0);
    atomic_store(&store->grow_waits, false);
    err = ERR_MEMORY;
    if (address_space_has(bytes))
        err = code_to_err(call_grow(store, bytes));
    if (err == ERR_OK) {
        atomic_store(&store->map_bytes, bytes);
        counter_add(COUNTER_STORE_GROWN, 1);
    }
    ENSURE(pthread_rwlock_unlock(&store->map_lock) == 0);
    return err;
}

enum err store_grow(struct store *store)
{
    return grow_within(store, store->bytes_max);
}

enum err store_grow_to_start(struct store *store)
{
    return grow_within(store, store->bytes_max + STORE_START_BYTES);
}

struct store_reader *store_reader_create(struct store *store)
{
    struct store_reader *reader = malloc(sizeof *reader);
    if (reader == NULL)
        return NULL;
    if (view_init(&reader->view, store, false) != ERR_OK) {
        free(reader);
        return NULL;
    }
    atomic_fetch_add(&store->readers, 1);
    reader->previous = NULL;
    ENSURE(pthread_mutex_lock(&store->readers_lock) == 0);
    reader->next = store->reader_first;
    if (reader->next != NULL)
        reader->next->previous = reader;
    store->reader_first = reader;
    ENSURE(pthread_mutex_unlock(&store->readers_lock) == 0);
    return reader;
}

void store_reader_destroy(struct store_reader *reader)
{
    if (reader == NULL)
        return;
    struct store *store = reader->view.store;
    ENSURE(pthread_rwlock_rdlock(&store->map_lock) == 0);
    ENSURE(pthread_mutex_lock(&store->readers_lock) == 0);
    *(reader->previous != NULL ? &reader->previous->next : &store->reader_first) =
        reader->next;
    if (reader->next != NULL)
        reader->next->previous = reader->previous;
    ENSURE(pthread_mutex_unlock(&store->readers_lock) == 0);
    view_finish(&reader->view);
    ENSURE(pthread_rwlock_unlock(&store->map_lock) == 0);
    free(reader);
    atomic_fetch_sub(&store->readers, 1);
}

struct transaction *store_reader_begin(struct store_reader *reader)
{
    ENSURE(pthread_rwlock_rdlock(&reader->view.store->map_lock) == 0);
    view_begin(&reader->view);
    return &reader->view.transaction;
}

void store_reader_end(struct store_reader *reader)
{
    view_end(&reader->view);
    ENSURE(pthread_rwlock_unlock(&reader->view.store->map_lock) == 0);
}

unsigned store_check_readers(struct store *store)
{
    int dead = 0;
    ENSURE(pthread_rwlock_rdlock(&store->map_lock) == 0);
    int code = store->env == NULL ? EIO : mdb_reader_check(store->env, &dead);
    ENSURE(pthread_rwlock_unlock(&store->map_lock) == 0);
    if (code != 0 || dead <= 0)
        return 0;
    counter_add(COUNTER_STORE_READERS_STALE, (uint64_t)dead);
    return (unsigned)dead;
}

/* Each record of LMDB's table of free pages starts with how many it lists. */
static int free_pages_count(MDB_txn *txn, uint64_t *ret_pages)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    uint64_t pages = 0;
    int code = mdb_cursor_open(txn, 0, &cursor);
    if (code != 0)
        return code;

    while ((code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        size_t count = 0;
        if (value.mv_size >= sizeof count)
            memcpy(&count, value.mv_data, sizeof count);
        pages += count;
    }
    mdb_cursor_close(cursor);
    *ret_pages = pages;
    return code == MDB_NOTFOUND ? 0 : code;
}

static int pages_measure(struct store *store, struct store_usage *usage)
{
    MDB_txn *txn;
    MDB_stat status;
    MDB_envinfo info;
    uint64_t free_pages = 0;
    int code = call_begin(store, MDB_RDONLY, &txn);
    if (code != 0)
        return code;

    code = free_pages_count(txn, &free_pages);
    if (code == 0)
        code = mdb_env_stat(store->env, &status);
    if (code == 0)
        code = mdb_env_info(store->env, &info);
    mdb_txn_abort(txn);
    if (code != 0)
        return code;
    uint64_t pages = (uint64_t)info.me_last_pgno + 1;
    usage->used_bytes = (pages - free_pages) * status.ms_psize;
    usage->readers = info.me_numreaders;
    return 0;
}

enum err store_measure(struct store *store, struct store_usage *ret_usage)
{
    struct store_usage usage = { .bytes_max = store->bytes_max };

    ENSURE(pthread_rwlock_rdlock(&store->map_lock) == 0);
    int code = pages_measure(store, &usage);
    ENSURE(pthread_rwlock_unlock(&store->map_lock) == 0);
    if (code != 0)
        return code_to_err(code);
    enum err err = place_data_bytes(store->directory, &usage.file_bytes);
    if (err != ERR_OK)
        return err;
    usage.map_bytes = atomic_load(&store->map_bytes);
    usage.commits = atomic_load(&store->commits);
    counter_set(COUNTER_STORE_USED_BYTES, usage.used_bytes);
    counter_set(COUNTER_STORE_MAP_BYTES, usage.map_bytes);
    *ret_usage = usage;
    return ERR_OK;
}
