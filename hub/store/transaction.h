/*
 * transaction.h - the tables as the core sees them: ordered bytes, nothing else.
 *
 * Tables are numbered from 0 by whoever opens the store; keys order by memcmp.
 *
 * Ownership  Slices handed out are borrowed and valid until the next put, remove or end
 *            of this transaction: copy what is kept.
 * Failure    ERR_NOT_FOUND is an answer. Any other error is the world's: the transaction
 *            cannot be committed any more and every later call returns the same error.
 * Threads    One at a time.
 */
#ifndef STORE_TRANSACTION_H
#define STORE_TRANSACTION_H

#include "base/err.h"
#include "base/slice.h"

enum {
    TRANSACTION_KEY_BYTES_MAX = 500,
    TRANSACTION_VALUE_BYTES_MAX = 2000, /* longer payloads are laid out in pieces */
};

struct transaction;

struct transaction_methods {
    enum err (*get)(struct transaction *, unsigned table, struct slice key,
                    struct slice *ret_value);
    enum err (*put)(struct transaction *, unsigned table, struct slice key,
                    struct slice value);
    enum err (*remove)(struct transaction *, unsigned table, struct slice key);
    enum err (*first_from)(struct transaction *, unsigned table, struct slice key,
                           struct slice *ret_key, struct slice *ret_value);
    enum err (*last_before)(struct transaction *, unsigned table, struct slice key,
                            struct slice *ret_key, struct slice *ret_value);
};

/* Implementations embed this as their first member. */
struct transaction {
    const struct transaction_methods *methods;
};

static inline enum err transaction_get(struct transaction *transaction, unsigned table,
                                       struct slice key, struct slice *ret_value)
{
    return transaction->methods->get(transaction, table, key, ret_value);
}

/* Adds the row or replaces it. */
static inline enum err transaction_put(struct transaction *transaction, unsigned table,
                                       struct slice key, struct slice value)
{
    return transaction->methods->put(transaction, table, key, value);
}

static inline enum err transaction_remove(struct transaction *transaction, unsigned table,
                                          struct slice key)
{
    return transaction->methods->remove(transaction, table, key);
}

/* The first row whose key is not less than `key`. */
static inline enum err transaction_first_from(struct transaction *transaction,
                                              unsigned table, struct slice key,
                                              struct slice *ret_key,
                                              struct slice *ret_value)
{
    return transaction->methods->first_from(transaction, table, key, ret_key, ret_value);
}

/* The last row whose key is less than `key`; an absent slice means past the end. */
static inline enum err transaction_last_before(struct transaction *transaction,
                                               unsigned table, struct slice key,
                                               struct slice *ret_key,
                                               struct slice *ret_value)
{
    return transaction->methods->last_before(transaction, table, key, ret_key, ret_value);
}

#endif
