/*
 * history.h - the command journal as the settings want it, and the store as it was.
 *
 * Threads    The main thread.
 */
#ifndef APP_HISTORY_H
#define APP_HISTORY_H

#include "app/arguments.h"
#include "app/hub.h"
#include "store/journal.h"

/* NULL when no journal is wanted, or none can be written now, which is logged. Settings that
 * cannot be right, and a journal that is another hub's, are refused: see the complaints. */
enum exit_code history_open(const struct config *config, struct journal **ret_journal);

/* --store-at: the store as it was, made there; a hub may be running. */
enum exit_code history_point(const struct config *config,
                             const struct errand_subject *wish);

#endif
