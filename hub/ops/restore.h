/*
 * restore.h - a backup becomes the store of a data directory, whole or not at all.
 *
 * restore_prepare() makes DATA/restoring/data.mdb beside a hub that runs; restore_merge()
 * takes over from the store given up what must not be undone; restore_swap() gives the new
 * one the store's name. Killed anywhere between, there is one whole store at DATA/data.mdb,
 * the old or the new; replace_settle() tidies up at the next start.
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

/* Revoked tokens stay revoked. `live` is the store given up, open (it may be to be read
 * only) and at rest. */
enum err restore_merge(const struct restore_options *options, struct store *live,
                       struct vault_problem *ret_problem);

/* The event that tells of it, in the prepared store's log. */
enum err restore_tell(const struct restore_options *options,
                      const struct core_restore_story *story,
                      struct vault_problem *ret_problem);

/* The prepared store takes its place by store/replace.h, and is to be walked once more.
 * Nobody has either store open. */
enum err restore_swap(const char *data, struct vault_problem *ret_problem);

#endif
