/*
 * shrink.h - the least of a run that still goes wrong.
 */
#ifndef SIMULATION_SHRINK_H
#define SIMULATION_SHRINK_H

#include "simulation/run.h"

/*
 * Leaves out operations, more and more of them, as long as the same promise breaks.
 * `left_out` has room for `count` marks, all false at first. Returns how many are left.
 */
uint64_t shrink(const struct sim_options *options, const struct sim_outcome *failure,
                bool *left_out, uint64_t count);

/* "3-7,9": the operations that are left. */
void shrink_text(const bool *left_out, uint64_t count, char *text, size_t room);

/* Reads such a list, or a number alone: the first so many. False when it is neither. */
bool shrink_parse(const char *text, bool **ret_left_out, uint64_t *ret_count);

#endif
