/*
 * hub_program.h - drover-hub, which stands beside this program: it alone opens stores.
 */
#ifndef CLI_HUB_PROGRAM_H
#define CLI_HUB_PROGRAM_H

#include "base/buffer.h"
#include "cli/outcome.h"

#include <stdbool.h>

/* Becomes drover-hub with these arguments, which end with NULL and do not name the program.
 * Returns only when there is none. */
enum outcome hub_program_become(const char *const *arguments);

/* Runs it to its end: its exit code, or -1 when there is none. What it says on standard
 * output is added to `said`; its complaints are ours. */
int hub_program_run(const char *flag, const char *subject, struct buffer *said);

#endif
