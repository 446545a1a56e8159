/*
 * restoring.h - a store that is no hub's at the moment: one that was being restored when
 * the hub ended, and the errand that restores one.
 */
#ifndef APP_RESTORING_H
#define APP_RESTORING_H

#include "app/hub.h"

/* Before the store is opened: what a restore left half done is finished or undone. */
enum exit_code store_settle(const struct config *config);

/* Restores the store of a hub that is stopped. Says what will be lost, and asks unless
 * `sure`. `forced`: a backup of another store is taken, and what cannot be read is given
 * up. */
enum exit_code store_restore(const struct config *config, const char *backup, bool sure,
                             bool forced);

#endif
