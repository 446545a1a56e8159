/*
 * settling.h - what is done to the store's files at a start, before anybody opens them.
 *
 * A change of files that was under way is finished or undone. A store that somebody left a
 * note about (app/suspect.h) is walked; one that is broken, or gone, is restored from the
 * youngest good backup when the settings say so, else the start is refused.
 */
#ifndef APP_SETTLING_H
#define APP_SETTLING_H

#include "app/restoring.h"

/* EXIT_CODE_OK: the store may be opened. The rest was said, in the log and to the
 * complaints. */
enum exit_code store_settle(const struct config *config, walk_go_on *go_on);

/* The first half of it, for who holds the directory. ERR_CORRUPT, ERR_IO, ...: the files
 * are as they were, and *ret_problem says why. */
enum err change_settle(const struct place *place, walk_go_on *go_on,
                       struct vault_problem *ret_problem);

#endif
