/*
 * arena.h - memory that is let go all at once.
 *
 * Ownership  The arena owns every byte it hands out, until arena_clear or arena_finish.
 * Memory     Grows by chunks up to `bytes_max`; the first chunk survives arena_clear.
 * Failure    Past the bound, or without memory, allocation returns NULL and the arena
 *            remembers it (arena_failed) until it is cleared.
 * Threads    One at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks;
    size_t bytes_taken; /* what the chunks hold, used or not */
    size_t bytes_max;
    bool failed;
};

void arena_init(struct arena *arena, size_t bytes_max);
void arena_finish(struct arena *arena);
void arena_clear(struct arena *arena);

static inline bool arena_failed(const struct arena *arena)
{
    return arena->failed;
}

/* Zeroed, aligned for any type. */
void *arena_take(struct arena *arena, size_t bytes);

/* As arena_take for `count` items of `bytes` each; checks the product. */
void *arena_take_many(struct arena *arena, size_t count, size_t bytes);

/* A copy with a NUL behind it that does not count; the absent slice when that fails
 * and for an absent slice. */
struct slice arena_copy(struct arena *arena, struct slice slice);

#endif
