/*
 * handlers.h - one handler per message the core is handed, in files named after them.
 */
#ifndef CORE_HANDLERS_H
#define CORE_HANDLERS_H

#include "core/step.h"

#define ROW(NAME, name) void on_##name(struct step *, const struct message_##name *);
MESSAGE_COMMANDS(ROW)
MESSAGE_QUERIES(ROW)
#undef ROW

#endif
