/*
 * judge.h - one committed command against the promises (audit.h lists them).
 */
#ifndef SIMULATION_JUDGE_H
#define SIMULATION_JUDGE_H

#include "simulation/audit.h"

void judge_note(struct audit *audit, const struct audit_note *note);

#endif
