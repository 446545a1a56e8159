#include "simulation/disk.h"

#include "base/ensure.h"
#include "core/core.h"
#include "simulation/seam.h"
#include "simulation/sim.h"

#include <errno.h>
#include <ftw.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ARMED_CALLS_MAX = 48, /* a fault comes at one of so many calls, or not at all */
    SLOW_COMMIT_MS = 5000,
    CHANGES_BYTES_MAX = 64 << 20,
};

#define MAP_BYTES_FIRST ((uint64_t)256 * 1024)
#define MAP_BYTES_MAX ((uint64_t)64 * 1024 * 1024)

static struct disk *disk_of(struct transaction *proxy)
{
    return (struct disk *)proxy;
}

static bool is_model(const struct disk *disk)
{
    return disk->kind == PLAN_STORE_MODEL;
}

static void hit(struct disk *disk)
{
    disk->sim->reached[disk->armed]++;
    disk->harmed = true;
}

static void crash(struct disk *disk)
{
    hit(disk);
    disk->crashed = true;
}

static const enum point BATCH_POINTS[] = {
    POINT_STORE_CRASH_BEFORE_PUT,
    POINT_STORE_CRASH_AFTER_PUT,
    POINT_STORE_CRASH_BEFORE_COMMIT,
    POINT_STORE_CRASH_AFTER_COMMIT,
    POINT_STORE_MAP_FULL,
    POINT_STORE_NO_SPACE_PUT,
    POINT_STORE_NO_SPACE_COMMIT,
    POINT_STORE_IO_READ,
    POINT_STORE_IO_PUT,
    POINT_STORE_IO_COMMIT_LOST,
    POINT_STORE_IO_COMMIT_KEPT,
    POINT_STORE_SLOW_COMMIT,
};

/* What goes wrong in this batch, and when. */
static void arm(struct disk *disk)
{
    struct sim *sim = disk->sim;
    disk->armed = POINT_COUNT;
    disk->reads = 0;
    disk->puts = 0;
    if (sim->calm)
        return;
    size_t count = sizeof BATCH_POINTS / sizeof BATCH_POINTS[0];
    enum point point = BATCH_POINTS[dice_below(&sim->dice, (uint32_t)count)];
    /* One of them is asked for each time: as likely as if all were. */
    if (sim->plan.rate[point] > 0 &&
        dice_chance(&sim->dice, sim->plan.rate[point] * (uint32_t)count / 4)) {
        disk->armed = point;
        disk->armed_at = 1 + dice_below(&sim->dice, ARMED_CALLS_MAX);
    }
}

static void batch_begin(struct disk *disk)
{
    ENSURE(!disk->batch_open);
    disk->batch_open = true;
    disk->inner =
        is_model(disk) ? memory_transaction(disk->rows) : real_store_batch(disk->real);
    disk->changed = false;
    disk->err = disk->crashed ? ERR_IO : ERR_OK;
    arm(disk);
}

static enum err fails(struct disk *disk, enum err err, bool breaks)
{
    disk->err = err;
    if (breaks)
        disk->broken = err;
    return err;
}

static enum err model_read_fault(struct disk *disk)
{
    if (disk->err != ERR_OK)
        return disk->err;
    if (++disk->reads == disk->armed_at && disk->armed == POINT_STORE_IO_READ) {
        hit(disk);
        return fails(disk, ERR_IO, true);
    }
    return ERR_OK;
}

static enum err model_write_fault(struct disk *disk)
{
    if (disk->err != ERR_OK)
        return disk->err;
    if (disk->broken != ERR_OK)
        return fails(disk, disk->broken, false);
    if (++disk->puts != disk->armed_at)
        return ERR_OK;
    switch ((int)disk->armed) {
    case POINT_STORE_CRASH_BEFORE_PUT:
        crash(disk);
        return fails(disk, ERR_IO, false);
    case POINT_STORE_MAP_FULL:
        hit(disk);
        return fails(disk, ERR_MAP_FULL, false);
    case POINT_STORE_NO_SPACE_PUT:
        hit(disk);
        return fails(disk, ERR_NO_SPACE, false);
    case POINT_STORE_IO_PUT:
        hit(disk);
        return fails(disk, ERR_IO, true);
    default:
        return ERR_OK;
    }
}

static bool is_flipped(const struct disk *disk, unsigned table, struct slice key,
                       unsigned *ret_index)
{
    for (unsigned i = 0; i < disk->flip_count; i++) {
        const struct disk_flip *flip = &disk->flips[i];
        if (flip->table == table &&
            slice_equal(slice_make(flip->key, flip->key_size), key)) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

/* A row written anew is whole again; LMDB's bytes, when that is committed. */
static void flip_forget(struct disk *disk, unsigned table, struct slice key)
{
    unsigned index;
    if (!is_flipped(disk, table, key, &index))
        return;
    if (is_model(disk))
        disk->flips[index] = disk->flips[--disk->flip_count];
    else
        disk->flips[index].rewritten = true;
}

static void flips_settle(struct disk *disk, bool committed)
{
    for (unsigned i = disk->flip_count; i-- > 0;) {
        if (disk->flips[i].rewritten && committed)
            disk->flips[i] = disk->flips[--disk->flip_count];
        else
            disk->flips[i].rewritten = false;
    }
}

/* The checksum says so. */
static enum err flip_found(struct disk *disk)
{
    disk->sim->reached[POINT_STORE_BIT_FLIP]++;
    disk->harmed = true;
    return fails(disk, ERR_CORRUPT, true);
}

/* P18: what has changed by itself is never taken for what was written. */
static enum err row_read(struct disk *disk, unsigned table, struct slice key,
                         enum err err)
{
    unsigned index;
    if (err == ERR_CORRUPT && disk->flip_count > 0 && !is_model(disk))
        disk->sim->reached[POINT_STORE_FILE_FLIP]++;
    if (err != ERR_OK || !is_flipped(disk, table, key, &index))
        return err;
    if (is_model(disk))
        return flip_found(disk);
    if (!disk->flips[index].rewritten)
        sim_break(disk->sim, "a row with a bit that has changed was read as right", NULL);
    return err;
}

static enum err proxy_get(struct transaction *proxy, unsigned table, struct slice key,
                          struct slice *ret_value)
{
    struct disk *disk = disk_of(proxy);
    enum err err = is_model(disk) ? model_read_fault(disk) : ERR_OK;
    if (err != ERR_OK)
        return err;
    return row_read(disk, table, key,
                    transaction_get(disk->inner, table, key, ret_value));
}

static struct disk_change *change_add(struct disk *disk)
{
    if (disk->change_count == disk->change_room) {
        disk->change_room = disk->change_room == 0 ? 64 : disk->change_room * 2;
        disk->changes = realloc(disk->changes, disk->change_room * sizeof *disk->changes);
        ENSURE(disk->changes != NULL);
    }
    return &disk->changes[disk->change_count++];
}

static bool is_audited(unsigned table)
{
    return table == TABLE_TASK || table == TABLE_AGENT || table == TABLE_EVENT;
}

static void change_note(struct disk *disk, unsigned table, struct slice key,
                        struct slice after)
{
    trace_bytes(&disk->sim->trace, key);
    trace_bytes(&disk->sim->trace, after);
    if (!is_audited(table))
        return;
    struct slice before = { 0 };
    enum err err = transaction_get(disk->inner, table, key, &before);
    ENSURE(err == ERR_OK || err == ERR_NOT_FOUND || !is_model(disk));
    struct disk_change *change = change_add(disk);
    *change = (struct disk_change){ .table = table };
    change->key = arena_copy(&disk->arena, key);
    change->before = arena_copy(&disk->arena, before);
    change->after = arena_copy(&disk->arena, after);
    ENSURE(!arena_failed(&disk->arena));
}

static enum err proxy_write(struct disk *disk, unsigned table, struct slice key,
                            struct slice value)
{
    enum err err = is_model(disk) ? model_write_fault(disk) : ERR_OK;
    if (err != ERR_OK)
        return err;
    /* The value may lie in what a read handed out, which a read takes away again. */
    char copy[TRANSACTION_VALUE_BYTES_MAX];
    bool removes = !slice_is_present(value);
    if (!removes) {
        ENSURE(value.size <= sizeof copy);
        memcpy(copy, value.data, value.size);
        value.data = copy;
    }
    change_note(disk, table, key, value);
    err = removes ? transaction_remove(disk->inner, table, key)
                  : transaction_put(disk->inner, table, key, value);
    if (err != ERR_OK)
        return err;
    disk->changed = true;
    flip_forget(disk, table, key);
    if (is_model(disk) && disk->puts == disk->armed_at &&
        disk->armed == POINT_STORE_CRASH_AFTER_PUT) {
        crash(disk);
        return fails(disk, ERR_IO, false);
    }
    return ERR_OK;
}

static enum err proxy_put(struct transaction *proxy, unsigned table, struct slice key,
                          struct slice value)
{
    return proxy_write(disk_of(proxy), table, key, value);
}

static enum err proxy_remove(struct transaction *proxy, unsigned table, struct slice key)
{
    return proxy_write(disk_of(proxy), table, key, (struct slice){ 0 });
}

static enum err proxy_walk(struct disk *disk, unsigned table, struct slice key,
                           bool forward, struct slice *ret_key, struct slice *ret_value)
{
    enum err err = is_model(disk) ? model_read_fault(disk) : ERR_OK;
    if (err != ERR_OK)
        return err;
    struct transaction *inner = disk->inner;
    err = forward ? transaction_first_from(inner, table, key, ret_key, ret_value)
                  : transaction_last_before(inner, table, key, ret_key, ret_value);
    return row_read(disk, table, err == ERR_OK ? *ret_key : (struct slice){ 0 }, err);
}

static enum err proxy_first_from(struct transaction *proxy, unsigned table,
                                 struct slice key, struct slice *ret_key,
                                 struct slice *ret_value)
{
    return proxy_walk(disk_of(proxy), table, key, true, ret_key, ret_value);
}

static enum err proxy_last_before(struct transaction *proxy, unsigned table,
                                  struct slice key, struct slice *ret_key,
                                  struct slice *ret_value)
{
    return proxy_walk(disk_of(proxy), table, key, false, ret_key, ret_value);
}

static const struct transaction_methods METHODS = {
    .get = proxy_get,
    .put = proxy_put,
    .remove = proxy_remove,
    .first_from = proxy_first_from,
    .last_before = proxy_last_before,
};

struct transaction *disk_batch(struct disk *disk)
{
    batch_begin(disk);
    return &disk->proxy;
}

/* Either way nothing of the batch is open any more. */
static void batch_end(struct disk *disk)
{
    disk->batch_open = false;
    disk->changed = false;
    disk->change_count = 0;
    arena_clear(&disk->arena);
}

static enum err model_commit_fault(struct disk *disk)
{
    if (disk->err != ERR_OK)
        return disk->err;
    if (!disk->changed)
        return ERR_OK;
    if (disk->broken != ERR_OK)
        return disk->broken;
    switch ((int)disk->armed) {
    case POINT_STORE_CRASH_BEFORE_COMMIT:
        crash(disk);
        return ERR_IO;
    case POINT_STORE_NO_SPACE_COMMIT:
        hit(disk);
        return ERR_NO_SPACE;
    case POINT_STORE_IO_COMMIT_LOST:
        hit(disk);
        return fails(disk, ERR_IO, true);
    default:
        return ERR_OK;
    }
}

/* It is on disk; whether the hub lives to hear so is another matter. */
static enum err model_commit(struct disk *disk)
{
    memory_commit(disk->rows);
    audit_commit(&disk->sim->audit);
    if (!disk->changed)
        return ERR_OK;
    disk->commits++;
    if (disk->armed == POINT_STORE_CRASH_AFTER_COMMIT) {
        crash(disk);
        return ERR_IO;
    }
    if (disk->armed == POINT_STORE_IO_COMMIT_KEPT) {
        hit(disk);
        return fails(disk, ERR_IO, true);
    }
    return ERR_OK;
}

enum err disk_commit(struct disk *disk)
{
    struct sim *sim = disk->sim;
    if (disk->armed == POINT_STORE_SLOW_COMMIT && disk->changed) {
        hit(disk);
        sim->monotonic_ms += SLOW_COMMIT_MS;
    }
    if (!is_model(disk)) {
        bool changed = disk->changed;
        enum err err = real_store_commit(disk->real);
        if (err == ERR_OK)
            audit_commit(&sim->audit);
        else
            audit_abort(&sim->audit);
        disk->commits += err == ERR_OK && changed;
        flips_settle(disk, err == ERR_OK);
        batch_end(disk);
        return err;
    }
    enum err err = model_commit_fault(disk);
    if (err != ERR_OK) {
        memory_rollback(disk->rows);
        audit_abort(&sim->audit);
    } else {
        err = model_commit(disk);
    }
    batch_end(disk);
    return err;
}

void disk_abort(struct disk *disk)
{
    if (is_model(disk))
        memory_rollback(disk->rows);
    else
        real_store_abort(disk->real);
    flips_settle(disk, false);
    audit_abort(&disk->sim->audit);
    batch_end(disk);
}

enum err disk_grow(struct disk *disk)
{
    return is_model(disk) ? ERR_OK : real_store_grow(disk->real);
}

void disk_measure(struct disk *disk, struct store_usage *ret_usage)
{
    *ret_usage = (struct store_usage){
        .map_bytes = MAP_BYTES_MAX,
        .used_bytes = disk->nearly_full ? MAP_BYTES_MAX : MAP_BYTES_FIRST,
        .file_bytes = MAP_BYTES_FIRST,
        .bytes_max = MAP_BYTES_MAX,
        .commits = disk->commits,
    };
}

/* LMDB's calls fail with its own codes, below the store's own handling of them. */
static int fault_before(void *context, enum store_call call)
{
    struct disk *disk = context;
    if (disk->crashed)
        return EIO;
    if (!disk->batch_open)
        return 0;
    bool reads = call == STORE_CALL_GET || call == STORE_CALL_SEEK;
    bool writes = call == STORE_CALL_PUT || call == STORE_CALL_REMOVE;
    bool commits = call == STORE_CALL_COMMIT;
    disk->reads += reads;
    disk->puts += writes;
    bool now = (reads && disk->reads == disk->armed_at) ||
               (writes && disk->puts == disk->armed_at) || commits;
    if (!now)
        return 0;
    switch ((int)disk->armed) {
    case POINT_STORE_CRASH_BEFORE_PUT:
        return writes ? (crash(disk), EIO) : 0;
    case POINT_STORE_CRASH_BEFORE_COMMIT:
        return commits ? (crash(disk), EIO) : 0;
    case POINT_STORE_MAP_FULL:
        return writes ? (hit(disk), disk->armed = POINT_COUNT, MDB_MAP_FULL) : 0;
    case POINT_STORE_NO_SPACE_PUT:
        return writes ? (hit(disk), disk->armed = POINT_COUNT, ENOSPC) : 0;
    case POINT_STORE_NO_SPACE_COMMIT:
        return commits ? (hit(disk), disk->armed = POINT_COUNT, ENOSPC) : 0;
    case POINT_STORE_IO_READ:
        return reads ? (hit(disk), EIO) : 0;
    case POINT_STORE_IO_PUT:
        return writes ? (hit(disk), EIO) : 0;
    case POINT_STORE_IO_COMMIT_LOST:
        return commits ? (hit(disk), EIO) : 0;
    default:
        return 0;
    }
}

static void fault_after(void *context, enum store_call call, int code)
{
    struct disk *disk = context;
    bool committed = call == STORE_CALL_COMMIT && code == 0;
    if (committed && disk->armed == POINT_STORE_CRASH_AFTER_COMMIT && disk->changed)
        crash(disk);
}

void disk_init(struct disk *disk, struct sim *sim, enum plan_store kind)
{
    *disk = (struct disk){ .proxy.methods = &METHODS, .sim = sim, .kind = kind };
    arena_init(&disk->arena, CHANGES_BYTES_MAX);
    disk->armed = POINT_COUNT;
    disk->fault = (struct store_fault){ fault_before, fault_after, disk };
    if (is_model(disk)) {
        disk->rows = memory_store_create(CORE_TABLE_COUNT);
        return;
    }
    disk_directory_make(disk->directory);
}

void disk_directory_make(char directory[64])
{
    const char *shared = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    int size = snprintf(directory, 64, "%s/simulation_XXXXXX", shared);
    ENSURE(size > 0 && size < 64);
    ENSURE(mkdtemp(directory) != NULL);
}

static int remove_one(const char *path, const struct stat *status, int kind,
                      struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void disk_directory_remove(const char *directory)
{
    nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void disk_finish(struct disk *disk)
{
    disk_close(disk);
    memory_store_destroy(disk->rows);
    if (!is_model(disk))
        disk_directory_remove(disk->directory);
    arena_finish(&disk->arena);
    free(disk->changes);
}

enum err disk_store_open(const char *directory, const struct store_fault *fault,
                         struct store **ret_store)
{
    struct store_problem problem;
    struct store_options options = {
        .directory = directory,
        .tables = CORE_TABLES,
        .table_count = CORE_TABLE_COUNT,
        .bytes_first = MAP_BYTES_FIRST,
        .bytes_max = MAP_BYTES_MAX,
        .forced_file_system = true,
        .fault = fault,
    };
    return store_open(&options, ret_store, &problem);
}

enum err disk_open(struct disk *disk, struct store **ret_store)
{
    disk->crashed = false;
    disk->harmed = false;
    disk->broken = ERR_OK;
    disk->err = ERR_OK;
    if (is_model(disk)) {
        *ret_store = (struct store *)disk;
        return ERR_OK;
    }
    enum err err = disk_store_open(disk->directory, &disk->fault, &disk->real);
    *ret_store = disk->real;
    return err;
}

void disk_close(struct disk *disk)
{
    if (disk->batch_open)
        disk_abort(disk);
    disk->armed = POINT_COUNT;
    if (!is_model(disk)) {
        store_close(disk->real);
        disk->real = NULL;
    }
}
