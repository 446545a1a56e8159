/*
 * steps.h - what happens next: one operation, drawn from its own dice.
 */
#ifndef SIMULATION_STEPS_H
#define SIMULATION_STEPS_H

#include <stdbool.h>

struct sim;

/* `tell`: says on standard error what it is. */
void step_do(struct sim *sim, bool tell);

#endif
