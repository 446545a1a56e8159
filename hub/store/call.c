#include "store/inside.h"

#include "base/ensure.h"
#include "store/replace.h"

#include <errno.h>

static int before(const struct store *store, enum store_call call)
{
    const struct store_fault *fault = store->fault;
    return fault == NULL ? 0 : fault->before(fault->context, call);
}

static int after(const struct store *store, enum store_call call, int code)
{
    const struct store_fault *fault = store->fault;
    if (fault != NULL && fault->after != NULL)
        fault->after(fault->context, call, code);
    return code;
}

int call_open(struct store *store, unsigned flags)
{
    int code = before(store, STORE_CALL_OPEN);
    if (code == 0)
        code = mdb_env_open(store->env, store->directory, flags, 0600);
    return after(store, STORE_CALL_OPEN, code);
}

int call_begin(struct store *store, unsigned flags, MDB_txn **ret_txn)
{
    enum store_call call =
        (flags & MDB_RDONLY) != 0 ? STORE_CALL_BEGIN_READ : STORE_CALL_BEGIN_WRITE;
    int code = store->env == NULL ? EIO : before(store, call);
    if (code == 0)
        code = mdb_txn_begin(store->env, NULL, flags, ret_txn);
    return after(store, call, code);
}

int call_renew(struct store *store, MDB_txn *txn)
{
    int code = before(store, STORE_CALL_BEGIN_READ);
    if (code == 0)
        code = mdb_txn_renew(txn);
    return after(store, STORE_CALL_BEGIN_READ, code);
}

int call_get(struct store *store, MDB_txn *txn, MDB_dbi table, MDB_val *key,
             MDB_val *ret_value)
{
    int code = before(store, STORE_CALL_GET);
    if (code == 0)
        code = mdb_get(txn, table, key, ret_value);
    return after(store, STORE_CALL_GET, code);
}

int call_put(struct store *store, MDB_txn *txn, MDB_dbi table, MDB_val *key,
             MDB_val *value)
{
    int code = before(store, STORE_CALL_PUT);
    if (code == 0)
        code = mdb_put(txn, table, key, value, 0);
    return after(store, STORE_CALL_PUT, code);
}

int call_remove(struct store *store, MDB_txn *txn, MDB_dbi table, MDB_val *key)
{
    int code = before(store, STORE_CALL_REMOVE);
    if (code == 0)
        code = mdb_del(txn, table, key, NULL);
    return after(store, STORE_CALL_REMOVE, code);
}

int call_seek(struct store *store, MDB_cursor *cursor, MDB_val *key, MDB_val *ret_value,
              MDB_cursor_op how)
{
    int code = before(store, STORE_CALL_SEEK);
    if (code == 0)
        code = mdb_cursor_get(cursor, key, ret_value, how);
    return after(store, STORE_CALL_SEEK, code);
}

int call_commit(struct store *store, MDB_txn *txn)
{
    int code = before(store, STORE_CALL_COMMIT);
    if (code == 0)
        code = mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    return after(store, STORE_CALL_COMMIT, code);
}

int call_grow(struct store *store, uint64_t bytes)
{
    int code = before(store, STORE_CALL_GROW);
    if (code == 0) {
        code = mdb_env_set_mapsize(store->env, (size_t)bytes);
        /* The old map is gone by then: without a new one nothing can go on. The caller
         * has made sure that there is room for it. */
        ENSURE(code == 0);
    }
    return after(store, STORE_CALL_GROW, code);
}

int call_copy(struct store *store, int fd, unsigned flags)
{
    int code = before(store, STORE_CALL_COPY);
    if (code == 0)
        code = mdb_env_copyfd2(store->env, fd, flags);
    return after(store, STORE_CALL_COPY, code);
}

static int files_mark(void *context)
{
    const struct store *store = context;
    return after(store, STORE_CALL_FILES, before(store, STORE_CALL_FILES));
}

int call_files(struct store *store, const char *file)
{
    return replace_run(store->directory, file, files_mark, store);
}

enum err code_to_err(int code)
{
    switch (code) {
    case MDB_SUCCESS:
        return ERR_OK;
    case MDB_NOTFOUND:
        return ERR_NOT_FOUND;
    case MDB_MAP_FULL:
        return ERR_MAP_FULL;
    case MDB_TXN_FULL:
    case MDB_READERS_FULL:
    case MDB_DBS_FULL:
        return ERR_LIMIT;
    case MDB_VERSION_MISMATCH:
        return ERR_UNSUPPORTED;
    case MDB_PANIC: /* an earlier write of the root failed */
        return ERR_IO;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERR_NO_SPACE;
    case ENOMEM:
        return ERR_MEMORY;
    default:
        /* What is left of LMDB's own codes says that the file is not what it should be;
         * what is left of errno's, that the disk does not do as it is told. */
        return code >= MDB_KEYEXIST && code <= MDB_LAST_ERRCODE ? ERR_CORRUPT : ERR_IO;
    }
}
