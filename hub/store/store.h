/*
 * store.h - LMDB behind the transaction interface: one writer, many short readers.
 *
 * Every record carries a version and a checksum over its key and value, checked on every
 * read. A commit that returns ERR_OK is synced. No threads of its own.
 *
 * Failure    ERR_MAP_FULL: end the batch, store_grow(), apply it again. ERR_NO_SPACE: the
 *            disk or `bytes_max` is reached; nothing was changed; the store stays usable.
 *            ERR_IO and ERR_CORRUPT: the store is broken; it refuses every later put,
 *            remove and commit with the same error. ERR_LIMIT: too much for one batch.
 * Threads    store_open/close: one thread. The write batch: one thread, always the same.
 *            A reader belongs to one thread at a time, which ends it before it begins
 *            another; readers and the writer run side by side, and store_grow waits for
 *            readers in flight. store_measure and store_check_readers: any thread.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "store/transaction.h"

#include <stdint.h>

struct store;
struct store_fault;
struct store_problem;
struct store_reader;

/* Where a migration has got to: its own bytes, none at first. */
struct store_migration_place {
    size_t size;
    char bytes[TRANSACTION_KEY_BYTES_MAX];
};

/*
 * One step from a version of what lies in the tables to the next. It is called again and
 * again, each time in a batch of its own, until *ret_done: so no batch has to hold it all.
 * `place` is its to keep between the calls. After ERR_MAP_FULL, from it or from the commit,
 * it is called once more with the place it had.
 */
struct store_migration {
    enum err (*run)(struct transaction *batch, struct store_migration_place *place,
                    bool *ret_done);
};

/* The store is broken for good: it refuses all that would be written from now on. */
static inline bool err_breaks_store(enum err err)
{
    return err == ERR_IO || err == ERR_CORRUPT;
}

struct store_options {
    const char *directory;
    const char *const *tables; /* names, in the order of their numbers */
    unsigned table_count;
    uint64_t bytes_first;    /* of the map when the store is new */
    uint64_t bytes_max;      /* the map never grows past this */
    bool forced_file_system; /* accept a file system the rules refuse */
    /* A store that nobody has open and nobody changes: no lock, no trace. */
    bool read_only;
    /*
     * A store of version i becomes one of i + 1 by migrations[i - 1]; this version is one
     * more than there are. An older store is brought to it at opening, in a copy: an error
     * or a crash leaves it as it was. `before_migration` (NULL: nothing) is to back it up
     * with store_copy(), the one call that may be made then; its error ends the opening.
     */
    const struct store_migration *migrations;
    unsigned migration_count;
    enum err (*before_migration)(void *context, struct store *store, uint32_t version,
                                 struct store_problem *ret_problem);
    void *migration_context;
    const struct store_fault *fault; /* for tests: store/fault.h; else NULL */
};

struct store_problem {
    char text[256]; /* one sentence for an operator */
};

/* ERR_EXISTS: another process has it. ERR_UNSUPPORTED: file system, or a store written by
 * a newer version. ERR_CORRUPT, ERR_IO, ERR_MEMORY, ERR_NO_SPACE. Creates the directory
 * (0700) and files (0600). */
enum err store_open(const struct store_options *options, struct store **ret_store,
                    struct store_problem *ret_problem);

/* Accepts NULL. */
void store_close(struct store *store);

/* Of what lies in the tables; older than this one's only where it is read only. */
enum err store_version(struct store *store, uint32_t *ret_version);

/* The same of a store that nobody has open and that need not be one this version can open.
 * 0: nobody knows. */
uint32_t store_version_of(const struct store_options *options);

/*
 * The one batch of the writer thread. The transaction reads through a snapshot and takes
 * LMDB's write lock only at its first put or remove. End it with commit or abort.
 */
struct transaction *store_batch(struct store *store);
bool store_batch_changed(const struct store *store);
enum err store_commit(struct store *store); /* without a change: no sync */
void store_abort(struct store *store);

/* Doubles the map, within bytes_max and the free disk; ERR_NO_SPACE when it cannot.
 * No batch may be open. */
enum err store_grow(struct store *store);

/* Likewise, and a little past bytes_max: for what a hub must write to start at all. */
enum { STORE_START_BYTES = 1024 * 1024 };
enum err store_grow_to_start(struct store *store);

struct store_reader *store_reader_create(struct store *store);
void store_reader_destroy(struct store_reader *reader);
/* A snapshot of the last commit; puts and removes are bugs. Short: end it at once. */
struct transaction *store_reader_begin(struct store_reader *reader);
void store_reader_end(struct store_reader *reader);

struct store_usage {
    uint64_t map_bytes;
    uint64_t used_bytes; /* pages in use, free pages left out */
    uint64_t file_bytes;
    uint64_t bytes_max;
    uint64_t commits; /* synced, since open */
    uint64_t readers;
};

/* Frees the slots of readers that died, whose snapshots would keep old pages from being
 * used again; how many. Cheap: once a minute. */
unsigned store_check_readers(struct store *store);

/* Not while this thread has a reader begun. */
enum err store_measure(struct store *store, struct store_usage *ret_usage);

struct store_table_usage {
    uint64_t records;
    uint64_t bytes; /* of the pages it takes */
};

/* One entry per table, all of one moment; likewise. */
enum err store_measure_tables(struct store *store, struct store_table_usage *ret_tables);

/*
 * Writes a copy of all tables as of the last commit to `fd`, without free pages; readers
 * and the writer go on meanwhile. Blocks for as long as `fd` is slow. ERR_CLOSED: nobody
 * reads `fd` any more. ERR_UNSUPPORTED: only a copy with the free pages (`whole`) can be
 * made of this file: it has leaked some. Any thread.
 *
 * While it runs it holds back the growing of the map: end it (by closing the reading end)
 * as soon as store_copy_must_end().
 */
enum err store_copy(struct store *store, int fd, bool whole);
bool store_copy_must_end(const struct store *store);

#endif
