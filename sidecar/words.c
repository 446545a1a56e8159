#include "sidecar/words.h"

#include "base/ensure.h"
#include "sidecar/capture.h"
#include "wire/wire.h"

enum { ERROR_BYTES_MAX = 2000, PROTOCOL_VERSION = 1 };

void words_identify(const struct config *config, int64_t tasks_max, struct buffer *buffer)
{
    struct message message = { .type = MESSAGE_IDENTIFY };
    struct message_identify *identify = &message.as.identify;
    identify->agent_id = slice_from_text(config->agent_id);
    identify->token = slice_from_text(config->token);
    identify->name = slice_from_text(config->name[0] != '\0' ? config->name : NULL);
    identify->status = SLICE_OF("idle");
    identify->capabilities = config->capabilities;
    identify->max_concurrent = tasks_max;
    identify->has_max_concurrent = true;
    identify->client_type = SLICE_OF("sidecar");
    identify->protocol_version = PROTOCOL_VERSION;
    identify->has_protocol_version = true;
    wire_render(&message, buffer);
}

void words_drain(struct buffer *buffer)
{
    struct message message = { .type = MESSAGE_AGENT_DRAIN };
    message.as.agent_drain = (struct message_agent_drain){ .on = true, .has_on = true };
    wire_render(&message, buffer);
}

void words_ping(struct buffer *buffer)
{
    struct message message = { .type = MESSAGE_PING };
    wire_render(&message, buffer);
}

void words_task(enum message_type type, struct slice task_id, int64_t generation,
                struct buffer *buffer)
{
    struct message message = { .type = type };
    if (type == MESSAGE_TASK_ACCEPTED) {
        message.as.task_accepted = (struct message_task_accepted){
            .task_id = task_id, .generation = generation, .has_generation = true
        };
    } else if (type == MESSAGE_TASK_CANCELLED) {
        message.as.task_cancelled =
            (struct message_task_cancelled){ .task_id = task_id,
                                             .generation = generation };
    } else if (type == MESSAGE_LEASE_RENEW) {
        message.as.lease_renew =
            (struct message_lease_renew){ .task_id = task_id, .generation = generation };
    } else if (type == MESSAGE_TASK_UNBLOCKED) {
        message.as.task_unblocked =
            (struct message_task_unblocked){ .task_id = task_id,
                                             .generation = generation };
    } else {
        ENSURE(type == MESSAGE_TASK_RECOVERING);
        message.as.task_recovering =
            (struct message_task_recovering){ .task_id = task_id };
    }
    wire_render(&message, buffer);
}

void words_progress(struct slice task_id, int64_t generation, int64_t progress,
                    struct slice note, struct buffer *buffer)
{
    struct message message = { .type = MESSAGE_TASK_PROGRESS };
    message.as.task_progress = (struct message_task_progress){
        .task_id = task_id,
        .generation = generation,
        .has_generation = true,
        .progress = progress,
        .has_progress = true,
        .note = note.size > 0 ? note : slice_from_text(NULL),
    };
    wire_render(&message, buffer);
}

void words_blocked(struct slice task_id, int64_t generation, struct slice reason,
                   struct buffer *buffer)
{
    struct message message = { .type = MESSAGE_TASK_BLOCKED };
    message.as.task_blocked = (struct message_task_blocked){
        .task_id = task_id,
        .generation = generation,
        .reason = reason.size > 0 ? reason : slice_from_text(NULL),
    };
    wire_render(&message, buffer);
}

void words_complete(struct slice task_id, int64_t generation, struct slice result,
                    int64_t tokens_used, struct buffer *buffer)
{
    struct message message = { .type = MESSAGE_TASK_COMPLETE };
    message.as.task_complete = (struct message_task_complete){
        .task_id = task_id,
        .generation = generation,
        .result = result,
        .tokens_used = tokens_used,
        .has_tokens_used = tokens_used >= 0,
    };
    wire_render(&message, buffer);
}

void words_failed(struct slice task_id, int64_t generation, struct slice error,
                  struct buffer *buffer)
{
    struct message message = { .type = MESSAGE_TASK_FAILED };
    message.as.task_failed = (struct message_task_failed){
        .task_id = task_id,
        .generation = generation,
        .error = text_head(error, ERROR_BYTES_MAX),
    };
    wire_render(&message, buffer);
}
