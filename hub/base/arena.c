#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* Most turns fit in one chunk of this size. */
#define CHUNK_BYTES ((size_t)16 * 1024)

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    size_t used;
    alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena, size_t bytes_max)
{
    *arena = (struct arena){ .bytes_max = bytes_max };
}

static void chunks_free(struct arena_chunk *chunk)
{
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void arena_finish(struct arena *arena)
{
    chunks_free(arena->chunks);
    *arena = (struct arena){ .bytes_max = arena->bytes_max };
}

void arena_clear(struct arena *arena)
{
    arena->failed = false;
    if (arena->chunks == NULL)
        return;

    /* The oldest chunk stands last and has the common size: keep that one. */
    while (arena->chunks->next != NULL) {
        struct arena_chunk *next = arena->chunks->next;
        arena->bytes_taken -= arena->chunks->size;
        free(arena->chunks);
        arena->chunks = next;
    }
    arena->chunks->used = 0;
}

static struct arena_chunk *chunk_add(struct arena *arena, size_t bytes)
{
    size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    if (size > arena->bytes_max || arena->bytes_taken > arena->bytes_max - size)
        return NULL;

    struct arena_chunk *chunk = malloc(sizeof *chunk + size);
    if (chunk == NULL)
        return NULL;
    chunk->next = arena->chunks;
    chunk->size = size;
    chunk->used = 0;
    arena->chunks = chunk;
    arena->bytes_taken += size;
    return chunk;
}

void *arena_take(struct arena *arena, size_t bytes)
{
    size_t step = alignof(max_align_t);
    if (bytes > SIZE_MAX - step)
        goto fail;
    size_t padded = (bytes + step - 1) / step * step;

    struct arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->size - chunk->used < padded)
        chunk = chunk_add(arena, padded);
    if (chunk == NULL)
        goto fail;

    void *taken = chunk->bytes + chunk->used;
    chunk->used += padded;
    memset(taken, 0, padded);
    return taken;

fail:
    arena->failed = true;
    return NULL;
}

void *arena_take_many(struct arena *arena, size_t count, size_t bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total)) {
        arena->failed = true;
        return NULL;
    }
    return arena_take(arena, total);
}

struct slice arena_copy(struct arena *arena, struct slice slice)
{
    if (!slice_is_present(slice))
        return slice;

    char *copy = slice.size == SIZE_MAX ? NULL : arena_take(arena, slice.size + 1);
    if (copy == NULL)
        return (struct slice){ NULL, 0 };
    memcpy(copy, slice.data, slice.size);
    return (struct slice){ copy, slice.size };
}
