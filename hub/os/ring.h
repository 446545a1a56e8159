/*
 * ring.h - a bounded queue of pointers between exactly two threads.
 *
 * Ownership  ring_push takes the item and ring_pop hands it over. What stands in a ring
 *            when it is destroyed stays with whoever pops it before.
 * Memory     Sized at creation; never grows.
 * Threads    One pushes (and asks ring_room), one pops; anybody may ask ring_count.
 */
#ifndef OS_RING_H
#define OS_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring;

/* `capacity` is a power of two. NULL without memory. */
struct ring *ring_create(size_t capacity);

/* Accepts NULL. The ring must be empty. */
void ring_destroy(struct ring *ring);

/* False when it is full: then the item is still the caller's. */
bool ring_push(struct ring *ring, void *item);

/* NULL when it is empty. */
void *ring_pop(struct ring *ring);

/* How many pushes are sure to succeed; the producer's side only. */
size_t ring_room(struct ring *ring);

/* A moment's truth, for metrics and for deciding to wake. */
size_t ring_count(const struct ring *ring);

#endif
