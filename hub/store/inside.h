/*
 * inside.h - what the files of this room share, and nobody else sees.
 */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include "os/file.h"
#include "store/fault.h"
#include "store/frame.h"
#include "store/store.h"

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

/*
 * One snapshot, or the one write transaction, seen as a `struct transaction`. `snapshot`
 * is kept between uses (reset, it pins nothing) because it holds a slot among the
 * readers; `txn` is the one in use: NULL, the snapshot or the write transaction.
 * Cursors live as long as `txn`, one for each table that was walked.
 */
struct view {
    struct transaction transaction;
    struct store *store;
    MDB_txn *snapshot;
    MDB_txn *txn;
    MDB_cursor **cursors;
    enum err err; /* sticky until the view ends */
    bool open;
    bool may_write;
    bool writes;
    bool changed;
    char key[TRANSACTION_KEY_BYTES_MAX];
    char frame[FRAME_HEAD_BYTES + TRANSACTION_VALUE_BYTES_MAX];
};

struct store_reader {
    struct view view;
    struct store_reader *previous;
    struct store_reader *next;
};

struct store {
    MDB_env *env; /* NULL: the file could not be opened again; the store is broken */
    const struct store_fault *fault;
    struct store_options options; /* as it was opened with */
    struct file_lock lock;
    char *directory;
    uint64_t bytes_max;
    MDB_dbi *tables;
    const char *const *table_names;
    unsigned table_count;
    struct view batch;

    /* The writer's; see compact.h. */
    struct store_compaction *compaction;
    struct changes *changes; /* NULL: nobody wants to know */

    pthread_mutex_t readers_lock;
    struct store_reader *reader_first;

    /* Held for reading while a snapshot of another thread is open, for writing while
     * the map moves, or the file changes. */
    pthread_rwlock_t map_lock;
    _Atomic uint64_t map_bytes;
    _Atomic uint64_t commits;
    _Atomic unsigned readers;
    _Atomic int broken;      /* the enum err that stopped all writes */
    _Atomic bool grow_waits; /* store_grow() is about to wait for the readers */
    bool read_only;
};

/* Of store->tables: a store that is only read may lack tables that came later. */
#define TABLE_ABSENT ((MDB_dbi)-1)

enum err view_init(struct view *view, struct store *store, bool may_write);
void view_finish(struct view *view);
void view_begin(struct view *view);
void view_end(struct view *view);
enum err view_commit(struct view *view);

/* What a code of LMDB or errno means; ERR_IO and ERR_CORRUPT stop all writes. */
enum err store_judge(struct store *store, int code);
enum err code_to_err(int code);

/* The calls into LMDB that may be made to fail. */
int call_begin(struct store *store, unsigned flags, MDB_txn **ret_txn);
int call_renew(struct store *store, MDB_txn *txn);
int call_get(struct store *store, MDB_txn *txn, MDB_dbi table, MDB_val *key,
             MDB_val *ret_value);
int call_put(struct store *store, MDB_txn *txn, MDB_dbi table, MDB_val *key,
             MDB_val *value);
int call_remove(struct store *store, MDB_txn *txn, MDB_dbi table, MDB_val *key);
int call_seek(struct store *store, MDB_cursor *cursor, MDB_val *key, MDB_val *ret_value,
              MDB_cursor_op how);
int call_commit(struct store *store, MDB_txn *txn); /* ends it either way */
int call_grow(struct store *store, uint64_t bytes);
int call_copy(struct store *store, int fd, unsigned flags);
int call_open(struct store *store, unsigned flags);
int call_files(struct store *store, const char *file); /* replace_run() */

/* The file alone, nobody looking at it: snapshots are given up, tables opened anew. */
enum err store_env_open(struct store *store, struct store_problem *ret_problem);
void store_env_close(struct store *store);

/* A store in a directory of our own inside another's: no lock, and its version is neither
 * asked for nor changed. */
enum err store_open_copy(const struct store_options *options, struct store **ret_store,
                         struct store_problem *ret_problem);

/* format.c: the version of what lies in the file; 0: it is new. ERR_UNSUPPORTED: it is
 * newer than this one, or something else. */
enum err format_version(struct store *store, uint32_t *ret_version,
                        struct store_problem *ret_problem);

/* It is of this version now. */
enum err format_version_put(struct store *store, struct store_problem *ret_problem);

/* Opens every table, and refuses a store that is not ours to read. */
enum err format_open(struct store *store, const struct store_options *options,
                     struct store_problem *ret_problem);

#endif
