#include "simulation/backup.h"

#include "base/ensure.h"
#include "core/restore.h"
#include "simulation/judge.h"
#include "simulation/seam.h"
#include "simulation/sim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COPY_BYTES = 65536 };

/* Rows that nobody else has open, of either kind. */
struct side {
    struct memory_store *rows;
    struct store *store;
    struct store_reader *reader;
};

static struct transaction *side_begin(struct side *side)
{
    if (side->rows != NULL)
        return memory_transaction(side->rows);
    return real_store_batch(side->store);
}

static enum err side_commit(struct side *side, enum err err)
{
    if (side->rows != NULL) {
        ENSURE(err == ERR_OK);
        memory_commit(side->rows);
        return ERR_OK;
    }
    if (err == ERR_OK)
        err = real_store_commit(side->store);
    else
        real_store_abort(side->store);
    return err;
}

static void side_close(struct side *side)
{
    if (side->reader != NULL) {
        real_store_reader_end(side->reader);
        real_store_reader_destroy(side->reader);
    }
    store_close(side->store);
}

/* NULL for rows that cannot be read. */
static struct transaction *side_read(struct side *side)
{
    if (side->rows != NULL)
        return memory_transaction(side->rows);
    if (side->store == NULL)
        return NULL;
    side->reader = real_store_reader_create(side->store);
    ENSURE(side->reader != NULL);
    return real_store_reader_begin(side->reader);
}

static void data_path(const char *directory, char path[128])
{
    (void)snprintf(path, 128, "%s/data.mdb", directory);
}

static void data_copy(const char *from_directory, const char *to_directory)
{
    char path[128];
    char bytes[COPY_BYTES];
    ssize_t size;
    data_path(from_directory, path);
    int from = open(path, O_RDONLY | O_CLOEXEC);
    data_path(to_directory, path);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ENSURE(from >= 0 && to >= 0);
    while ((size = read(from, bytes, sizeof bytes)) > 0)
        ENSURE(write(to, bytes, (size_t)size) == size);
    ENSURE(size == 0);
    (void)close(from);
    (void)close(to);
}

void backup_finish(struct backup *backup)
{
    memory_store_destroy(backup->rows);
    if (backup->directory[0] != 0)
        disk_directory_remove(backup->directory);
}

static bool file_make(struct sim *sim, struct backup *backup)
{
    char path[128];
    if (backup->directory[0] == 0)
        disk_directory_make(backup->directory);
    data_path(backup->directory, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ENSURE(fd >= 0);
    enum err err = store_copy(sim->disk.real, fd, false);
    (void)close(fd);
    return err == ERR_OK;
}

bool backup_make(struct sim *sim)
{
    struct backup *backup = &sim->backup;
    const char *unused;
    enum err err = core_verify(disk_look(&sim->disk), &unused);
    disk_look_end(&sim->disk);
    if (err != ERR_OK)
        return false;
    if (sim->disk.kind == PLAN_STORE_MODEL) {
        memory_store_destroy(backup->rows);
        backup->rows = memory_store_copy(sim->disk.rows);
        backup->made = true;
    } else {
        backup->made = file_make(sim, backup);
    }
    backup->restores = sim->restores;
    if (backup->made) {
        clients_backed_up(&sim->clients);
        trace_backup(&sim->trace);
    }
    return backup->made;
}

/* As hub/ops/restore.c goes through them: `live` NULL those of the tasks. */
static void steps_run(struct sim *sim, struct side *made, struct transaction *live,
                      struct core_restore *restore)
{
    struct core_restore before = *restore;
    bool done = false;
    while (!done) {
        bool last = false;
        struct transaction *batch = side_begin(made);
        enum err err =
            live == NULL
                ? core_restore_step(&sim->hub.settings, batch, restore, &last)
                : core_restore_tokens(&sim->hub.settings, batch, live, restore, &last);
        err = side_commit(made, err);
        if (err == ERR_MAP_FULL) {
            *restore = before;
            err = real_store_grow(made->store);
        } else {
            before = *restore;
            done = last;
        }
        ENSURE(err == ERR_OK);
    }
}

/* P25: whoever was sent away stays away. */
static void tokens_compare(struct sim *sim, struct transaction *rows,
                           struct transaction *live)
{
    uint8_t from[DIGEST_BYTES + 1] = { 0 };
    struct slice key;
    struct slice value;
    while (transaction_first_from(rows, TABLE_TOKEN, slice_make(from, sizeof from), &key,
                                  &value) == ERR_OK) {
        memcpy(from, key.data, DIGEST_BYTES);
        key = slice_make(from, DIGEST_BYTES);
        if (transaction_get(live, TABLE_TOKEN, key, &value) != ERR_OK)
            sim_break(sim, "a token that was revoked is good again", NULL);
        from[DIGEST_BYTES] = 0;
        for (int i = DIGEST_BYTES - 1; i >= 0 && ++from[i] == 0; i--)
            continue;
    }
}

static void restored_look(struct sim *sim, struct side *made, struct transaction *live)
{
    const char *text = "";
    struct core_place place;
    struct core_place old = { 0 };
    struct transaction *rows = side_begin(made);
    if (core_verify(rows, &text) != ERR_OK)
        sim_break(sim, "the tables of a restored store do not fit together", text);
    ENSURE(core_place_read(rows, &place) == ERR_OK);
    ENSURE(live == NULL || core_place_read(live, &old) == ERR_OK);
    if (place.epoch <= old.epoch)
        sim_break(sim, "a restored store goes on with an epoch of the old one", NULL);
    if (live != NULL)
        tokens_compare(sim, rows, live);
    judge_restored(&sim->audit, rows, &place);
    clients_restored(&sim->clients);
    trace_restored(&sim->trace, &sim->audit);
    ENSURE(side_commit(made, ERR_OK) == ERR_OK);
}

static uint64_t epoch_next(const struct sim *sim, struct transaction *live)
{
    struct core_place place = { 0 };
    ENSURE(live == NULL || core_place_read(live, &place) == ERR_OK);
    return core_restore_epoch(place.epoch, sim_wall_ms(sim));
}

static void restore_run(struct sim *sim, struct side *made, struct side *live)
{
    struct transaction *old = side_read(live);
    struct core_restore restore = {
        .backup = SLICE_OF("simulated"),
        .epoch = epoch_next(sim, old),
        .wall_ms = sim_wall_ms(sim),
    };
    steps_run(sim, made, NULL, &restore);
    if (old != NULL)
        steps_run(sim, made, old, &restore);
    restored_look(sim, made, old);
}

static void file_restore(struct sim *sim, bool readable)
{
    struct disk *disk = &sim->disk;
    struct side live = { 0 };
    struct side made = { 0 };
    char directory[64];
    disk_directory_make(directory);
    data_copy(sim->backup.directory, directory);
    ENSURE(disk_store_open(directory, NULL, &made.store) == ERR_OK);
    if (readable)
        ENSURE(disk_store_open(disk->directory, NULL, &live.store) == ERR_OK);
    restore_run(sim, &made, &live);
    side_close(&live);
    side_close(&made);
    disk_directory_remove(disk->directory);
    memcpy(disk->directory, directory, sizeof directory);
}

void backup_restore(struct sim *sim, bool readable)
{
    struct disk *disk = &sim->disk;
    ENSURE(sim->backup.made && !sim->hub.up);
    ENSURE(readable || sim->backup.restores == sim->restores);
    sim->restores++;
    sim->restored_run = sim->hub.run;
    if (disk->kind == PLAN_STORE_MODEL) {
        struct side live = { .rows = readable ? disk->rows : NULL };
        struct side made = { .rows = memory_store_copy(sim->backup.rows) };
        restore_run(sim, &made, &live);
        memory_store_destroy(disk->rows);
        disk->rows = made.rows;
    } else {
        file_restore(sim, readable);
    }
    disk_mend(disk);
}
