/*
 * fetch.h - a backup's data, copied out of the vault and held against its manifest.
 */
#ifndef OPS_FETCH_H
#define OPS_FETCH_H

#include "ops/vault.h"

struct fetching {
    struct vault *vault;
    const struct manifest *manifest; /* from vault_look() */
    /* False: give up. NULL: go on in any case. Called often. */
    bool (*go_on)(void *context);
    void *context;
};

/* Makes the file (0600) and syncs it. ERR_CORRUPT: the data is not what the manifest says;
 * ERR_CLOSED: given up; ERR_IO, ERR_NO_SPACE. *ret_problem says why; what was made stays. */
enum err fetch_data(const struct fetching *fetching, const char *path,
                    struct vault_problem *ret_problem);

#endif
