#include "store/compact.h"

#include "base/ensure.h"
#include "store/changes.h"
#include "store/inside.h"
#include "store/place.h"
#include "store/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS_PER_BATCH = 4096 };

struct store_compaction {
    struct store *store;
    struct changes *changes;
    MDB_env *env; /* of the new file; NULL: not open */
    MDB_dbi *tables;
    char directory[PLACE_PATH_BYTES];
    char file[PLACE_PATH_BYTES];
};

static enum err target_open(struct store_compaction *compaction, int *ret_fd)
{
    struct store *store = compaction->store;
    if (!path_join(compaction->directory, sizeof compaction->directory, store->directory,
                   REPLACE_COMPACTING) ||
        !path_join(compaction->file, sizeof compaction->file, compaction->directory,
                   PLACE_DATA))
        return ERR_LIMIT;
    replace_forget(store->directory, REPLACE_COMPACTING);
    enum err err = directory_make(compaction->directory);
    if (err != ERR_OK)
        return err;
    int fd = open(compaction->file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0600);
    if (fd < 0)
        return code_to_err(errno);
    *ret_fd = fd;
    return ERR_OK;
}

enum err store_compaction_begin(struct store *store, struct store_compaction **ret,
                                int *ret_fd)
{
    ENSURE(!store->batch.open);
    if (store->compaction != NULL)
        return ERR_EXISTS;
    struct store_compaction *compaction = calloc(1, sizeof *compaction);
    if (compaction == NULL)
        return ERR_MEMORY;
    compaction->store = store;
    compaction->changes = changes_create();
    compaction->tables = calloc(store->table_count, sizeof *compaction->tables);
    enum err err = ERR_MEMORY;
    if (compaction->changes != NULL && compaction->tables != NULL)
        err = target_open(compaction, ret_fd);
    if (err != ERR_OK) {
        store_compaction_end(compaction);
        return err;
    }
    store->changes = compaction->changes;
    store->compaction = compaction;
    *ret = compaction;
    return ERR_OK;
}

const char *store_compaction_directory(const struct store_compaction *compaction)
{
    return compaction->directory;
}

static int tables_open(struct store_compaction *compaction)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(compaction->env, NULL, 0, &txn);
    if (code != 0)
        return code;
    for (unsigned i = 0; i < compaction->store->table_count && code == 0; i++)
        code = mdb_dbi_open(txn, compaction->store->table_names[i], 0,
                            &compaction->tables[i]);
    if (code != 0) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn);
}

/* A code of the new file says nothing of the store. */
enum err store_compaction_open(struct store_compaction *compaction)
{
    struct store *store = compaction->store;
    int code = mdb_env_create(&compaction->env);
    if (code == 0)
        code = mdb_env_set_maxdbs(compaction->env, store->table_count + 1);
    if (code == 0)
        code =
            mdb_env_set_mapsize(compaction->env, (size_t)atomic_load(&store->map_bytes));
    if (code == 0)
        code = mdb_env_open(compaction->env, compaction->directory, MDB_NOTLS, 0600);
    if (code == 0)
        code = tables_open(compaction);
    return code_to_err(code);
}

/* One row as it stands now, or its absence. */
static int row_bring(struct store_compaction *compaction, MDB_txn *from, MDB_txn *to,
                     struct slice entry)
{
    struct store *store = compaction->store;
    struct slice key;
    struct slice payload;
    unsigned table;
    changes_key(entry, &table, &key);
    MDB_val place = { .mv_size = key.size, .mv_data = (void *)(uintptr_t)key.data };
    MDB_val value;
    int code = call_get(store, from, store->tables[table], &place, &value);
    if (code == MDB_NOTFOUND) {
        code = mdb_del(to, compaction->tables[table], &place, NULL);
        return code == MDB_NOTFOUND ? 0 : code;
    }
    if (code != 0)
        return code;
    if (!frame_read(slice_make(value.mv_data, value.mv_size), table, key, &payload))
        return MDB_CORRUPTED;
    return mdb_put(to, compaction->tables[table], &place, &value, 0);
}

/* The next rows of what was taken, in a snapshot and a transaction of their own. */
static int rows_bring(struct store_compaction *compaction, const struct map *taken,
                      size_t *position, uint64_t *rows)
{
    struct slice entry;
    void *unused;
    MDB_txn *from;
    MDB_txn *to;
    int code = call_begin(compaction->store, MDB_RDONLY, &from);
    if (code != 0)
        return code;
    code = mdb_txn_begin(compaction->env, NULL, 0, &to);
    if (code != 0) {
        mdb_txn_abort(from);
        return code;
    }
    for (int i = 0; i < ROWS_PER_BATCH && code == 0; i++) {
        if (!map_next(taken, position, &entry, &unused))
            break;
        code = row_bring(compaction, from, to, entry);
        *rows += code == 0;
    }
    mdb_txn_abort(from);
    if (code == 0)
        return mdb_txn_commit(to);
    mdb_txn_abort(to);
    return code;
}

enum err store_compaction_follow(struct store_compaction *compaction, uint64_t *ret_rows)
{
    struct store *store = compaction->store;
    struct map *taken;
    uint64_t rows = 0;
    size_t position = 0;
    ENSURE(compaction->env != NULL);
    enum err err = changes_take(compaction->changes, &taken);
    if (err != ERR_OK)
        return err;
    while (err == ERR_OK && rows < map_count(taken)) {
        ENSURE(pthread_rwlock_rdlock(&store->map_lock) == 0);
        err = code_to_err(rows_bring(compaction, taken, &position, &rows));
        ENSURE(pthread_rwlock_unlock(&store->map_lock) == 0);
    }
    map_destroy(taken);
    *ret_rows = rows;
    return err;
}

static enum err new_file_close(struct store_compaction *compaction)
{
    int code = mdb_env_sync(compaction->env, 1);
    mdb_env_close(compaction->env);
    compaction->env = NULL;
    return code_to_err(code);
}

/* Under the lock for writing: nobody looks at the store. */
static enum err files_change(struct store_compaction *compaction)
{
    struct store *store = compaction->store;
    struct store_problem problem;
    store_env_close(store);
    enum err err = code_to_err(call_files(store, compaction->file));
    if (err == ERR_OK)
        err = store_env_open(store, &problem);
    /* Before anything is written to the new one: the old one could not replace it then. */
    if (err == ERR_OK)
        err = replace_settle(store->directory, true);
    if (err == ERR_OK)
        return ERR_OK;

    /* The old file is still there, under one name or the other. */
    store_env_close(store);
    (void)replace_settle(store->directory, false);
    enum err again = store_env_open(store, &problem);
    if (again != ERR_OK) {
        int none = ERR_OK;
        store_env_close(store);
        (void)atomic_compare_exchange_strong(&store->broken, &none, (int)again);
    }
    return err;
}

enum err store_compaction_swap(struct store_compaction *compaction)
{
    struct store *store = compaction->store;
    uint64_t rows;
    ENSURE(!store->batch.open && compaction->env != NULL);
    if (atomic_load(&store->broken) != ERR_OK)
        return (enum err)atomic_load(&store->broken);
    enum err err = store_compaction_follow(compaction, &rows);
    if (err == ERR_OK)
        err = new_file_close(compaction);
    if (err != ERR_OK)
        return err;
    atomic_store(&store->grow_waits, true);
    ENSURE(pthread_rwlock_wrlock(&store->map_lock) == 0);
    atomic_store(&store->grow_waits, false);
    err = files_change(compaction);
    ENSURE(pthread_rwlock_unlock(&store->map_lock) == 0);
    return err;
}

void store_compaction_end(struct store_compaction *compaction)
{
    if (compaction == NULL)
        return;
    struct store *store = compaction->store;
    ENSURE(!store->batch.open);
    if (store->compaction == compaction) {
        store->compaction = NULL;
        store->changes = NULL;
    }
    if (compaction->env != NULL)
        mdb_env_close(compaction->env);
    replace_forget(store->directory, REPLACE_COMPACTING);
    changes_destroy(compaction->changes);
    free(compaction->tables);
    free(compaction);
}
