/*
 * plan.h - what a seed stands for: how large the fleet is, how long it runs, what goes
 * wrong and how often. All of it is drawn from the seed.
 */
#ifndef SIMULATION_PLAN_H
#define SIMULATION_PLAN_H

#include "core/settings.h"
#include "simulation/dice.h"
#include "simulation/point.h"

enum {
    AGENTS_MAX = 64,
    CLIENTS_MAX = 8,
    CAPABILITIES = 6,
};

enum plan_store {
    PLAN_STORE_MODEL, /* rows in memory, committed and not */
    PLAN_STORE_LMDB,  /* the real one */
};

struct plan {
    uint64_t seed;
    enum plan_store store;
    uint64_t operations;
    int64_t span_ms; /* virtual time, faults on */
    unsigned agents;
    unsigned clients;
    unsigned capabilities;
    unsigned lanes;
    uint32_t open_max;     /* tasks the clients keep open at most */
    uint32_t verify_every; /* commits between two walks over all tables */
    uint32_t gather;       /* per mille: a frame waits for others before the turn */
    uint32_t ring_slots;
    uint32_t batch_max;
    struct core_settings settings;
    uint32_t rate[POINT_COUNT]; /* per mille; 0: this seed leaves it alone */
};

void plan_make(struct plan *plan, uint64_t seed, enum plan_store store);

/* Other settings of the same fleet, as an operator may choose them at a restart. */
void plan_settings(const struct plan *plan, struct dice *dice,
                   struct core_settings *ret_settings);

#endif
