#include "engine/frame.h"

#include "base/ensure.h"

#include <stdlib.h>
#include <string.h>

struct frame *frame_create(struct slice text, bool droppable)
{
    struct frame *frame = malloc(sizeof *frame + FRAME_HEADROOM + text.size);
    if (frame == NULL)
        return NULL;
    frame->references = 1;
    frame->droppable = droppable;
    frame->size = text.size;
    if (text.size > 0)
        memcpy(frame_text(frame), text.data, text.size);
    return frame;
}

void frame_hold(struct frame *frame)
{
    ENSURE(frame->references > 0 && frame->references < UINT32_MAX);
    frame->references++;
}

void frame_let_go(struct frame *frame)
{
    if (frame == NULL)
        return;
    ENSURE(frame->references > 0);
    if (--frame->references == 0)
        free(frame);
}
