/*
 * run.h - many seeds, in processes of their own: a seed that aborts is found as well as
 * one that breaks a promise.
 */
#ifndef SIMULATION_RUN_H
#define SIMULATION_RUN_H

#include "simulation/sim.h"

struct run_options {
    uint64_t first;
    uint64_t seeds;
    uint64_t seconds; /* real ones; 0: as long as it takes */
    unsigned jobs;
    enum plan_store store;
    const struct wire *wire;
};

struct run_failure {
    uint64_t seed;
    uint64_t steps; /* done when it failed, the last one counted */
    struct sim_outcome outcome;
};

struct run_totals {
    uint64_t seeds;
    uint64_t again; /* seeds run a second time */
    uint64_t messages;
    uint64_t commits;
    uint64_t hand_outs;
    uint64_t completions;
    uint64_t restarts;
    uint64_t replayed;     /* commits played back from journals */
    double years;          /* of virtual time */
    double seconds_median; /* of processor time a seed took */
    uint64_t reached[POINT_COUNT];
};

/* True: every promise held. Else the first failure that was seen. */
bool run_all(const struct run_options *options, struct run_totals *ret_totals,
             struct run_failure *ret_failure);

/* One seed, or a part of it, in a process of its own: how it ended. A death is told as if
 * it were a broken promise. */
void run_apart(const struct sim_options *options, struct sim_outcome *ret_outcome,
               uint64_t *ret_steps);

#endif
