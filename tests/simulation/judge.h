/*
 * judge.h - one committed command against the promises (audit.h lists them).
 */
#ifndef SIMULATION_JUDGE_H
#define SIMULATION_JUDGE_H

#include "core/core.h"
#include "simulation/audit.h"

void judge_note(struct audit *audit, const struct audit_note *note);

struct audit_task *audit_task_add(struct audit *audit, uint64_t number);
void audit_ready_enter(struct audit *audit, struct audit_task *task);

/* The rows of a backup, made fit to go on with, against those that are given up. */
void judge_restored(struct audit *audit, struct transaction *rows,
                    const struct core_place *place);

#endif
