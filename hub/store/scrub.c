#include "store/scrub.h"

#include "base/ensure.h"
#include "store/inside.h"

#include <string.h>

static void rot_tell(const struct store *store, const struct store_scrub *scrub,
                     const MDB_val *value, struct store_rot *rot)
{
    size_t size = value->mv_size < sizeof rot->kept ? value->mv_size : sizeof rot->kept;
    memcpy(rot->kept, value->mv_data, size);
    rot->table = store->table_names[scrub->table];
    rot->key = slice_make(scrub->key, scrub->key_size);
    rot->bytes = slice_make(rot->kept, size);
}

/* Records of one table; *left falls with each. MDB_NOTFOUND at the table's end. */
static int table_read(struct store *store, MDB_cursor *cursor, struct store_scrub *scrub,
                      unsigned *left, struct store_rot *rot)
{
    MDB_val key = { .mv_size = scrub->key_size, .mv_data = scrub->key };
    MDB_val value;
    int code = scrub->key_size == 0
                   ? call_seek(store, cursor, &key, &value, MDB_FIRST)
                   : call_seek(store, cursor, &key, &value, MDB_SET_RANGE);
    if (code == 0 && scrub->key_size == key.mv_size &&
        memcmp(scrub->key, key.mv_data, key.mv_size) == 0)
        code = call_seek(store, cursor, &key, &value, MDB_NEXT);
    while (code == 0 && *left > 0) {
        struct slice payload;
        if (key.mv_size == 0 || key.mv_size > sizeof scrub->key)
            return MDB_CORRUPTED;
        memcpy(scrub->key, key.mv_data, key.mv_size);
        scrub->key_size = key.mv_size;
        scrub->records++;
        scrub->bytes += key.mv_size + value.mv_size;
        --*left;
        if (!frame_read(slice_make(value.mv_data, value.mv_size), scrub->table,
                        slice_make(key.mv_data, key.mv_size), &payload)) {
            rot_tell(store, scrub, &value, rot);
            return MDB_BAD_VALSIZE;
        }
        if (*left > 0)
            code = call_seek(store, cursor, &key, &value, MDB_NEXT);
    }
    return code;
}

static int tables_read(struct store *store, MDB_txn *txn, struct store_scrub *scrub,
                       unsigned left, struct store_rot *rot)
{
    while (scrub->table < store->table_count && left > 0) {
        MDB_cursor *cursor;
        if (store->tables[scrub->table] == TABLE_ABSENT) {
            scrub->table++;
            continue;
        }
        int code = mdb_cursor_open(txn, store->tables[scrub->table], &cursor);
        if (code != 0)
            return code;
        code = table_read(store, cursor, scrub, &left, rot);
        mdb_cursor_close(cursor);
        if (code == MDB_NOTFOUND) {
            scrub->table++;
            scrub->key_size = 0;
        } else if (code != 0) {
            return code;
        }
    }
    return scrub->table < store->table_count ? 0 : MDB_NOTFOUND;
}

enum err store_scrub(struct store *store, struct store_scrub *scrub, unsigned most,
                     struct store_rot *ret_rot)
{
    MDB_txn *txn;
    ENSURE(most > 0);
    ENSURE(pthread_rwlock_rdlock(&store->map_lock) == 0);
    int code = call_begin(store, MDB_RDONLY, &txn);
    if (code == 0) {
        code = tables_read(store, txn, scrub, most, ret_rot);
        mdb_txn_abort(txn);
    }
    ENSURE(pthread_rwlock_unlock(&store->map_lock) == 0);
    /* Of a record alone, or of the whole file. */
    if (code == MDB_BAD_VALSIZE)
        return ERR_CORRUPT;
    enum err err = code_to_err(code);
    return err == ERR_CORRUPT ? ERR_IO : err;
}
