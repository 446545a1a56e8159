/*
 * reset.h - what is derived is made anew from what is not, while the hub works on.
 *
 * A walk over some tables, a bounded number of rows at a time, each time as a deadline.
 * Heads come first: whatever index should have a row of theirs and has not gets it. Then
 * the indexes: whatever no head stands for goes. A row or a number put right is a
 * difference; they are counted. The doors are told to drop what they keep in memory, and
 * every key of the ring again.
 *
 * Where the walk stands is BLOB_RESET; while there is one, DEADLINE_RESET goes on with it.
 */
#ifndef CORE_RESET_H
#define CORE_RESET_H

#include "core/task.h"

struct reset {
    uint32_t phase;
    uint64_t differences;
    int64_t due_ms;     /* fleet clock: its deadline */
    int64_t started_ms; /* wall */
    struct slice after; /* the last key looked at; absent: none of this phase */
};

/* Begins, or begins anew. */
void reset_start(struct step *step);

/* Its deadline has fired. */
void reset_go_on(struct step *step);

/* Where it stands; false when none is under way. */
bool reset_load(struct step *step, struct reset *ret_reset);

/* --- the rows of one phase; `key` and `value` are copies --- */

/* An index entry that a head stands for, and one that none does. */
void reset_ensure(struct step *step, struct reset *reset, enum table table,
                  struct slice key);
void reset_drop(struct step *step, struct reset *reset, enum table table,
                struct slice key);

void reset_task(struct step *step, struct reset *reset, struct slice key,
                struct slice value);
void reset_agent(struct step *step, struct reset *reset, struct slice key,
                 struct slice value);
void reset_token(struct step *step, struct reset *reset, struct slice key,
                 struct slice value);

/* True when the index entry is stood for. */
bool reset_stands(struct step *step, enum table table, struct slice key);

/* What is counted in a row of its own. */
void reset_counts(struct step *step, struct reset *reset);

#endif
