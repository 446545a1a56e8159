/*
 * journal.h - the commands behind every commit, kept in files beside the store.
 *
 *   DIRECTORY/0000000000000001.journal   segments (segment.h); the last is written to
 *
 * A record is written and synced before the batch it tells of is committed, so that of a
 * committed batch there always is one. The other way round is allowed to differ: a record
 * without its batch can only be the last before a new segment, whose head says where the
 * store really stood; readers leave it out. After a gap no head tells: there they leave
 * out the last record in any case.
 *
 * The journal never stands in the fleet's way. When it cannot be written it says so once
 * and goes on with a new history, which begins where the old one has a gap, as soon as it
 * can; whoever wants to play that history back needs a backup made after its beginning.
 *
 * Threads    One: the engine's. Others look at the files (journal_read.h).
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/segment.h"
#include "store/store.h"

struct journal;

struct journal_options {
    const char *directory;
    uint64_t segment_bytes; /* then the next one is begun */
    int64_t segment_ms;     /* likewise, by the wall clock */
    uint64_t bytes_max;     /* of all segments; the oldest go */
    int64_t ttl_ms;         /* a segment goes when its last record is older; 0: never */
};

/* Makes the directory (0700) and locks it. ERR_EXISTS: another process writes there. */
enum err journal_create(const struct journal_options *options,
                        struct journal **ret_journal, struct store_problem *ret_problem);

/* Accepts NULL. */
void journal_destroy(struct journal *journal);

/* The store stands at `head`, of which `begin` and `wall_ms` are filled in here: the history
 * goes on when its last segment ends right there and was written by the same program, else
 * a new one begins. The texts are copied. An error is that of journal_append(). */
enum err journal_begin(struct journal *journal, const struct segment_head *head);

/*
 * Writes the record and syncs it. ERR_NO_SPACE, ERR_IO, ...: it is not written, and the history
 * ends before it; ERR_CLOSED: it ended before, and it is too early to try again. The batch
 * may be committed all the same.
 */
enum err journal_append(struct journal *journal, const struct segment_record *record);

/* The batch was not committed: takes the last record back. */
void journal_undo(struct journal *journal);

#endif
