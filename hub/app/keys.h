/*
 * keys.h - the key ring at the start, and the first administrator's token.
 */
#ifndef APP_KEYS_H
#define APP_KEYS_H

#include "engine/engine.h"
#include "gate/gate.h"

/*
 * Fills the gate's ring from the store. A hub without any administrator gets one first:
 * the token's text is written to `directory`/admin.token, then its key is committed.
 * After engine_prepare, before engine_start.
 */
enum err keys_load(struct engine *engine, struct store *store, struct gate *gate,
                   const char *directory);

#endif
