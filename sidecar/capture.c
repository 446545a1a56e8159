#include "sidecar/capture.h"

#include <stdlib.h>
#include <string.h>

enum { CHARACTER_BYTES_MAX = 4 };

static bool byte_continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

struct slice text_head(struct slice text, size_t bytes_max)
{
    if (text.size <= bytes_max)
        return text;
    size_t size = bytes_max;
    while (size > 0 && bytes_max - size < CHARACTER_BYTES_MAX &&
           byte_continues(text.data[size]))
        size--;
    return slice_make(text.data, size);
}

struct slice text_tail(struct slice text, size_t bytes_max)
{
    if (text.size <= bytes_max)
        return text;
    size_t from = text.size - bytes_max;
    size_t first = from;
    while (from < text.size && from - first < CHARACTER_BYTES_MAX &&
           byte_continues(text.data[from]))
        from++;
    return slice_skip(text, from);
}

enum err capture_init(struct capture *capture, size_t bytes_max)
{
    *capture = (struct capture){ .half = bytes_max / 2 > 0 ? bytes_max / 2 : 1 };
    capture->head = malloc(capture->half);
    capture->tail = malloc(capture->half);
    if (capture->head == NULL || capture->tail == NULL) {
        capture_finish(capture);
        return ERR_MEMORY;
    }
    return ERR_OK;
}

void capture_finish(struct capture *capture)
{
    free(capture->head);
    free(capture->tail);
    *capture = (struct capture){ 0 };
}

static void tail_append(struct capture *capture, struct slice bytes)
{
    uint64_t all = (uint64_t)capture->tail_size + bytes.size;
    if (all > capture->half)
        capture->bytes_left_out += all - capture->half;
    if (bytes.size > capture->half)
        bytes = slice_skip(bytes, bytes.size - capture->half);

    size_t first = capture->half - capture->tail_next;
    if (first > bytes.size)
        first = bytes.size;
    memcpy(capture->tail + capture->tail_next, bytes.data, first);
    memcpy(capture->tail, bytes.data + first, bytes.size - first);
    capture->tail_next = (capture->tail_next + bytes.size) % capture->half;
    capture->tail_size = all > capture->half ? capture->half : (size_t)all;
}

void capture_append(struct capture *capture, struct slice bytes)
{
    if (bytes.size == 0 || capture->head == NULL)
        return;
    size_t first = capture->half - capture->head_size;
    if (first > bytes.size)
        first = bytes.size;
    memcpy(capture->head + capture->head_size, bytes.data, first);
    capture->head_size += first;
    if (bytes.size > first)
        tail_append(capture, slice_skip(bytes, first));
}

/* The ring laid out in order. False when the buffer is full. */
static bool tail_unroll(const struct capture *capture, struct buffer *buffer)
{
    size_t from =
        (capture->tail_next + capture->half - capture->tail_size) % capture->half;
    size_t first = capture->half - from;
    if (first > capture->tail_size)
        first = capture->tail_size;
    buffer_append(buffer, capture->tail + from, first);
    buffer_append(buffer, capture->tail, capture->tail_size - first);
    return !buffer_failed(buffer);
}

void capture_read(const struct capture *capture, struct buffer *buffer)
{
    if (capture->head == NULL)
        return;
    struct slice head = slice_make(capture->head, capture->head_size);
    if (!capture_is_cut(capture)) {
        buffer_append_slice(buffer, head);
        (void)tail_unroll(capture, buffer);
        return;
    }
    struct buffer tail;
    buffer_init(&tail, capture->half + 1);
    (void)tail_unroll(capture, &tail);
    /* One byte less than there is, so that both ends are taken at a character's edge. */
    head = text_head(head, head.size - 1);
    struct slice rest = text_tail(buffer_slice(&tail), tail.size > 0 ? tail.size - 1 : 0);
    uint64_t left_out = capture->bytes_left_out + (capture->head_size - head.size) +
                        (capture->tail_size - rest.size);
    buffer_append_slice(buffer, head);
    buffer_append_text(buffer, "\n[... ");
    buffer_append_u64(buffer, left_out);
    buffer_append_text(buffer, " bytes left out ...]\n");
    buffer_append_slice(buffer, rest);
    buffer_finish(&tail);
}

void capture_read_tail(const struct capture *capture, size_t bytes_max,
                       struct buffer *buffer)
{
    if (capture->head == NULL)
        return;
    struct buffer all;
    buffer_init(&all, 2 * capture->half + 1);
    /* With a gap between them, head and tail do not belong together. */
    if (!capture_is_cut(capture))
        buffer_append(&all, capture->head, capture->head_size);
    if (tail_unroll(capture, &all))
        buffer_append_slice(buffer, text_tail(buffer_slice(&all), bytes_max));
    buffer_finish(&all);
}
