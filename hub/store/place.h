/*
 * place.h - the directory the store lies in: may it, who else can read it, is it full?
 *
 * Nothing here opens the store's files: closing one would drop LMDB's locks.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "store/store.h"

#define PLACE_DATA "data.mdb"
#define PLACE_LOCK "lock.mdb"
#define PLACE_HUB_LOCK "hub.lock"

enum { PLACE_PATH_BYTES = 4096 };

__attribute__((format(printf, 2, 3))) void problem_set(struct store_problem *problem,
                                                       const char *format, ...);

/* Makes the directory, checks its file system, tightens the modes of what is there. */
enum err place_prepare(const struct store_options *options,
                       struct store_problem *ret_problem);

/* Zero for a file that is not there yet. */
enum err place_data_bytes(const char *directory, uint64_t *ret_bytes);

enum err place_room_bytes(const char *directory, uint64_t *ret_bytes);

/* Why did a write fail without saying it: is the disk, the quota or the largest file
 * this process may write the reason? */
bool place_is_full(const char *directory);

#endif
