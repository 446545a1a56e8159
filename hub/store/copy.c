#include "base/ensure.h"
#include "store/inside.h"

#include <errno.h>

enum err store_copy(struct store *store, int fd, bool whole)
{
    ENSURE(pthread_rwlock_rdlock(&store->map_lock) == 0);
    int code = call_copy(store, fd, whole ? 0 : MDB_CP_COMPACT);
    ENSURE(pthread_rwlock_unlock(&store->map_lock) == 0);
    /* What failed is the copy: the store itself is none the worse. */
    if (code == EPIPE)
        return ERR_CLOSED;
    return code == MDB_INCOMPATIBLE ? ERR_UNSUPPORTED : code_to_err(code);
}

bool store_copy_must_end(const struct store *store)
{
    return atomic_load(&store->grow_waits);
}

static int tables_measure(struct store *store, struct store_table_usage *tables)
{
    MDB_txn *txn;
    int code = call_begin(store, MDB_RDONLY, &txn);
    if (code != 0)
        return code;
    for (unsigned i = 0; i < store->table_count && code == 0; i++) {
        MDB_stat status = { 0 };
        if (store->tables[i] != TABLE_ABSENT)
            code = mdb_stat(txn, store->tables[i], &status);
        tables[i].records = status.ms_entries;
        tables[i].bytes =
            (uint64_t)status.ms_psize *
            (status.ms_branch_pages + status.ms_leaf_pages + status.ms_overflow_pages);
    }
    mdb_txn_abort(txn);
    return code;
}

enum err store_measure_tables(struct store *store, struct store_table_usage *ret_tables)
{
    ENSURE(pthread_rwlock_rdlock(&store->map_lock) == 0);
    int code = tables_measure(store, ret_tables);
    ENSURE(pthread_rwlock_unlock(&store->map_lock) == 0);
    return code_to_err(code);
}
