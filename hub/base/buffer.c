#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES ((size_t)256)

void buffer_init(struct buffer *buffer, size_t bytes_max)
{
    *buffer = (struct buffer){ .bytes_max = bytes_max };
}

void buffer_finish(struct buffer *buffer)
{
    free(buffer->data);
    buffer_init(buffer, buffer->bytes_max);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

static bool buffer_grow(struct buffer *buffer, size_t needed)
{
    if (needed <= buffer->room)
        return true;
    if (needed > buffer->bytes_max)
        return false;

    size_t room = buffer->room == 0 ? FIRST_BYTES : buffer->room;
    while (room < needed)
        room = room > buffer->bytes_max / 2 ? buffer->bytes_max : room * 2;
    if (room > buffer->bytes_max)
        room = buffer->bytes_max;
    char *data = realloc(buffer->data, room);
    if (data == NULL)
        return false;
    buffer->data = data;
    buffer->room = room;
    return true;
}

char *buffer_extend(struct buffer *buffer, size_t size)
{
    size_t needed;
    if (buffer->failed || __builtin_add_overflow(buffer->size, size, &needed) ||
        !buffer_grow(buffer, needed)) {
        buffer->failed = true;
        return NULL;
    }
    char *start = buffer->data + buffer->size;
    buffer->size = needed;
    return start;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (size == 0)
        return;
    char *start = buffer_extend(buffer, size);
    if (start != NULL)
        memcpy(start, data, size);
}

void buffer_append_slice(struct buffer *buffer, struct slice slice)
{
    buffer_append(buffer, slice.data, slice.size);
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_byte(struct buffer *buffer, char byte)
{
    buffer_append(buffer, &byte, 1);
}

void buffer_append_u64(struct buffer *buffer, uint64_t number)
{
    char digits[20];
    size_t start = sizeof digits;
    do {
        digits[--start] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buffer_append(buffer, digits + start, sizeof digits - start);
}

void buffer_append_i64(struct buffer *buffer, int64_t number)
{
    if (number < 0)
        buffer_append_byte(buffer, '-');
    buffer_append_u64(buffer, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

char *buffer_release(struct buffer *buffer, size_t *ret_size)
{
    char *data = buffer->data;
    *ret_size = buffer->size;
    buffer_init(buffer, buffer->bytes_max);
    return data;
}
