/*
 * support.h - what the fuzz targets share: a fleet with a past, and what every command
 * must leave behind, whatever it was.
 */
#ifndef FUZZ_SUPPORT_H
#define FUZZ_SUPPORT_H

#include "base/ensure.h"
#include "core/fleet.h"
#include "core/story.h"
#include "wire/wire.h"

#include <stdint.h>

enum { FUZZ_BYTES_MAX = 8 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Told once, copied for each input. */
static inline void fleet_of_story(struct fleet *fleet)
{
    static struct fleet told;
    if (told.store == NULL) {
        fleet_init(&told);
        story_tell(&told);
    }
    fleet_init(fleet);
    memory_store_destroy(fleet->store);
    fleet->store = memory_store_copy(told.store);
    fleet->command = told.command;
    fleet->request = told.request;
}

/* Every frame and answer is JSON that its own schema takes. */
static inline void effects_check(const struct fleet *fleet, struct wire_reader *reader)
{
    struct arena arena;
    struct buffer text;
    arena_init(&arena, FUZZ_BYTES_MAX);
    buffer_init(&text, FUZZ_BYTES_MAX);
    for (const struct effect *effect = fleet->effects.first; effect != NULL;
         effect = effect->next) {
        const struct message *said = &effect->message;
        struct message heard;
        struct refusal refusal;
        if (said->type == MESSAGE_NONE)
            continue;
        buffer_clear(&text);
        wire_render(said, &text);
        ENSURE(!buffer_failed(&text));
        bool http = MESSAGE_ROWS[said->type].direction == DIRECTION_HTTP_ANSWER;
        bool taken =
            http ? wire_parse_answer(reader, said->type, buffer_slice(&text), &arena,
                                     &heard, &refusal)
                 : wire_parse_socket(reader, DIRECTION_SOCKET_OUT, buffer_slice(&text),
                                     &arena, &heard, &refusal);
        /* The story's longest texts are more than a reader takes. */
        ENSURE(taken || said->type == MESSAGE_HTTP_ERROR ||
               refusal.code == ERROR_INVALID_JSON);
    }
    buffer_finish(&text);
    arena_finish(&arena);
}

#endif
