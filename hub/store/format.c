#include "base/ensure.h"
#include "store/inside.h"
#include "store/place.h"

#include <stdio.h>
#include <string.h>

/*
 * The table of what the store is: under "format" the version of all that lies in it, and
 * under "table/NAME" each table's number. Numbers are part of every record's checksum,
 * so they stay as they are for as long as the store lives.
 */
#define FORMAT_TABLE "format"

enum { FORMAT_NUMBER = -1 };

static const struct slice FORMAT_KEY = SLICE("format");

struct format {
    struct store *store;
    MDB_txn *txn;
    MDB_dbi dbi;
    struct store_problem *problem;
    unsigned create; /* the flag that makes what is not there; 0: nothing is made */
    unsigned absent; /* tables that a store only read does not have */
};

static enum err format_fail(const struct format *format, int code, const char *doing)
{
    enum err err = store_judge(format->store, code);
    problem_set(format->problem, "the store cannot be opened (%s): %s", doing,
                mdb_strerror(code));
    return err;
}

static enum err format_get(const struct format *format, struct slice key,
                           uint32_t *ret_number)
{
    MDB_val place = { .mv_size = key.size, .mv_data = (void *)(uintptr_t)key.data };
    MDB_val value;
    int code = call_get(format->store, format->txn, format->dbi, &place, &value);
    if (code == MDB_NOTFOUND)
        return ERR_NOT_FOUND;
    if (code != 0)
        return format_fail(format, code, "reading its format");

    struct slice payload;
    struct slice frame = slice_make(value.mv_data, value.mv_size);
    if (!frame_read(frame, (unsigned)FORMAT_NUMBER, key, &payload) || payload.size != 4)
        return format_fail(format, MDB_CORRUPTED, "reading its format");
    const uint8_t *bytes = (const uint8_t *)payload.data;
    *ret_number = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                  (uint32_t)bytes[2] << 8 | bytes[3];
    return ERR_OK;
}

static enum err format_put(const struct format *format, struct slice key, uint32_t number)
{
    uint8_t bytes[4] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16),
                         (uint8_t)(number >> 8), (uint8_t)number };
    char frame[FRAME_HEAD_BYTES + sizeof bytes];
    frame_write(frame, (unsigned)FORMAT_NUMBER, key, slice_make(bytes, sizeof bytes));
    MDB_val place = { .mv_size = key.size, .mv_data = (void *)(uintptr_t)key.data };
    MDB_val value = { .mv_size = sizeof frame, .mv_data = frame };
    int code = call_put(format->store, format->txn, format->dbi, &place, &value);
    return code == 0 ? ERR_OK : format_fail(format, code, "writing its format");
}

static uint32_t version_wanted(const struct format *format)
{
    return format->store->options.migration_count + 1;
}

static enum err version_refuse_newer(const struct format *format, uint32_t version)
{
    uint32_t wanted = version_wanted(format);
    if (version <= wanted)
        return ERR_OK;
    problem_set(
        format->problem,
        "the store was written by a newer version (format %u, this one reads up to "
        "%u): install that version, or restore a backup made before",
        (unsigned)version, (unsigned)wanted);
    return ERR_UNSUPPORTED;
}

static enum err version_check(const struct format *format, bool fresh)
{
    uint32_t version = 0;
    enum err err = format_get(format, FORMAT_KEY, &version);

    if (err == ERR_NOT_FOUND && fresh)
        return format_put(format, FORMAT_KEY, version_wanted(format));
    if (err == ERR_NOT_FOUND) {
        problem_set(format->problem, "the data directory holds something else's tables");
        return ERR_UNSUPPORTED;
    }
    return err == ERR_OK ? version_refuse_newer(format, version) : err;
}

static enum err table_open(struct format *format, const char *name, unsigned number)
{
    char key[64];
    int size = snprintf(key, sizeof key, "table/%s", name);
    ENSURE(size > 0 && (size_t)size < sizeof key);

    uint32_t known = 0;
    struct slice place = slice_make(key, (size_t)size);
    enum err err = format_get(format, place, &known);
    if (err == ERR_NOT_FOUND && format->store->read_only) {
        format->store->tables[number] = TABLE_ABSENT;
        format->absent++;
        return ERR_OK;
    }
    bool made = err == ERR_NOT_FOUND;
    if (made)
        err = format_put(format, place, number);
    else if (err == ERR_OK && known != number) {
        problem_set(format->problem,
                    "the store numbers its table %s %u, this version %u: it was written "
                    "by a version that is not compatible",
                    name, (unsigned)known, number);
        err = ERR_UNSUPPORTED;
    }
    if (err != ERR_OK)
        return err;
    int code = mdb_dbi_open(format->txn, name, made ? format->create : 0,
                            &format->store->tables[number]);
    if (code == MDB_NOTFOUND) {
        problem_set(format->problem, "the store has lost its table %s", name);
        return store_judge(format->store, MDB_CORRUPTED);
    }
    return code == 0 ? ERR_OK : format_fail(format, code, "opening a table");
}

/* A name that rotted looks like one we do not know; its checksum tells the two apart. */
static enum err rows_check(const struct format *format)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    struct slice payload;
    int code = mdb_cursor_open(format->txn, format->dbi, &cursor);
    if (code != 0)
        return format_fail(format, code, "reading its format");
    while ((code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
        if (!frame_read(slice_make(value.mv_data, value.mv_size), (unsigned)FORMAT_NUMBER,
                        slice_make(key.mv_data, key.mv_size), &payload)) {
            code = MDB_CORRUPTED;
            break;
        }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? ERR_OK
                                : format_fail(format, code, "reading its format");
}

/* Every table we were told of has its row by now: one row more is one we do not know. */
static enum err strangers_refuse(const struct format *format, unsigned table_count)
{
    MDB_stat status;
    int code = mdb_stat(format->txn, format->dbi, &status);
    if (code != 0)
        return format_fail(format, code, "counting its tables");
    if (status.ms_entries == (size_t)(table_count - format->absent) + 1)
        return ERR_OK;
    enum err err = rows_check(format);
    if (err != ERR_OK)
        return err;
    problem_set(format->problem,
                "the store has tables this version does not know: it was written by a "
                "newer version");
    return ERR_UNSUPPORTED;
}

static enum err tables_open(struct format *format, const struct store_options *options)
{
    MDB_dbi root;
    MDB_stat status;
    int code = mdb_dbi_open(format->txn, NULL, 0, &root);
    if (code == 0)
        code = mdb_stat(format->txn, root, &status);
    if (code != 0)
        return format_fail(format, code, "looking at its root");

    bool fresh = status.ms_entries == 0;
    code = mdb_dbi_open(format->txn, FORMAT_TABLE, format->create, &format->dbi);
    if (code == MDB_NOTFOUND) {
        problem_set(format->problem, "this is not a store, or it is empty");
        return ERR_UNSUPPORTED;
    }
    if (code != 0)
        return format_fail(format, code, "opening its format");
    enum err err = version_check(format, fresh);
    for (unsigned i = 0; i < options->table_count && err == ERR_OK; i++)
        err = table_open(format, options->tables[i], i);
    return err == ERR_OK ? strangers_refuse(format, options->table_count) : err;
}

enum err format_open(struct store *store, const struct store_options *options,
                     struct store_problem *ret_problem)
{
    struct format format = {
        .store = store,
        .problem = ret_problem,
        .create = store->read_only ? 0 : MDB_CREATE,
    };
    int code = call_begin(store, store->read_only ? MDB_RDONLY : 0, &format.txn);
    if (code != 0)
        return format_fail(&format, code, "beginning");

    enum err err = tables_open(&format, options);
    if (err != ERR_OK) {
        mdb_txn_abort(format.txn);
        return err;
    }
    code = call_commit(store, format.txn);
    return code == 0 ? ERR_OK : format_fail(&format, code, "writing its first state");
}

enum err format_version(struct store *store, uint32_t *ret_version,
                        struct store_problem *ret_problem)
{
    struct format format = { .store = store, .problem = ret_problem };
    enum err err = ERR_OK;
    *ret_version = 0;
    int code = call_begin(store, MDB_RDONLY, &format.txn);
    if (code != 0)
        return format_fail(&format, code, "beginning");
    code = mdb_dbi_open(format.txn, FORMAT_TABLE, 0, &format.dbi);
    if (code == 0)
        err = format_get(&format, FORMAT_KEY, ret_version);
    else if (code != MDB_NOTFOUND)
        err = format_fail(&format, code, "opening its format");
    if (err == ERR_OK)
        err = version_refuse_newer(&format, *ret_version);
    mdb_txn_abort(format.txn);
    /* What is missing is judged when the tables are opened. */
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err format_version_put(struct store *store, struct store_problem *ret_problem)
{
    struct format format = { .store = store, .problem = ret_problem };
    int code = call_begin(store, 0, &format.txn);
    if (code != 0)
        return format_fail(&format, code, "beginning");
    code = mdb_dbi_open(format.txn, FORMAT_TABLE, 0, &format.dbi);
    enum err err = code == 0 ? format_put(&format, FORMAT_KEY, version_wanted(&format))
                             : format_fail(&format, code, "opening its format");
    if (err != ERR_OK) {
        mdb_txn_abort(format.txn);
        return err;
    }
    code = call_commit(store, format.txn);
    return code == 0 ? ERR_OK : format_fail(&format, code, "writing its version");
}

enum err store_version(struct store *store, uint32_t *ret_version)
{
    struct store_problem unused;
    return format_version(store, ret_version, &unused);
}
