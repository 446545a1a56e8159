/*
 * turn.h - the inside of the engine: what one turn needs between its steps.
 */
#ifndef ENGINE_TURN_H
#define ENGINE_TURN_H

#include "engine/between.h"
#include "engine/doors.h"
#include "engine/engine.h"
#include "engine/fleet_clock.h"
#include "engine/judge.h"
#include "engine/order.h"
#include "engine/recorder.h"
#include "engine/release.h"
#include "os/thread.h"

struct engine {
    struct engine_options options;
    struct wake wake;
    struct fleet_clock clock;
    struct order *order;
    struct door *doors[DOORS_MAX];
    struct ring *rings[DOORS_MAX];
    struct release_batch *outbox[DOORS_MAX]; /* of the batch being applied */
    uint32_t door_count;
    struct door *jobs; /* the door that jobs leave by, and its place; NULL: none */
    uint32_t jobs_number;

    struct ordered *batch; /* batch_max entries: taken, [batch_next, batch_count) waits */
    uint32_t batch_next;
    uint32_t batch_count;
    bool alone; /* the rest of the batch goes one by one: together it failed */

    struct recorder recorder;
    uint64_t event_last;   /* the highest event of the batch being applied; 0 none */
    struct arena arena;    /* effects of one command */
    struct buffer scratch; /* one rendered frame */
    int64_t next_due_ms;   /* monotonic: when a tick is wanted */
    int64_t full_ms;       /* monotonic: when something last did not fit; 0 never */
    int64_t measured_ms;   /* monotonic: when the store was last measured */

    _Atomic int64_t turned_ms; /* monotonic: when the thread last began a turn */
    struct between between;
    bool between_ready;

    atomic_bool broken;
    atomic_bool intake_closed;
    atomic_bool stopping;
    bool started;
    struct thread thread;
};

/* Applies what waits in engine->batch and commits it. Takes at least one command or, when
 * none waits, runs a tick. */
void turn_run(struct engine *engine);

#endif
