/*
 * restore.h - a backup becomes the store of a data directory, whole or not at all.
 *
 *   DATA/restoring/data.mdb   the store to be, until it has taken its place
 *   DATA/data.mdb.prev        the store that was, until the new one is known to be good
 *
 * restore_prepare() makes the first beside a hub that runs; restore_merge() takes over
 * from the store given up what must not be undone; restore_swap() puts the new one in its
 * place by one rename. Killed anywhere between, there is one whole store at DATA/data.mdb,
 * the old or the new; restore_settle() tidies up at the next start.
 */
#ifndef OPS_RESTORE_H
#define OPS_RESTORE_H

#include "core/restore.h"
#include "ops/vault.h"
#include "store/store.h"

struct restore_options {
    const char *data;
    struct vault *vault;
    const char *name;
    const char *requested_by; /* NULL: somebody at the machine */
    const struct core_settings *settings;
    uint64_t bytes_max;
    bool forced_file_system;
    uint64_t epoch;  /* greater than that of the store given up, when it is known */
    int64_t wall_ms; /* now */
    /* False: give up. NULL: go on in any case. Called often. */
    bool (*go_on)(void *context);
    void *context;
};

/* The backup's data, copied, digested and made fit to be lived in. */
enum err restore_prepare(const struct restore_options *options,
                         struct vault_problem *ret_problem);

/* Revoked tokens stay revoked. `live` is the store given up, open and at rest. */
enum err restore_merge(const struct restore_options *options, struct store *live,
                       struct vault_problem *ret_problem);

/* Nobody has either store open. `step` is called between any two steps (NULL: nothing). */
enum err restore_swap(const char *data, void (*step)(void *context), void *context,
                      struct vault_problem *ret_problem);

/* Before a store is opened: true when a swap was under way and the new store is to be
 * walked now. */
bool restore_is_pending(const char *data);

/* It was walked: the old one goes, or it comes back. Removes what never took its place. */
enum err restore_settle(const char *data, bool good, struct vault_problem *ret_problem);

/* Removes what was prepared and did not take its place. */
void restore_forget(const char *data);

#endif
