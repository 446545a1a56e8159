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
    struct release_done *done_first;
    struct release_done *done_last;
    uint32_t count;
    size_t frame_bytes;
};

/* NULL without memory. */
struct release_batch *release_batch_create(void);

/* One more message of the link is finished with. */
enum err release_done_add(struct release_batch *batch, uint64_t link);

/* Renders one effect at the end of the batch; `scratch` is overwritten. ERR_MEMORY. */
enum err release_add(struct release_batch *batch, const struct effect *effect,
                     struct buffer *scratch);

/* The log goes up to `last` now. ERR_MEMORY. */
enum err release_events_new(struct release_batch *batch, uint64_t last);

/* The refusal of `asked`, which could not be stored, to where it came from; nothing for
 * the hub's own commands. On a socket it names what it refuses, as the core does. */
enum err release_refuse(struct release_batch *batch, const struct origin *origin,
                        const struct message *asked, enum error_code code,
                        struct buffer *scratch);

#endif
