/*
 * disk.h - the store of a simulated hub: it forgets what was not committed, and fails on
 * demand at any call.
 *
 * Behind store/store.h (seam.c leads there) stands either a model, rows in memory, or the
 * real LMDB in a folder of its own. Both are written through the same proxy, which keeps
 * what each command changed for the audit.
 *
 * A crash is a call that fails while `crashed` is set: from then on nothing reaches the
 * rows, and whatever the hub still does is thrown away by the caller.
 */
#ifndef SIMULATION_DISK_H
#define SIMULATION_DISK_H

#include "base/arena.h"
#include "core/memory_transaction.h"
#include "simulation/plan.h"
#include "store/fault.h"
#include "store/store.h"

struct sim;

/* One put or remove of the batch that is open. */
struct disk_change {
    unsigned table;
    struct slice key;
    struct slice before; /* absent: no row */
    struct slice after;  /* absent: removed */
};

enum { DISK_FLIPS_MAX = 4 };

struct disk_flip {
    unsigned table;
    size_t key_size;
    char key[TRANSACTION_KEY_BYTES_MAX];
    bool rewritten; /* in the batch that is open */
};

struct disk {
    struct transaction proxy; /* the batch, as the core sees it */
    struct sim *sim;
    enum plan_store kind;
    struct memory_store *rows; /* the model's */
    struct store *real;        /* LMDB's */
    struct store_fault fault;
    char directory[64];

    struct transaction *inner; /* what the proxy leads to while a batch is open */
    bool batch_open;
    bool changed;
    enum err err;    /* of the batch, sticky */
    enum err broken; /* refuses every later write until the store is opened again */
    bool crashed;
    bool harmed; /* something of the seed's doing has gone wrong since it was opened */
    bool nearly_full;
    struct store_reader *look;

    enum point armed; /* POINT_COUNT: nothing goes wrong in this batch */
    uint32_t armed_at;
    uint32_t reads;
    uint32_t puts;

    struct disk_flip flips[DISK_FLIPS_MAX];
    unsigned flip_count;

    struct arena arena; /* of the changes */
    struct disk_change *changes;
    size_t change_count;
    size_t change_room;
    uint64_t commits;
};

void disk_init(struct disk *disk, struct sim *sim, enum plan_store kind);
void disk_finish(struct disk *disk);

/* A folder of its own for a store, in memory where there is such a place. */
void disk_directory_make(char directory[64]);
void disk_directory_remove(const char *directory);

/* The store that lies there, as a hub has it open. */
enum err disk_store_open(const char *directory, const struct store_fault *fault,
                         struct store **ret_store);

/* Power comes back: only what was committed is there. The store to give the engine. */
enum err disk_open(struct disk *disk, struct store **ret_store);

/* The process ends, in good order or not. */
void disk_close(struct disk *disk);

/* LMDB's is closed while the hub is down. */
bool disk_can_look(const struct disk *disk);

/* A transaction on what is committed, for looking. End it with disk_look_end(). */
struct transaction *disk_look(struct disk *disk);
void disk_look_end(struct disk *disk);

/* Some bit of some row changes while nobody looks. False: there is no row to spoil. */
bool disk_flip(struct disk *disk, struct dice *dice);
/* LMDB's own file is about to have another bit there. False: it has one already. */
bool disk_flip_note(struct disk *disk, unsigned table, struct slice key);
/* Somebody put things right. */
void disk_mend(struct disk *disk);

/* What seam.c puts in the place of store/store.h. */
struct transaction *disk_batch(struct disk *disk);
enum err disk_commit(struct disk *disk);
void disk_abort(struct disk *disk);
enum err disk_grow(struct disk *disk);
void disk_measure(struct disk *disk, struct store_usage *ret_usage);
struct store_reader *disk_reader_create(struct disk *disk);
void disk_reader_destroy(struct store_reader *reader);
struct transaction *disk_reader_begin(struct store_reader *reader);
void disk_reader_end(struct store_reader *reader);

#endif
