/*
 * history.h - the command journal of a simulated hub, and whether it gives back what was.
 *
 * Copies of the rows are kept from some commits. At the end the journal is played back onto
 * the first of them, and at each of the others, and at the last commit, the rows must be the
 * same, byte for byte.
 */
#ifndef SIMULATION_HISTORY_H
#define SIMULATION_HISTORY_H

#include "core/memory_transaction.h"
#include "store/journal.h"
#include "store/journal_read.h"

struct sim;

enum { HISTORY_MARKS_MAX = 4 };

struct history_mark {
    struct memory_store *rows; /* NULL: none yet */
    uint64_t sequence;
};

struct history {
    struct sim *sim;
    bool on; /* this seed keeps one */
    bool replaying;
    struct journal *journal; /* while the hub is up */
    char directory[64];
    struct journal_line line;
    struct history_mark base;
    struct history_mark marks[HISTORY_MARKS_MAX];
    unsigned mark_count;
    uint64_t replayed; /* commits played back, for the figures */
};

void history_init(struct history *history, struct sim *sim);
void history_finish(struct history *history);

/* The hub starts: the journal to give it, or NULL. history_close() after its end. */
struct journal *history_open(struct history *history);
void history_close(struct history *history);

/* It has started: is there a copy to play the journal back onto? */
void history_started(struct history *history);

/* Keeps a copy of the rows as they are now, between two batches. */
void history_mark(struct history *history);

/* Breaks the run when the journal gives back anything else. */
void history_check(struct history *history);

#endif
