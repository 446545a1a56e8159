#include "simulation/rot.h"

#include "base/ensure.h"
#include "simulation/seam.h"
#include "simulation/sim.h"
#include "store/scrub.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ROWS_PASSED_MAX = 100, /* the row is one of the first so many */
    PLACES_MAX = 8,        /* tried, until something lies there */
    /* LMDB's pages: a head, pointers to nodes up to `lower`, nodes. */
    PAGE_BYTES = 4096,
    FLAGS_AT = 10,
    LOWER_AT = 12,
    HEAD_BYTES = 16,
    PAGE_LEAF = 2,
    NODE_FLAGS_AT = 4,
    NODE_ROOT = 2, /* its data is where a table begins */
    RECORDS_AT_ONCE = 10000,
    CHILD_S_MAX = 20, /* LMDB may go round in circles on a broken page */
    CODE_WHOLE = 0,
    CODE_FOUND = 1,
    CODE_UNSEEN = 2,
};

static bool backup_is_there(struct sim *sim)
{
    bool fresh = sim->backup.made && sim->backup.restores == sim->restores;
    return fresh || (sim->hub.up && backup_make(sim));
}

static int data_open(const struct disk *disk)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/data.mdb", disk->directory);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ENSURE(fd >= 0);
    return fd;
}

static void bit_flip(int fd, off_t offset, unsigned bit)
{
    uint8_t byte;
    ENSURE(pread(fd, &byte, 1, offset) == 1);
    byte ^= (uint8_t)(1u << bit);
    ENSURE(pwrite(fd, &byte, 1, offset) == 1);
}

/* Where in the file the bytes lie that LMDB has mapped; -1: they are no part of it. */
static off_t offset_of(const struct disk *disk, const char *data)
{
    char line[512];
    off_t offset = -1;
    FILE *maps = fopen("/proc/self/maps", "re");
    ENSURE(maps != NULL);
    while (offset < 0 && fgets(line, sizeof line, maps) != NULL) {
        char *rest;
        unsigned long from = strtoul(line, &rest, 16);
        unsigned long to = strtoul(rest + 1, NULL, 16);
        unsigned long at = (unsigned long)data;
        if (strstr(line, disk->directory) != NULL && at >= from && at < to)
            offset = (off_t)(at - from);
    }
    ENSURE(fclose(maps) == 0);
    return offset;
}

/* Some row with bytes in it. */
static bool row_draw(struct dice *dice, struct transaction *rows, enum table table,
                     char key_copy[TRANSACTION_KEY_BYTES_MAX], struct slice *ret_key,
                     struct slice *ret_value)
{
    struct slice key = SLICE_OF("");
    uint32_t passed = dice_below(dice, ROWS_PASSED_MAX);
    bool found = false;
    for (uint32_t i = 0; i <= passed; i++) {
        struct slice next;
        if (transaction_first_from(rows, table, key, &next, ret_value) != ERR_OK)
            break;
        if (next.size >= TRANSACTION_KEY_BYTES_MAX)
            break;
        found = ret_value->size > 0;
        memcpy(key_copy, next.data, next.size);
        key_copy[next.size] = 0;
        *ret_key = slice_make(key_copy, next.size);
        key = slice_make(key_copy, next.size + 1);
    }
    return found && transaction_get(rows, table, *ret_key, ret_value) == ERR_OK;
}

bool rot_while_up(struct sim *sim)
{
    static const enum table TABLES[] = { TABLE_TASK,  TABLE_BLOB,  TABLE_HISTORY,
                                         TABLE_TOKEN, TABLE_AGENT, TABLE_IDEMPOTENCY,
                                         TABLE_EVENT };
    struct disk *disk = &sim->disk;
    struct dice *dice = &sim->dice;
    char copy[TRANSACTION_KEY_BYTES_MAX];
    struct slice key;
    struct slice value;
    if (disk->kind == PLAN_STORE_MODEL || !sim->hub.up || disk->broken != ERR_OK ||
        !backup_is_there(sim))
        return false;
    enum table table = TABLES[dice_below(dice, sizeof TABLES / sizeof TABLES[0])];
    struct transaction *rows = disk_look(disk);
    bool drawn = row_draw(dice, rows, table, copy, &key, &value);
    off_t offset = drawn ? offset_of(disk, value.data) : -1;
    disk_look_end(disk);
    if (offset < 0 || !disk_flip_note(disk, table, key))
        return false;
    int fd = data_open(disk);
    bit_flip(fd, offset + dice_below(dice, (uint32_t)value.size), dice_below(dice, 8));
    (void)close(fd);
    /* By the walk, or by whoever trips over it. */
    bool walked = dice_chance(dice, 500);
    if (walked)
        audit_verify(&sim->audit);
    return walked;
}

/* A number for all rows; 0: not all can be read. */
static uint64_t rows_hash(struct transaction *rows)
{
    uint64_t hash = 1;
    for (unsigned table = 0; table < CORE_TABLE_COUNT; table++) {
        char from[TRANSACTION_KEY_BYTES_MAX + 1];
        struct slice key = SLICE_OF("");
        struct slice value;
        enum err err;
        while ((err = transaction_first_from(rows, table, key, &key, &value)) == ERR_OK) {
            hash = hash * 31 + bytes_hash(key);
            hash = hash * 31 + bytes_hash(value);
            memcpy(from, key.data, key.size);
            from[key.size] = 0;
            key = slice_make(from, key.size + 1);
        }
        if (err != ERR_NOT_FOUND)
            return 0;
    }
    return hash;
}

/* Every record by its checksum: a search may pass one whose key has changed. */
static bool records_are_whole(struct store *store)
{
    static struct store_rot unused;
    struct store_scrub scrub = { 0 };
    enum err err = ERR_OK;
    while (err == ERR_OK)
        err = store_scrub(store, &scrub, RECORDS_AT_ONCE, &unused);
    return err == ERR_NOT_FOUND;
}

/* As `drover store verify` reads it; 0: something is wrong. */
static uint64_t file_hash(const struct disk *disk)
{
    struct store *store;
    const char *unused;
    uint64_t hash = 0;
    if (disk_store_open(disk->directory, NULL, &store) != ERR_OK)
        return 0;
    if (records_are_whole(store)) {
        struct store_reader *reader = real_store_reader_create(store);
        ENSURE(reader != NULL);
        struct transaction *rows = real_store_reader_begin(reader);
        if (core_verify(rows, &unused) == ERR_OK)
            hash = rows_hash(rows);
        real_store_reader_end(reader);
        real_store_reader_destroy(reader);
    }
    store_close(store);
    return hash;
}

/* In a process of its own, which may not outlive what it reads. */
static int child_look(const struct disk *disk, uint64_t hash)
{
    int status;
    pid_t child = fork();
    ENSURE(child >= 0);
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(nowhere, STDERR_FILENO);
        (void)alarm(CHILD_S_MAX);
        uint64_t seen = file_hash(disk);
        _exit(seen == 0 ? CODE_FOUND : seen == hash ? CODE_WHOLE : CODE_UNSEEN);
    }
    ENSURE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : CODE_FOUND;
}

/* LMDB's own heads, pointers, inner pages and roots have no checksum: one may come to lead
 * to what an older version of a record has left behind. */
static bool is_structure(int fd, off_t offset)
{
    uint16_t page[PAGE_BYTES / 2];
    off_t start = offset - offset % PAGE_BYTES;
    ENSURE(pread(fd, page, sizeof page, start) == sizeof page);
    uint16_t lower = page[LOWER_AT / 2];
    if ((page[FLAGS_AT / 2] & PAGE_LEAF) == 0 || offset - start < lower)
        return true;
    for (size_t at = HEAD_BYTES; at < lower && at < PAGE_BYTES; at += 2) {
        size_t flags_at = page[at / 2] + (size_t)NODE_FLAGS_AT;
        if (flags_at < PAGE_BYTES && (page[flags_at / 2] & NODE_ROOT) != 0)
            return true;
    }
    return false;
}

bool rot_while_down(struct sim *sim, long down_ms)
{
    struct disk *disk = &sim->disk;
    struct stat status;
    if (disk->kind == PLAN_STORE_MODEL || disk->flip_count > 0 || !backup_is_there(sim))
        return false;
    hub_kill(&sim->hub, down_ms);
    uint64_t hash = file_hash(disk);
    int fd = data_open(disk);
    ENSURE(hash != 0 && fstat(fd, &status) == 0);
    int code = CODE_WHOLE;
    bool outside = false; /* of what the checksums protect */
    char about[64];
    for (int i = 0; i < PLACES_MAX && code == CODE_WHOLE; i++) {
        off_t offset = (off_t)(dice_draw(&sim->dice) % (uint64_t)status.st_size);
        unsigned bit = dice_below(&sim->dice, 8);
        (void)snprintf(about, sizeof about, "bit %u of byte %lld of %lld", bit,
                       (long long)offset, (long long)status.st_size);
        outside = is_structure(fd, offset);
        bit_flip(fd, offset, bit);
        code = child_look(disk, hash);
        /* Nothing lay there: as if nothing had been. */
        if (code == CODE_WHOLE || (code == CODE_UNSEEN && outside))
            bit_flip(fd, offset, bit);
    }
    (void)close(fd);
    if (code == CODE_UNSEEN && !outside)
        sim_break(sim, "a bit of the file has changed, and other rows were read as right",
                  about);
    if (code == CODE_FOUND)
        backup_restore(sim, false);
    return code == CODE_FOUND;
}
