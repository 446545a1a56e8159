#include "engine/doors.h"

#include "base/ensure.h"
#include "os/counter.h"
#include "os/entropy.h"

#include <stdlib.h>

/* Between the door's number and the count of links: tells the runs of a hub apart. */
#define RUN_BITS 24
#define LINK_BITS 32

static size_t power_of_two(size_t number)
{
    size_t power = 1;
    while (power < number)
        power *= 2;
    return power;
}

struct door *door_create(uint32_t number, uint32_t ring_slots, struct wake *engine_wake)
{
    ENSURE(number > 0 && number <= DOORS_MAX);

    struct door *door = calloc(1, sizeof *door);
    if (door == NULL)
        return NULL;
    uint64_t run = entropy_u64() & (((uint64_t)1 << RUN_BITS) - 1);
    door->link_first = (uint64_t)number << DOOR_LINK_SHIFT | run << LINK_BITS | 1;
    door->engine_wake = engine_wake;
    door->in = ring_create(power_of_two(ring_slots));
    door->out = ring_create(DOOR_BATCHES_MAX);
    if (door->in == NULL || door->out == NULL) {
        door_destroy(door);
        return NULL;
    }
    return door;
}

void door_destroy(struct door *door)
{
    if (door == NULL)
        return;
    if (door->in != NULL) {
        void *envelope;
        while ((envelope = ring_pop(door->in)) != NULL)
            envelope_destroy(envelope);
    }
    if (door->out != NULL) {
        void *batch;
        while ((batch = ring_pop(door->out)) != NULL)
            release_batch_destroy(batch);
    }
    ring_destroy(door->in);
    ring_destroy(door->out);
    free(door);
}

uint64_t door_link_first(const struct door *door)
{
    return door->link_first;
}

void door_watch(struct door *door, bool watch)
{
    atomic_store(&door->watching, watch);
}

bool door_push(struct door *door, struct envelope *envelope)
{
    if (!ring_push(door->in, envelope)) {
        counter_add(COUNTER_RING_IN_FULL, 1);
        /* Say so first and look again then: the engine may have emptied it between. */
        atomic_store(&door->parked, true);
        if (!ring_push(door->in, envelope))
            return false;
    }
    wake_signal(door->engine_wake);
    return true;
}

struct release_batch *door_pop(struct door *door)
{
    struct release_batch *batch = ring_pop(door->out);
    if (batch != NULL && atomic_exchange(&door->starved, false))
        wake_signal(door->engine_wake);
    return batch;
}

bool door_claim(struct door *door)
{
    if (ring_room(door->out) > 0)
        return true;
    counter_add(COUNTER_RING_OUT_FULL, 1);
    atomic_store(&door->starved, true);
    return ring_room(door->out) > 0;
}

void door_release(struct door *door, struct release_batch *batch)
{
    ENSURE(ring_push(door->out, batch));
    door->wake(door->context);
}

void door_unpark(struct door *door)
{
    if (atomic_exchange(&door->parked, false))
        door->wake(door->context);
}
