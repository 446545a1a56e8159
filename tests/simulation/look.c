#include "base/ensure.h"
#include "simulation/seam.h"
#include "simulation/sim.h"

#include <stdlib.h>
#include <string.h>

/* A snapshot of the model: as a reader of the hub's, or as the audit's own. */
struct model_reader {
    struct transaction proxy;
    struct disk *disk;
    enum err err;
    bool faults;
    bool looks; /* the audit's: it finds what is spoilt, and nothing comes of it */
};

static enum err reader_enter(struct model_reader *reader)
{
    if (reader->err == ERR_OK && reader->faults &&
        sim_fault(reader->disk->sim, POINT_STORE_READERS_FULL))
        reader->err = ERR_LIMIT;
    reader->faults = false;
    return reader->err;
}

static bool is_spoilt(const struct disk *disk, unsigned table, struct slice key)
{
    for (unsigned i = 0; i < disk->flip_count; i++) {
        const struct disk_flip *flip = &disk->flips[i];
        if (flip->table == table &&
            slice_equal(slice_make(flip->key, flip->key_size), key))
            return true;
    }
    return false;
}

static enum err reader_found(struct model_reader *reader, unsigned table,
                             struct slice key, enum err err)
{
    if (err != ERR_OK || !is_spoilt(reader->disk, table, key))
        return err;
    reader->err = ERR_CORRUPT;
    if (reader->looks)
        return reader->err;
    reader->disk->sim->reached[POINT_STORE_BIT_FLIP]++;
    reader->disk->broken = ERR_CORRUPT;
    reader->disk->harmed = true;
    return reader->err;
}

static enum err reader_get(struct transaction *proxy, unsigned table, struct slice key,
                           struct slice *ret_value)
{
    struct model_reader *reader = (struct model_reader *)proxy;
    if (reader_enter(reader) != ERR_OK)
        return reader->err;
    enum err err =
        transaction_get(memory_transaction(reader->disk->rows), table, key, ret_value);
    return reader_found(reader, table, key, err);
}

static enum err reader_write(struct transaction *proxy, unsigned table, struct slice key,
                             struct slice value)
{
    (void)proxy;
    (void)table;
    (void)key;
    (void)value;
    ENSURE(false);
    return ERR_IO;
}

static enum err reader_remove(struct transaction *proxy, unsigned table, struct slice key)
{
    return reader_write(proxy, table, key, (struct slice){ 0 });
}

static enum err reader_first_from(struct transaction *proxy, unsigned table,
                                  struct slice key, struct slice *ret_key,
                                  struct slice *ret_value)
{
    struct model_reader *reader = (struct model_reader *)proxy;
    if (reader_enter(reader) != ERR_OK)
        return reader->err;
    enum err err = transaction_first_from(memory_transaction(reader->disk->rows), table,
                                          key, ret_key, ret_value);
    return err == ERR_OK ? reader_found(reader, table, *ret_key, err) : err;
}

static enum err reader_last_before(struct transaction *proxy, unsigned table,
                                   struct slice key, struct slice *ret_key,
                                   struct slice *ret_value)
{
    struct model_reader *reader = (struct model_reader *)proxy;
    if (reader_enter(reader) != ERR_OK)
        return reader->err;
    enum err err = transaction_last_before(memory_transaction(reader->disk->rows), table,
                                           key, ret_key, ret_value);
    return err == ERR_OK ? reader_found(reader, table, *ret_key, err) : err;
}

static const struct transaction_methods METHODS = {
    .get = reader_get,
    .put = reader_write,
    .remove = reader_remove,
    .first_from = reader_first_from,
    .last_before = reader_last_before,
};

struct store_reader *disk_reader_create(struct disk *disk)
{
    struct model_reader *reader = calloc(1, sizeof *reader);
    ENSURE(reader != NULL);
    reader->proxy.methods = &METHODS;
    reader->disk = disk;
    return (struct store_reader *)reader;
}

void disk_reader_destroy(struct store_reader *reader)
{
    free(reader);
}

struct transaction *disk_reader_begin(struct store_reader *opaque)
{
    struct model_reader *reader = (struct model_reader *)opaque;
    ENSURE(!reader->disk->batch_open || !reader->disk->changed);
    reader->err = ERR_OK;
    reader->faults = true;
    return &reader->proxy;
}

void disk_reader_end(struct store_reader *opaque)
{
    (void)opaque;
}

bool disk_can_look(const struct disk *disk)
{
    return disk->kind == PLAN_STORE_MODEL || disk->real != NULL;
}

struct transaction *disk_look(struct disk *disk)
{
    ENSURE(!disk->changed);
    if (disk->kind == PLAN_STORE_LMDB) {
        disk->look = real_store_reader_create(disk->real);
        ENSURE(disk->look != NULL);
        return real_store_reader_begin(disk->look);
    }
    disk->look = disk_reader_create(disk);
    struct model_reader *reader = (struct model_reader *)disk->look;
    reader->looks = true;
    return &reader->proxy;
}

void disk_look_end(struct disk *disk)
{
    if (disk->kind == PLAN_STORE_LMDB) {
        real_store_reader_end(disk->look);
        real_store_reader_destroy(disk->look);
    } else {
        disk_reader_destroy(disk->look);
    }
    disk->look = NULL;
}

/* Cold ones: what was written once and is read again late. */
static const enum table FLIP_TABLES[] = { TABLE_TASK,  TABLE_BLOB,        TABLE_HISTORY,
                                          TABLE_READY, TABLE_IDEMPOTENCY, TABLE_TOKEN,
                                          TABLE_AGENT, TABLE_DEADLINE };

bool disk_flip(struct disk *disk, struct dice *dice)
{
    enum table table =
        FLIP_TABLES[dice_below(dice, sizeof FLIP_TABLES / sizeof FLIP_TABLES[0])];
    uint64_t rows = disk->rows == NULL ? 0 : memory_rows(disk->rows, table);
    if (rows == 0 || disk->flip_count == DISK_FLIPS_MAX)
        return false;

    struct slice key = SLICE_OF("");
    struct slice value;
    struct disk_flip *flip = &disk->flips[disk->flip_count];
    uint64_t steps = dice_draw(dice) % (rows < 200 ? rows : 200);
    for (uint64_t i = 0; i <= steps; i++) {
        struct transaction *rows_seen = memory_transaction(disk->rows);
        if (transaction_first_from(rows_seen, table, key, &key, &value) != ERR_OK)
            break;
        ENSURE(key.size < sizeof flip->key);
        memcpy(flip->key, key.data, key.size);
        flip->key_size = key.size;
        /* The next one is the first not less than this one and a zero. */
        flip->key[key.size] = 0;
        key = slice_make(flip->key, key.size + 1);
    }
    flip->table = table;
    if (is_spoilt(disk, table, slice_make(flip->key, flip->key_size)))
        return false;
    disk->flip_count++;
    return true;
}

bool disk_flip_note(struct disk *disk, unsigned table, struct slice key)
{
    struct disk_flip *flip = &disk->flips[disk->flip_count];
    if (disk->flip_count == DISK_FLIPS_MAX || is_spoilt(disk, table, key))
        return false;
    *flip = (struct disk_flip){ .table = table, .key_size = key.size };
    memcpy(flip->key, key.data, key.size);
    disk->flip_count++;
    disk->harmed = true;
    return true;
}

void disk_mend(struct disk *disk)
{
    disk->flip_count = 0;
}
