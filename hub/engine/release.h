/*
 * release.h - a batch of releases while it is being built.
 *
 * Ownership  The batch owns its releases, their texts and the frames nobody took.
 * Threads    Built by one thread, then handed over whole.
 */
#ifndef ENGINE_RELEASE_H
#define ENGINE_RELEASE_H

#include "base/buffer.h"
#include "core/effects.h"
#include "engine/door.h"

struct release_batch {
    struct arena arena;
    struct release *first;
    struct release *last;
    uint32_t count;
    size_t frame_bytes;
};

/* NULL without memory. */
struct release_batch *release_batch_create(void);

/* Renders one effect at the end of the batch; `scratch` is overwritten. ERR_MEMORY. */
enum err release_add(struct release_batch *batch, const struct effect *effect,
                     struct buffer *scratch);

/* The refusal of a command that could not be stored, to where it came from; nothing for
 * the hub's own commands. */
enum err release_refuse(struct release_batch *batch, const struct origin *origin,
                        enum error_code code, struct buffer *scratch);

#endif
