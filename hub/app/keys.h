/*
 * keys.h - the key ring at the start, and the way to the first administrator.
 *
 * A hub without an administrator has a secret in the file ENROLMENT_FILE of its data
 * directory, readable for its owner only. Who shows it becomes an administrator, once.
 */
#ifndef APP_KEYS_H
#define APP_KEYS_H

#include "engine/engine.h"
#include "gate/gate.h"

#define ENROLMENT_FILE "enrolment.secret"

/*
 * Fills the gate's ring from the store. A hub without any administrator has a good secret
 * in its file afterwards; one that can be enrolled by nobody has no such file. After
 * engine_prepare, before engine_start.
 */
enum err keys_load(struct engine *engine, struct store *store, struct gate *gate,
                   const char *directory);

/* Draws a new secret, writes it to its file, then commits its digest: a crash between the
 * two leaves a file that the next start or the next call replaces. An older secret is void.
 * After engine_prepare, before engine_start. */
enum err enrolment_offer(struct engine *engine, const char *directory);

/* The secret is void: its file goes. */
void enrolment_over(const char *directory);

#endif
