#include "engine/release.h"

#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

/* Far above what the batch's own bound on frames lets through. */
#define RELEASES_BYTES_MAX ((size_t)256 * 1024 * 1024)

static const enum release_kind KINDS[] = {
    [EFFECT_SEND] = RELEASE_SEND,
    [EFFECT_BROADCAST] = RELEASE_BROADCAST,
    [EFFECT_ANSWER] = RELEASE_ANSWER,
    [EFFECT_BIND] = RELEASE_BIND,
    [EFFECT_CLOSE] = RELEASE_CLOSE,
    [EFFECT_KEY_ADD] = RELEASE_KEY_ADD,
    [EFFECT_KEY_REMOVE] = RELEASE_KEY_REMOVE,
    [EFFECT_SUBSCRIBE] = RELEASE_SUBSCRIBE,
    [EFFECT_UNSUBSCRIBE] = RELEASE_UNSUBSCRIBE,
    [EFFECT_PUBLISH] = RELEASE_PUBLISH,
    [EFFECT_RATE_OVERRIDE] = RELEASE_RATE_OVERRIDE,
    [EFFECT_RATE_EXEMPT] = RELEASE_RATE_EXEMPT,
    [EFFECT_RESET] = RELEASE_RESET,
    [EFFECT_KEYS_TOLD] = RELEASE_KEYS_TOLD,
    [EFFECT_RESET_DONE] = RELEASE_RESET_DONE,
    [EFFECT_JOB] = RELEASE_JOB,
    [EFFECT_JOB_SKIPPED] = RELEASE_JOB_SKIPPED,
    [EFFECT_EVENTS] = RELEASE_EVENTS,
};

struct release_batch *release_batch_create(void)
{
    struct release_batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL)
        return NULL;
    arena_init(&batch->arena, RELEASES_BYTES_MAX);
    return batch;
}

void release_batch_destroy(struct release_batch *batch)
{
    if (batch == NULL)
        return;
    for (struct release *release = batch->first; release != NULL; release = release->next)
        frame_let_go(release->frame);
    arena_finish(&batch->arena);
    free(batch);
}

struct release *release_first(const struct release_batch *batch)
{
    return batch->first;
}

const struct release_done *release_done_first(const struct release_batch *batch)
{
    return batch->done_first;
}

enum err release_done_add(struct release_batch *batch, uint64_t link)
{
    struct release_done *done = batch->done_last;
    if (done != NULL && done->link == link) {
        done->count++;
        return ERR_OK;
    }
    done = arena_take(&batch->arena, sizeof *done);
    if (done == NULL)
        return ERR_MEMORY;
    done->link = link;
    done->count = 1;
    if (batch->done_last == NULL)
        batch->done_first = done;
    else
        batch->done_last->next = done;
    batch->done_last = done;
    return ERR_OK;
}

static void release_append(struct release_batch *batch, struct release *release)
{
    if (batch->last == NULL)
        batch->first = release;
    else
        batch->last->next = release;
    batch->last = release;
    batch->count++;
}

static struct frame *message_frame(const struct message *message, struct buffer *scratch)
{
    buffer_clear(scratch);
    wire_render(message, scratch);
    if (buffer_failed(scratch))
        return NULL;
    bool droppable = MESSAGE_ROWS[message->type].slow_reader == SLOW_READER_DROP;
    return frame_create(buffer_slice(scratch), droppable);
}

static uint16_t answer_status(const struct effect *effect)
{
    return effect->status != 0 ? effect->status
                               : MESSAGE_ROWS[effect->message.type].status;
}

enum err release_add(struct release_batch *batch, const struct effect *effect,
                     struct buffer *scratch)
{
    struct release *release = arena_take(&batch->arena, sizeof *release);
    if (release == NULL)
        return ERR_MEMORY;

    release->kind = KINDS[effect->kind];
    release->link = effect->link;
    release->request = effect->request;
    release->replayed = effect->replayed;
    release->tag = effect->tag;
    release->code = effect->code;
    release->role = effect->role;
    release->scopes = effect->scopes;
    release->event_epoch = effect->event_epoch;
    release->event_last = effect->event_last;
    release->more = effect->more;
    release->expires_wall_ms = effect->expires_wall_ms;
    release->override = effect->override;
    release->exempt = effect->exempt;
    release->job = effect->job;
    release->job_kind = effect->job_kind;
    release->job_flags = effect->job_flags;
    release->subject = arena_copy(&batch->arena, effect->subject);
    release->reason = arena_copy(&batch->arena, effect->reason);
    release->actor = arena_copy(&batch->arena, effect->actor);
    memcpy(release->digest, effect->digest, DIGEST_BYTES);
    if (arena_failed(&batch->arena))
        return ERR_MEMORY;

    if (effect->message.type != MESSAGE_NONE) {
        release->answer = effect->message.type;
        release->status = answer_status(effect);
        release->frame = message_frame(&effect->message, scratch);
        if (release->frame == NULL)
            return ERR_MEMORY;
        batch->frame_bytes += release->frame->size;
    }
    release_append(batch, release);
    return ERR_OK;
}

enum err release_events_new(struct release_batch *batch, uint64_t last)
{
    struct release *release = arena_take(&batch->arena, sizeof *release);
    if (release == NULL)
        return ERR_MEMORY;
    release->kind = RELEASE_EVENTS_NEW;
    release->event_last = last;
    release_append(batch, release);
    return ERR_OK;
}

static struct slice text_field(const struct message *message, const char *name)
{
    const struct field_table *table = MESSAGE_ROWS[message->type].table;
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        if (field->kind == FIELD_TEXT && slice_equal_text(field->name, name))
            return *(const struct slice *)((const char *)&message->as + field->offset);
    }
    return (struct slice){ 0 };
}

enum err release_refuse(struct release_batch *batch, const struct origin *origin,
                        const struct message *asked, enum error_code code,
                        struct buffer *scratch)
{
    if (origin->link == 0)
        return ERR_OK;

    bool http = origin->request != 0;
    struct effect effect = {
        .kind = http ? EFFECT_ANSWER : EFFECT_SEND,
        .link = origin->link,
        .request = origin->request,
        .status = ERROR_ROWS[code].status,
    };
    wire_error_message(code, http, &effect.message);
    if (!http) {
        effect.message.as.error.message_type = MESSAGE_ROWS[asked->type].name;
        effect.message.as.error.task_id = text_field(asked, "task_id");
        effect.message.as.error.request_id = text_field(asked, "request_id");
    }
    return release_add(batch, &effect, scratch);
}
