/*
 * compact.h - the store's file written anew, without its free pages, while it is in use.
 *
 * A copy is made of a snapshot; what changes meanwhile is noted and brought after it, again
 * and again; the last of it, and the change of files, happen on the writer's thread between
 * two batches, by store/replace.h. Until the new file has its name the old one is the
 * store, whatever happens.
 *
 * Threads    begin, swap and end: the writer's, no batch open. open and follow: one other.
 */
#ifndef STORE_COMPACT_H
#define STORE_COMPACT_H

#include "store/store.h"

struct store_compaction;

/* Changes are noted from now on. *ret_fd is the new file, for store_copy(): the caller
 * syncs and closes it. ERR_EXISTS: one is under way. ERR_MEMORY, ERR_IO, ERR_NO_SPACE. */
enum err store_compaction_begin(struct store *store, struct store_compaction **ret,
                                int *ret_fd);

/* The directory with the new file in it, as long as the compaction lives. */
const char *store_compaction_directory(const struct store_compaction *compaction);

/* The copy is whole, synced, and nobody else has it open. */
enum err store_compaction_open(struct store_compaction *compaction);

/* Brings what has changed since the last call; *ret_rows tells how much that was. It is
 * done with once few rows are left. ERR_LIMIT: too much changes. */
enum err store_compaction_follow(struct store_compaction *compaction, uint64_t *ret_rows);

/* Brings the rest, and the new file becomes the store. An error leaves the old one, which
 * goes on, unless the store is broken. Waits for readers in flight. */
enum err store_compaction_swap(struct store_compaction *compaction);

/* Also after a failure of any of these. Accepts NULL. Where the writer has ended: any
 * thread. */
void store_compaction_end(struct store_compaction *compaction);

#endif
