#include "base/ensure.h"
#include "store/changes.h"
#include "store/inside.h"

#include <stdlib.h>
#include <string.h>

static struct view *view_of(struct transaction *transaction)
{
    /* It is the first member. */
    return (struct view *)transaction;
}

static enum err view_fail(struct view *view, int code)
{
    view->err = store_judge(view->store, code);
    return view->err;
}

static void cursors_close(struct view *view)
{
    for (unsigned i = 0; i < view->store->table_count; i++) {
        if (view->cursors[i] == NULL)
            continue;
        mdb_cursor_close(view->cursors[i]);
        view->cursors[i] = NULL;
    }
}

/* Ends what was read so far; a write transaction is ended by its commit or abort. */
static void snapshot_end(struct view *view)
{
    cursors_close(view);
    if (view->txn != NULL && !view->writes)
        mdb_txn_reset(view->txn);
    view->txn = NULL;
}

/* The snapshot is taken at the first look, so that a batch that never looks pins none. */
static enum err view_read(struct view *view)
{
    ENSURE(view->open);
    if (view->err != ERR_OK || view->txn != NULL)
        return view->err;

    int code = view->snapshot == NULL
                   ? call_begin(view->store, MDB_RDONLY, &view->snapshot)
                   : call_renew(view->store, view->snapshot);
    if (code != 0)
        return view_fail(view, code);
    view->txn = view->snapshot;
    return ERR_OK;
}

/* There is one writer, so what the snapshot showed is what the write transaction
 * starts from. */
static enum err view_write(struct view *view)
{
    ENSURE(view->open && view->may_write);
    if (view->err != ERR_OK || view->writes)
        return view->err;

    enum err broken = (enum err)atomic_load(&view->store->broken);
    if (broken != ERR_OK) {
        view->err = broken;
        return broken;
    }
    snapshot_end(view);
    int code = call_begin(view->store, 0, &view->txn);
    if (code != 0) {
        view->txn = NULL;
        return view_fail(view, code);
    }
    view->writes = true;
    return ERR_OK;
}

static MDB_val val_of(struct slice slice)
{
    /* LMDB declares what it only reads as if it might write. */
    return (MDB_val){ .mv_size = slice.size, .mv_data = (void *)(uintptr_t)slice.data };
}

/* Checks what was found at a key, and takes off the frame. */
static enum err view_open_frame(struct view *view, unsigned table, struct slice key,
                                const MDB_val *value, struct slice *ret_value)
{
    struct slice frame = slice_make(value->mv_data, value->mv_size);
    if (!frame_read(frame, table, key, ret_value))
        return view_fail(view, MDB_CORRUPTED);
    return ERR_OK;
}

static enum err view_get(struct transaction *transaction, unsigned table,
                         struct slice key, struct slice *ret_value)
{
    struct view *view = view_of(transaction);
    ENSURE(table < view->store->table_count);
    ENSURE(key.size > 0 && key.size <= TRANSACTION_KEY_BYTES_MAX);

    if (view_read(view) != ERR_OK)
        return view->err;
    if (view->store->tables[table] == TABLE_ABSENT)
        return ERR_NOT_FOUND;
    MDB_val wanted = val_of(key);
    MDB_val value;
    int code =
        call_get(view->store, view->txn, view->store->tables[table], &wanted, &value);
    if (code == MDB_NOTFOUND)
        return ERR_NOT_FOUND;
    if (code != 0)
        return view_fail(view, code);
    return view_open_frame(view, table, key, &value, ret_value);
}

/* The row at view->key. */
static void view_changed(struct view *view, unsigned table, size_t key_size)
{
    view->changed = true;
    if (view->store->changes != NULL)
        changes_note(view->store->changes, table, slice_make(view->key, key_size));
}

/* Key and value may lie in the very page that is about to change: they are copied
 * before anything moves. */
static enum err view_put(struct transaction *transaction, unsigned table,
                         struct slice key, struct slice value)
{
    struct view *view = view_of(transaction);
    ENSURE(table < view->store->table_count);
    ENSURE(key.size > 0 && key.size <= TRANSACTION_KEY_BYTES_MAX);
    ENSURE(value.size <= TRANSACTION_VALUE_BYTES_MAX);

    memcpy(view->key, key.data, key.size);
    frame_write(view->frame, table, key, value);
    if (view_write(view) != ERR_OK)
        return view->err;
    MDB_val place = { .mv_size = key.size, .mv_data = view->key };
    MDB_val frame = { .mv_size = FRAME_HEAD_BYTES + value.size, .mv_data = view->frame };
    int code =
        call_put(view->store, view->txn, view->store->tables[table], &place, &frame);
    if (code != 0)
        return view_fail(view, code);
    view_changed(view, table, key.size);
    return ERR_OK;
}

static enum err view_remove(struct transaction *transaction, unsigned table,
                            struct slice key)
{
    struct view *view = view_of(transaction);
    ENSURE(table < view->store->table_count);
    ENSURE(key.size > 0 && key.size <= TRANSACTION_KEY_BYTES_MAX);

    memcpy(view->key, key.data, key.size);
    if (view_write(view) != ERR_OK)
        return view->err;
    MDB_val place = { .mv_size = key.size, .mv_data = view->key };
    int code = call_remove(view->store, view->txn, view->store->tables[table], &place);
    if (code == MDB_NOTFOUND)
        return ERR_NOT_FOUND;
    if (code != 0)
        return view_fail(view, code);
    view_changed(view, table, key.size);
    return ERR_OK;
}

static bool table_is_absent(const struct view *view, unsigned table)
{
    ENSURE(table < view->store->table_count);
    return view->store->tables[table] == TABLE_ABSENT;
}

/* A cursor remembers its page, so a walk along neighbours descends once. NULL when the
 * view has failed. */
static MDB_cursor *view_cursor(struct view *view, unsigned table)
{
    ENSURE(table < view->store->table_count);
    if (view_read(view) != ERR_OK)
        return NULL;
    if (view->cursors[table] == NULL) {
        int code =
            mdb_cursor_open(view->txn, view->store->tables[table], &view->cursors[table]);
        if (code != 0) {
            view->cursors[table] = NULL;
            (void)view_fail(view, code);
        }
    }
    return view->cursors[table];
}

static enum err view_found(struct view *view, unsigned table, int code,
                           const MDB_val *found, const MDB_val *value,
                           struct slice *ret_key, struct slice *ret_value)
{
    if (code == MDB_NOTFOUND)
        return ERR_NOT_FOUND;
    if (code != 0)
        return view_fail(view, code);
    struct slice key = slice_make(found->mv_data, found->mv_size);
    enum err err = view_open_frame(view, table, key, value, ret_value);
    if (err == ERR_OK)
        *ret_key = key;
    return err;
}

static enum err view_first_from(struct transaction *transaction, unsigned table,
                                struct slice key, struct slice *ret_key,
                                struct slice *ret_value)
{
    struct view *view = view_of(transaction);
    if (table_is_absent(view, table))
        return ERR_NOT_FOUND;
    MDB_cursor *cursor = view_cursor(view, table);
    if (cursor == NULL)
        return view->err;

    MDB_val found = val_of(key);
    MDB_val value;
    MDB_cursor_op how = key.size == 0 ? MDB_FIRST : MDB_SET_RANGE;
    int code = call_seek(view->store, cursor, &found, &value, how);
    return view_found(view, table, code, &found, &value, ret_key, ret_value);
}

static enum err view_last_before(struct transaction *transaction, unsigned table,
                                 struct slice key, struct slice *ret_key,
                                 struct slice *ret_value)
{
    struct view *view = view_of(transaction);
    if (table_is_absent(view, table))
        return ERR_NOT_FOUND;
    MDB_cursor *cursor = view_cursor(view, table);
    if (cursor == NULL)
        return view->err;
    if (slice_is_present(key) && key.size == 0)
        return ERR_NOT_FOUND; /* nothing is less than the empty key */

    MDB_val found = val_of(key);
    MDB_val value;
    int code = MDB_NOTFOUND;
    if (slice_is_present(key))
        code = call_seek(view->store, cursor, &found, &value, MDB_SET_RANGE);
    if (code == MDB_NOTFOUND)
        code = call_seek(view->store, cursor, &found, &value, MDB_LAST);
    else if (code == 0)
        code = call_seek(view->store, cursor, &found, &value, MDB_PREV);
    return view_found(view, table, code, &found, &value, ret_key, ret_value);
}

static const struct transaction_methods METHODS = {
    .get = view_get,
    .put = view_put,
    .remove = view_remove,
    .first_from = view_first_from,
    .last_before = view_last_before,
};

enum err view_init(struct view *view, struct store *store, bool may_write)
{
    memset(view, 0, sizeof *view);
    view->transaction.methods = &METHODS;
    view->store = store;
    view->may_write = may_write;
    view->cursors = calloc(store->table_count, sizeof(MDB_cursor *));
    return view->cursors == NULL ? ERR_MEMORY : ERR_OK;
}

void view_finish(struct view *view)
{
    ENSURE(!view->open);
    if (view->snapshot != NULL)
        mdb_txn_abort(view->snapshot);
    free(view->cursors);
}

void view_begin(struct view *view)
{
    ENSURE(!view->open);
    view->open = true;
    view->writes = false;
    view->changed = false;
    view->err = ERR_OK;
    view->txn = NULL;
}

void view_end(struct view *view)
{
    ENSURE(view->open);
    MDB_txn *writing = view->writes ? view->txn : NULL;
    snapshot_end(view);
    if (writing != NULL)
        mdb_txn_abort(writing);
    if (view->may_write && view->store->changes != NULL)
        changes_drop(view->store->changes);
    view->open = false;
}

enum err view_commit(struct view *view)
{
    ENSURE(view->open);
    enum err err = view->err;

    /* Also of nothing: a reader may have met what nobody else would tell the writer of. */
    if (err == ERR_OK)
        err = (enum err)atomic_load(&view->store->broken);
    if (err == ERR_OK && view->changed) {
        MDB_txn *writing = view->txn;
        cursors_close(view);
        view->txn = NULL;
        view->writes = false;
        int code = call_commit(view->store, writing);
        if (code != 0)
            err = store_judge(view->store, code);
        else if (view->store->changes != NULL)
            changes_keep(view->store->changes);
    }
    view_end(view);
    return err;
}
