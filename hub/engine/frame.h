/*
 * frame.h - rendered bytes shared by every link that must send them.
 *
 * Made by the engine (one reference), then owned by one net thread, which counts its own
 * references: not atomic, never shared across two net threads.
 */
#ifndef ENGINE_FRAME_H
#define ENGINE_FRAME_H

#include "base/slice.h"

enum { FRAME_HEADROOM = 32 }; /* the library writes its own header there (LWS_PRE) */

struct frame {
    uint32_t references;
    bool droppable; /* a slow reader may miss it */
    size_t size;
    char bytes[]; /* FRAME_HEADROOM free bytes, then `size` bytes of text */
};

/* One reference, text copied in; NULL without memory. */
struct frame *frame_create(struct slice text, bool droppable);

static inline char *frame_text(struct frame *frame)
{
    return frame->bytes + FRAME_HEADROOM;
}

void frame_hold(struct frame *frame);
void frame_let_go(struct frame *frame); /* accepts NULL; frees with the last reference */

#endif
