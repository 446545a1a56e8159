/*
 * sim.h - one simulated fleet, whole: a hub made of the production core, engine and gate,
 * agents and clients, the network between them, the clocks and the disk.
 *
 * One thread, virtual time, one seed: the same seed gives the same run, to the byte.
 */
#ifndef SIMULATION_SIM_H
#define SIMULATION_SIM_H

#include "simulation/agenda.h"
#include "simulation/agent.h"
#include "simulation/audit.h"
#include "simulation/backup.h"
#include "simulation/client.h"
#include "simulation/disk.h"
#include "simulation/history.h"
#include "simulation/hub.h"
#include "simulation/network.h"
#include "simulation/trace.h"
#include "wire/wire.h"

/* Which operations of a seed are done: all, the first ones, or those of a list. */
struct choice {
    uint64_t count;       /* operations looked at */
    const bool *left_out; /* `count` of them, or NULL */
};

struct sim {
    struct plan plan;
    struct dice dice; /* of the operation that goes on */
    uint64_t operation;
    bool calm; /* the liveness phase: no fault any more */
    int64_t monotonic_ms;
    int64_t wall_offset_ms;
    int64_t started_ms;
    int64_t lease_ms_max; /* the longest of any setting of this run */
    uint64_t verified_commits;
    uint64_t restores;     /* so far */
    uint64_t restored_run; /* the hub's last run before the last of them */
    const struct wire *wire;
    struct wire_reader *reader; /* of agents and clients */

    struct disk disk;
    struct history history;
    struct backup backup;
    struct hub hub;
    struct agenda agenda;
    struct network network;
    struct agents agents;
    struct clients clients;
    struct audit audit;
    struct trace trace;

    uint64_t *reached;  /* POINT_COUNT counters */
    uint64_t messages;  /* heard by the hub */
    const char *broken; /* the first promise that did not hold; fixed text */
    char broken_about[160];
};

/* Does the fault happen here and now? Counts it. */
bool sim_fault(struct sim *sim, enum point point);

/* Keeps the first broken promise; `about` may be NULL. */
void sim_break(struct sim *sim, const char *text, const char *about);

static inline bool sim_is_broken(const struct sim *sim)
{
    return sim->broken != NULL;
}

static inline int64_t sim_wall_ms(const struct sim *sim)
{
    return sim->monotonic_ms + sim->wall_offset_ms;
}

/* Events that are due happen, the clocks go on to `until_ms`, and the hub takes its turns
 * whenever something waits for it. */
void sim_run_until(struct sim *sim, int64_t until_ms);

struct sim_options {
    uint64_t seed;
    enum plan_store store;
    struct choice choice;
    const struct wire *wire;
    uint64_t *reached;
    const char *trace_path; /* NULL: only the hash is kept */
    uint64_t *progress;     /* the step that goes on; may be NULL */
    bool tell;              /* each operation to standard error */
};

struct sim_outcome {
    uint64_t hash;
    int64_t span_ms; /* virtual */
    uint64_t messages;
    uint64_t operations; /* that were to be done */
    uint64_t commits;
    uint64_t hand_outs;
    uint64_t completions;
    uint64_t restarts;
    uint64_t replayed; /* commits played back from the journal */
    char broken[96];   /* empty: every promise held */
    char about[160];
};

void sim_run(const struct sim_options *options, struct sim_outcome *ret_outcome);

#endif
