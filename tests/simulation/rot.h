/*
 * rot.h - bits of LMDB's own file that change while nobody looks.
 *
 * In a value of a running hub: whoever reads it must find it, and nobody is ever told what
 * it says. Anywhere in the file while the hub is down: a process that reads every record
 * and walks the tables must find it, be it by its end. What is found is restored.
 */
#ifndef SIMULATION_ROT_H
#define SIMULATION_ROT_H

#include <stdbool.h>

struct sim;

/* Both see to it that there is a backup of this history.
 * True: a bit has changed, and the walk has found it. */
bool rot_while_up(struct sim *sim);
/* True: and it was found, and the backup restored. */
bool rot_while_down(struct sim *sim, long down_ms);

#endif
