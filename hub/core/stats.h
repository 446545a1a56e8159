/*
 * stats.h - how many tasks stand in which state and lane: one row, moved with every task.
 */
#ifndef CORE_STATS_H
#define CORE_STATS_H

#include "core/task.h"

struct stats {
    uint64_t tasks[TASK_STATE_COUNT][LANE_COUNT];
    bool changed; /* since it was read */
};

/* Zeroes for a new store; with what this step has counted. */
void stats_load(struct step *step, struct stats *ret_stats);

/* Writes what the step has counted: one row is moved by many, so it is put down once, when
 * the command is done. */
void stats_settle(struct step *step);

void stats_add(struct step *step, enum task_state state, enum lane lane);
void stats_move(struct step *step, enum lane lane, enum task_state from,
                enum task_state to);

uint64_t stats_of_state(const struct stats *stats, enum task_state state);
uint64_t stats_of_lane(const struct stats *stats, enum lane lane);

/* Tasks that are in no end state. */
uint64_t stats_open(const struct stats *stats);

#endif
