/*
 * segment.h - one file of the command journal: a head, then records, each with its checksum.
 *
 *   frame    size(4) checksum(4) body     CRC32C over size and body
 *   head     1(1) format(1) instance(8) epoch(8) position(8) begin(8) wall(8)
 *            program(slice) settings(slice)
 *   record   2(1) before(8) after(8) event before(8) event last(8) now(8) wall(8) commands
 *
 * A segment is written at its end only, and what follows the last whole record is nothing:
 * a process that died left it behind.
 *
 * Threads    One at a time per reader. A segment may be read while it is written to.
 */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include "base/buffer.h"
#include "base/err.h"

enum {
    SEGMENT_FORMAT = 1,
    SEGMENT_HEAD_BYTES_MAX = 64 * 1024,
    SEGMENT_RECORD_BYTES_MAX = 128 * 1024 * 1024,
    SEGMENT_PROGRAM_BYTES_MAX = 128,
    SEGMENT_NAME_BYTES = sizeof "0123456789abcdef.journal",
};

/* What all records of a segment have in common. */
struct segment_head {
    uint64_t instance; /* the store's */
    uint64_t epoch;    /* likewise */
    uint64_t position; /* the store's sequence when the segment was begun */
    uint64_t begin;    /* the history is without a gap from this sequence on */
    int64_t wall_ms;
    struct slice program;  /* which one wrote it: only that one is sure to do the same */
    struct slice settings; /* what its commands were applied with; not ours to read */
};

/* One batch that was committed, or was about to be. */
struct segment_record {
    uint64_t before;       /* the store's sequence before it */
    uint64_t after;        /* and after it */
    uint64_t event_before; /* the highest event before it; 0 none */
    uint64_t event_last;   /* and after it */
    int64_t now_ms;        /* the fleet's clock it was sealed with */
    int64_t wall_ms;
    struct slice commands; /* not ours to read */
};

/* Frames, for the writer: appended to the buffer. */
void segment_head_pack(const struct segment_head *head, struct buffer *buffer);

/* All of a record's frame but the commands, which follow it. */
void segment_record_pack(const struct segment_record *record, struct buffer *buffer);

void segment_name(uint64_t number, char ret_name[SEGMENT_NAME_BYTES]);
bool segment_name_parse(const char *name, uint64_t *ret_number);

struct segment_reader {
    int fd;
    uint64_t offset;
    struct buffer buffer; /* the frame being read */
    struct segment_head head;
    char program[SEGMENT_PROGRAM_BYTES_MAX];
    struct buffer settings;
};

/* Opens the segment and reads its head, whose texts lie in the reader. ERR_NOT_FOUND,
 * ERR_IO, ERR_MEMORY; ERR_CORRUPT: it has no head; ERR_UNSUPPORTED: of a newer format.
 * After any of them there is nothing to close. */
enum err segment_open(int directory, uint64_t number, struct segment_reader *ret_reader);

/* The next whole record, which lies in the reader until the next call. ERR_NOT_FOUND: there
 * is none (yet). */
enum err segment_next(struct segment_reader *reader, struct segment_record *ret_record);

void segment_close(struct segment_reader *reader);

#endif
