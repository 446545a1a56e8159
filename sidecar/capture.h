/*
 * capture.h - what a command writes, kept within a bound: its head and its tail.
 */
#ifndef SIDECAR_CAPTURE_H
#define SIDECAR_CAPTURE_H

#include "base/buffer.h"
#include "base/err.h"

struct capture {
    char *head;
    char *tail;  /* a ring */
    size_t half; /* the size of each */
    size_t head_size;
    size_t tail_size;
    size_t tail_next; /* where the next byte goes */
    uint64_t bytes_left_out;
};

enum err capture_init(struct capture *capture, size_t bytes_max);
void capture_finish(struct capture *capture);

void capture_append(struct capture *capture, struct slice bytes);

static inline bool capture_is_cut(const struct capture *capture)
{
    return capture->bytes_left_out > 0;
}

static inline bool capture_is_empty(const struct capture *capture)
{
    return capture->head_size == 0;
}

/* Appends all that is kept; where something is left out, a note says how much. */
void capture_read(const struct capture *capture, struct buffer *buffer);

/* Appends the last `bytes_max` bytes at most, from the start of a character. */
void capture_read_tail(const struct capture *capture, size_t bytes_max,
                       struct buffer *buffer);

/* Text cut to `bytes_max` at the end of a character: from its start, or from its end. */
struct slice text_head(struct slice text, size_t bytes_max);
struct slice text_tail(struct slice text, size_t bytes_max);

#endif
