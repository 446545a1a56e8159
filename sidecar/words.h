/*
 * words.h - what the sidecar says to the hub, each appended to a buffer as one frame.
 */
#ifndef SIDECAR_WORDS_H
#define SIDECAR_WORDS_H

#include "message/row.h"
#include "sidecar/config.h"

/* `tasks_max`: how many tasks it takes at once. */
void words_identify(const struct config *config, int64_t tasks_max,
                    struct buffer *buffer);
void words_drain(struct buffer *buffer);
void words_ping(struct buffer *buffer);

/* `type` is one of MESSAGE_TASK_ACCEPTED, _CANCELLED, _RECOVERING, _UNBLOCKED and
 * LEASE_RENEW. */
void words_task(enum message_type type, struct slice task_id, int64_t generation,
                struct buffer *buffer);
void words_progress(struct slice task_id, int64_t generation, int64_t progress,
                    struct slice note, struct buffer *buffer);
void words_blocked(struct slice task_id, int64_t generation, struct slice reason,
                   struct buffer *buffer);

/* `result` is JSON; tokens_used below 0: not known. */
void words_complete(struct slice task_id, int64_t generation, struct slice result,
                    int64_t tokens_used, struct buffer *buffer);
void words_failed(struct slice task_id, int64_t generation, struct slice error,
                  struct buffer *buffer);

#endif
