#include "message/envelope.h"

#include <stdlib.h>

struct envelope *envelope_create(size_t bytes_max)
{
    struct envelope *envelope = calloc(1, sizeof *envelope);
    if (envelope == NULL)
        return NULL;
    arena_init(&envelope->arena, bytes_max);
    return envelope;
}

void envelope_destroy(struct envelope *envelope)
{
    if (envelope == NULL)
        return;
    arena_finish(&envelope->arena);
    free(envelope);
}
