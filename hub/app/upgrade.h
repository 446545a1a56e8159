/*
 * upgrade.h - a store of an older version, and the way back to it.
 *
 * Before the first step that changes it the store is backed up, as it is, and the backup
 * read back; its name ends with the version (-v1). Without it nothing is changed. It is
 * what an older hub is given when somebody goes back.
 */
#ifndef APP_UPGRADE_H
#define APP_UPGRADE_H

#include "app/restoring.h"

struct upgrade {
    const struct config *config;
    walk_go_on *go_on;
    char backup[MANIFEST_NAME_BYTES + 1]; /* that was made; "": none was needed */
};

/* For store_options.before_migration, with a struct upgrade as its context. */
enum err upgrade_back_up(void *context, struct store *store, uint32_t version,
                         struct store_problem *ret_problem);

/* Of a store that is of a newer version: says which backup leads back. */
void upgrade_say_way_back(const struct config *config);

#endif
