/*
 * migrate.h - a store of an older version becomes one of this: in a copy, which takes the
 * store's name only when it is whole.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/store.h"

/* The store's file is open, and of `version`, which is older than this one's; nobody else
 * looks at it. Afterwards it is not open. An error leaves the store as it was. */
enum err migrate_run(struct store *store, uint32_t version,
                     struct store_problem *ret_problem);

#endif
