#include "os/ring.h"

#include "base/ensure.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { CACHE_LINE = 64 };

/*
 * Positions only rise; an item's place is its position's low bits. Each side keeps its
 * own position and the last it saw of the other's on a line of its own, and looks at the
 * other's line only when the remembered one says full or empty.
 */
struct ring {
    size_t mask;
    void **items;

    _Alignas(CACHE_LINE) _Atomic size_t pushed;
    size_t popped_seen; /* the producer's */

    _Alignas(CACHE_LINE) _Atomic size_t popped;
    size_t pushed_seen; /* the consumer's */
};

struct ring *ring_create(size_t capacity)
{
    ENSURE(capacity > 0 && (capacity & (capacity - 1)) == 0);

    struct ring *ring = aligned_alloc(CACHE_LINE, sizeof *ring);
    if (ring == NULL)
        return NULL;
    ring->items = calloc(capacity, sizeof *ring->items);
    if (ring->items == NULL) {
        free(ring);
        return NULL;
    }
    ring->mask = capacity - 1;
    atomic_init(&ring->pushed, 0);
    atomic_init(&ring->popped, 0);
    ring->popped_seen = 0;
    ring->pushed_seen = 0;
    return ring;
}

void ring_destroy(struct ring *ring)
{
    if (ring == NULL)
        return;
    ENSURE(ring_count(ring) == 0);
    free(ring->items);
    free(ring);
}

bool ring_push(struct ring *ring, void *item)
{
    ENSURE(item != NULL);

    size_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
    if (pushed - ring->popped_seen > ring->mask) {
        ring->popped_seen = atomic_load_explicit(&ring->popped, memory_order_acquire);
        if (pushed - ring->popped_seen > ring->mask)
            return false;
    }
    ring->items[pushed & ring->mask] = item;
    atomic_store_explicit(&ring->pushed, pushed + 1, memory_order_release);
    return true;
}

void *ring_pop(struct ring *ring)
{
    size_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);
    if (popped == ring->pushed_seen) {
        ring->pushed_seen = atomic_load_explicit(&ring->pushed, memory_order_acquire);
        if (popped == ring->pushed_seen)
            return NULL;
    }
    void *item = ring->items[popped & ring->mask];
    atomic_store_explicit(&ring->popped, popped + 1, memory_order_release);
    return item;
}

size_t ring_room(struct ring *ring)
{
    size_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
    ring->popped_seen = atomic_load_explicit(&ring->popped, memory_order_acquire);
    return ring->mask + 1 - (pushed - ring->popped_seen);
}

size_t ring_count(const struct ring *ring)
{
    /* Popped first: the difference is then never negative. */
    size_t popped = atomic_load_explicit(&ring->popped, memory_order_acquire);
    return atomic_load_explicit(&ring->pushed, memory_order_acquire) - popped;
}
