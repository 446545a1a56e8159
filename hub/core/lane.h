/*
 * lane.h - whose turn it is when tasks wait in several lanes.
 *
 * The more urgent lane goes first. A lane that settings->lane_passes_max hand-outs have
 * passed over while tasks waited in it has a turn of its own, so that no lane starves.
 * Passes are counted in one row, for the fleet as a whole.
 */
#ifndef CORE_LANE_H
#define CORE_LANE_H

#include "core/task.h"

struct lane_turns {
    enum lane lanes[LANE_COUNT];
    unsigned count;
};

/* The lanes that have been passed over often enough, the most often passed first. */
void lane_turns_find(struct step *step, struct lane_turns *ret_turns);

/* Counts a hand-out from `lane`; the task still counts as queued. */
void lane_count_hand_out(struct step *step, enum lane lane);

#endif
