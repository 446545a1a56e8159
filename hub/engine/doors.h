/*
 * doors.h - the engine's side of its doors.
 */
#ifndef ENGINE_DOORS_H
#define ENGINE_DOORS_H

#include "engine/door.h"
#include "os/ring.h"
#include "os/wake.h"

#include <stdatomic.h>

enum {
    DOORS_MAX = 64,
    DOOR_BATCHES_MAX = 16, /* committed batches that may wait for one net thread */
    DOOR_LINK_SHIFT = 56,  /* a link's first byte names its door */
};

struct door {
    struct ring *in;
    struct ring *out;
    struct wake *engine_wake;
    void (*wake)(void *context);
    void *context;
    uint64_t link_first;
    atomic_bool watching; /* the net thread wants to hear of new events */
    atomic_bool parked;   /* the net thread found `in` full and waits to be woken */
    atomic_bool starved;  /* the engine found `out` full and waits to be woken */
};

/* `number` counts from 1. NULL without memory. */
struct door *door_create(uint32_t number, uint32_t ring_slots, struct wake *engine_wake);

/* Accepts NULL; frees what stands in the rings. */
void door_destroy(struct door *door);

/* Claims the way out for one batch; false asks the net thread for a wake-up. */
bool door_claim(struct door *door);

/* Takes the batch (room is claimed) and wakes the net thread. */
void door_release(struct door *door, struct release_batch *batch);

/* After envelopes were taken: wakes a net thread that waits for room. */
void door_unpark(struct door *door);

#endif
