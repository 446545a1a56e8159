/*
 * suspect.h - a note in the data directory that its store is to be walked before it is
 * used again.
 *
 * A record that rotted is found when somebody reads it, and a page that did may end the
 * process: the next start sees nothing of either. So whoever finds out leaves the note,
 * and so does the end of the process by a fault of its own. It goes once the store has
 * been walked and is good, or a good one has taken its place.
 */
#ifndef APP_SUSPECT_H
#define APP_SUSPECT_H

#include <stdbool.h>

#define SUSPECT_FILE "store.suspect"

/* Leaves the note. `why` is one word for whoever reads it. */
void suspect_note(const char *data, const char *why);

bool suspect_is_noted(const char *data);

/* A store is going to take the place of a broken one: how often that was tried since the
 * note was left, this time included. */
unsigned suspect_count_try(const char *data);

void suspect_clear(const char *data);

/* From now on a fault that ends this process leaves the note, too. */
void suspect_watch(const char *data);

#endif
