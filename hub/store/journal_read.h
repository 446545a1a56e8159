/*
 * journal_read.h - the command journal, read from the outside: by the thread that keeps
 * backups, or by a program that plays it back. The hub may be writing to it.
 */
#ifndef STORE_JOURNAL_READ_H
#define STORE_JOURNAL_READ_H

#include "store/segment.h"

/* The numbers of the segments in an open directory, rising; the caller frees them with
 * free(). */
struct segment_list {
    uint64_t *numbers;
    size_t count;
};

enum err segment_list_read(int directory, struct segment_list *ret_list);

/* One line of history: a store's, between two restores. */
struct journal_line {
    uint64_t instance;
    uint64_t epoch;
};

struct journal_reader;

/* Records of that line from its first segment on. ERR_NOT_FOUND: there is no such
 * directory. */
enum err journal_reader_create(const char *directory, const struct journal_line *line,
                               struct journal_reader **ret_reader);
void journal_reader_destroy(struct journal_reader *reader); /* accepts NULL */

/* The next record of what was committed, which lies in the reader until the next call.
 * `*ret_head` is its segment's. ERR_NOT_FOUND: there is none (yet). Records need not follow
 * upon each other: where `before` is not the `after` of the last, some are missing. */
enum err journal_reader_next(struct journal_reader *reader,
                             const struct segment_head **ret_head,
                             struct segment_record *ret_record);

/* Where it stands now, from the heads alone. */
struct journal_figures {
    struct journal_line line; /* of the last segment */
    uint64_t begin;           /* unbroken from this sequence on */
    uint64_t bytes;           /* of all segments */
    uint64_t bytes_since;     /* of those of this line that hold commands after `since` */
    size_t segments;
};

/* ERR_NOT_FOUND: there is no segment. */
enum err journal_look(const char *directory, uint64_t since,
                      struct journal_figures *ret_figures);

#endif
