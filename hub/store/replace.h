/*
 * replace.h - a new file becomes the store, whole or not at all: the one change of files
 * for compaction, migration and restore.
 *
 *   NEW/data.mdb   the store to be, in a directory of its own beside the one in use
 *   data.mdb       the store: the old one or the new, at every instant a whole one
 *   data.prev      the old one, from before the new one has the name until that is known
 *                  to be good
 *
 * A data.prev at start tells that a change was under way: the store is read then, from end
 * to end, and replace_settle() is told how that went.
 *
 * Threads    One, and nobody has either file open.
 */
#ifndef STORE_REPLACE_H
#define STORE_REPLACE_H

#include "base/err.h"

#include <stdbool.h>

#define REPLACE_PREVIOUS "data.prev"

/* The directories in which stores to be are made. */
#define REPLACE_COMPACTING "compacting"
#define REPLACE_RESTORING "restoring"

/* Gives `file`, which is synced, the store's name; 0 or an errno. `mark` (NULL: nobody) is
 * asked between any two steps and may end it with a code of its own. */
int replace_run(const char *directory, const char *file, int (*mark)(void *context),
                void *context);

/* True when a change of files has not been settled. */
bool replace_is_pending(const char *directory);

/* The store that has the name is good: the old one goes. It is not: the old one gets its
 * name back. ERR_IO, ERR_NO_SPACE. */
enum err replace_settle(const char *directory, bool good);

/* Removes a store to be that did not become one. */
void replace_forget(const char *directory, const char *made);

#endif
