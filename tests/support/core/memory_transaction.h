/*
 * memory_transaction.h - store/transaction.h in memory, for tests: ordered rows, commit
 * and rollback, faults on demand.
 *
 * Slices it hands out are poisoned and freed at the next put or remove (and at commit
 * and rollback), so that holding on to one shows at once.
 *
 * Failure    Running out of memory aborts: this is test code.
 */
#ifndef SUPPORT_MEMORY_TRANSACTION_H
#define SUPPORT_MEMORY_TRANSACTION_H

#include "store/transaction.h"

struct memory_store;

struct memory_store *memory_store_create(unsigned table_count);

/* Accepts NULL. */
void memory_store_destroy(struct memory_store *store);

/* A store with the same committed and pending rows, and no faults set. */
struct memory_store *memory_store_copy(const struct memory_store *store);

/* The one transaction of this store: always open. */
struct transaction *memory_transaction(struct memory_store *store);

/* What was written since the last commit stays. An error of the transaction must not be
 * pending: that aborts. */
void memory_commit(struct memory_store *store);

/* What was written since the last commit is undone, and a pending error forgotten. */
void memory_rollback(struct memory_store *store);

/* The `call`-th call from now (1: the next) returns `err`, and every later one too until
 * memory_rollback(). 0: no fault. */
void memory_fail_at(struct memory_store *store, uint64_t call, enum err err);

/* Writes abort from now on, or are fine again. */
void memory_set_read_only(struct memory_store *store, bool read_only);

/* Calls made since the store was created. */
uint64_t memory_calls(const struct memory_store *store);

/* Writes made since the last commit or rollback. */
uint64_t memory_writes(const struct memory_store *store);

uint64_t memory_rows(const struct memory_store *store, unsigned table);

/* The same rows, byte for byte. */
bool memory_store_equal(const struct memory_store *one, const struct memory_store *other);

/* The first table in which the two differ, or -1. */
int memory_store_difference(const struct memory_store *one,
                            const struct memory_store *other);

#endif
