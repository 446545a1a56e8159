/*
 * bench_engine.h - an engine on a store of its own, turned by hand, with one door.
 */
#ifndef SUPPORT_ENGINE_BENCH_ENGINE_H
#define SUPPORT_ENGINE_BENCH_ENGINE_H

#include "engine/engine.h"
#include "store/fault.h"

struct bench_engine {
    char directory[64];
    char journal_directory[80];
    struct store *store;
    struct journal *journal;
    struct engine *engine;
    struct door *door;
    uint32_t wakes;
    uint32_t breaks;
    enum err broken;
};

struct bench_engine_options {
    uint64_t bytes_first;
    uint64_t bytes_max;
    uint32_t ring_slots;
    const struct store_fault *fault;
    bool journal; /* what is done is kept, in the folder `journal` */
};

void bench_engine_start(struct bench_engine *bench,
                        const struct bench_engine_options *options);
/* Closes and opens again, as after a restart. */
void bench_engine_restart(struct bench_engine *bench,
                          const struct bench_engine_options *options);
void bench_engine_finish(struct bench_engine *bench);

/* The n-th link of the door, from 0. */
uint64_t bench_engine_link(const struct bench_engine *bench, uint32_t n);

/* An envelope of `actor` (an agent) on the n-th link, ready for its message. */
struct envelope *bench_engine_envelope(const struct bench_engine *bench,
                                       const char *actor, uint32_t n,
                                       enum message_type type);

/* Pushes identify and task_submit; ENSUREs that there is room. */
void bench_engine_identify(struct bench_engine *bench, const char *actor, uint32_t n);
void bench_engine_submit(struct bench_engine *bench, const char *actor, uint32_t n,
                         const char *description);

/* Pops every released batch; counts releases whose frame holds `text`. */
uint32_t bench_engine_count(struct bench_engine *bench, const char *text);

uint64_t bench_engine_commits(const struct bench_engine *bench);

#endif
