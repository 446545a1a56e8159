/*
 * reading.h - a store that nobody changes, open to be read: a backup, a copy, that of a
 * hub that stands still. It is read without a lock and keeps no trace of it.
 */
#ifndef OPS_READING_H
#define OPS_READING_H

#include "ops/vault.h"
#include "store/store.h"

/* True when a hub has the store open: what is read of it would change meanwhile. */
bool reading_is_refused(const char *directory, struct vault_problem *ret_problem);

/* As store_open(). *ret_problem says why it cannot be. */
enum err reading_open(const char *directory, struct store **ret_store,
                      struct vault_problem *ret_problem);

/* Calls `look` with a snapshot of an open store, and returns what it returns. */
enum err reading_look(struct store *store,
                      enum err (*look)(struct transaction *snapshot, void *context),
                      void *context);

#endif
