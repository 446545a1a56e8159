/*
 * scrub.h - every record read and its checksum held against it, a few at a time, so that
 * rot is found before somebody needs what rotted.
 *
 * Threads    Any, one scrub each; not while this thread has a reader begun.
 */
#ifndef STORE_SCRUB_H
#define STORE_SCRUB_H

#include "store/store.h"

/* Where it has got to; zeroed at first. */
struct store_scrub {
    unsigned table;
    size_t key_size; /* 0: at the table's beginning */
    char key[TRANSACTION_KEY_BYTES_MAX];
    uint64_t records; /* read so far */
    uint64_t bytes;
};

/* A record that is not what was written. */
struct store_rot {
    const char *table;  /* its name */
    struct slice key;   /* points into the scrub */
    struct slice bytes; /* as they lie on the disk, cut when long; in `kept` */
    char kept[4096];
};

/*
 * Reads the next records, at most `most`, in a snapshot of its own. ERR_NOT_FOUND: all have
 * been read. ERR_CORRUPT: *ret_rot names a record; called again it goes on behind it. Any
 * other error is the disk's, or says that the file itself is torn. The store goes on: what
 * rotted stops it when it is needed.
 */
enum err store_scrub(struct store *store, struct store_scrub *scrub, unsigned most,
                     struct store_rot *ret_rot);

#endif
