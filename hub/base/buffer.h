/*
 * buffer.h - bytes that grow at the end, up to a bound.
 *
 * Failure    Sticky: after the first append that does not fit (bound or memory) every
 *            later one does nothing and buffer_failed() says so. Check once, at the end.
 * Threads    One at a time.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/slice.h"

struct buffer {
    char *data;
    size_t size;
    size_t room;
    size_t bytes_max;
    bool failed;
};

void buffer_init(struct buffer *buffer, size_t bytes_max);
void buffer_finish(struct buffer *buffer);

/* Forgets the bytes and a failure, keeps the memory. */
void buffer_clear(struct buffer *buffer);

static inline bool buffer_failed(const struct buffer *buffer)
{
    return buffer->failed;
}

static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return (struct slice){ buffer->data == NULL ? "" : buffer->data, buffer->size };
}

void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_append_slice(struct buffer *buffer, struct slice slice);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_byte(struct buffer *buffer, char byte);
void buffer_append_u64(struct buffer *buffer, uint64_t number); /* decimal */
void buffer_append_i64(struct buffer *buffer, int64_t number);  /* decimal */

/* `size` bytes for the caller to fill at once, counted as appended; NULL on failure. */
char *buffer_extend(struct buffer *buffer, size_t size);

/* Hands the memory over to the caller, who frees it with free(), and starts anew. */
char *buffer_release(struct buffer *buffer, size_t *ret_size);

#endif
