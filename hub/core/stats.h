/*
 * stats.h - how many tasks stand in which state and lane: one row, moved with every task.
 */
#ifndef CORE_STATS_H
#define CORE_STATS_H

#include "core/task.h"

struct stats {
    uint64_t tasks[TASK_STATE_COUNT][LANE_COUNT];
    bool changed; /* since it was read */
    /* A recount under way: tasks with lower numbers than this are counted; 0: none. */
    uint64_t recount_before;
    uint64_t recounted[TASK_STATE_COUNT][LANE_COUNT];
};

/* Zeroes for a new store; with what this step has counted. */
void stats_load(struct step *step, struct stats *ret_stats);

/* Writes what the step has counted: one row is moved by many, so it is put down once, when
 * the command is done. */
void stats_settle(struct step *step);

void stats_add(struct step *step, enum task_state state, enum lane lane);
void stats_move(struct step *step, const struct task *task, enum task_state to);

/* Counts anew, task by task in the order of their numbers, while others move. The end
 * tells whether the counts were wrong; then they are right. */
void stats_recount_start(struct step *step);
void stats_recount(struct step *step, const struct task *task);
bool stats_recount_end(struct step *step);

/* The task is gone. */
void stats_remove(struct step *step, const struct task *task);

uint64_t stats_of_state(const struct stats *stats, enum task_state state);
uint64_t stats_of_lane(const struct stats *stats, enum lane lane);

/* Tasks that are in no end state. */
uint64_t stats_open(const struct stats *stats);

#endif
