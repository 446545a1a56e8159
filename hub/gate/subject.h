/*
 * subject.h - the meters of those who have said who they are.
 *
 * One entry per class and name, found by a hash under a secret key. In a full table only
 * an entry makes way from which nothing is lost: all its buckets are full and all it did
 * is forgiven. When a look at some finds none, there is no room: what is drained stays
 * drained, whoever crowds the table.
 *
 * Memory     Fixed at creation but for the names, which are bounded; touched as used.
 * Threads    One at a time.
 */
#ifndef GATE_SUBJECT_H
#define GATE_SUBJECT_H

#include "base/slice.h"
#include "gate/meter.h"

enum rate_channel { RATE_SOCKET, RATE_HTTP, RATE_CHANNELS };

struct subject {
    char *name; /* NULL: the place is free */
    size_t name_size;
    enum rate_class whose;
    uint64_t hash;
    uint32_t next; /* with the same head */
    struct meter meters[RATE_CHANNELS][RATE_TIERS];
};

struct subjects;

/* NULL without memory. */
struct subjects *subjects_create(uint32_t subjects_max);
void subjects_destroy(struct subjects *subjects); /* accepts NULL */

/* The entry, a new one when it has none; NULL when there is no room. Valid until the next
 * call. */
struct subject *subjects_get(struct subjects *subjects, enum rate_class whose,
                             struct slice name, int64_t window_ms, int64_t now_ms);

/* NULL when it has none. */
struct subject *subjects_find(const struct subjects *subjects, enum rate_class whose,
                              struct slice name);

/* All that is known of the name is gone. */
void subjects_forget(struct subjects *subjects, struct slice name);

/* Walks all: start with *position 0. NULL at the end. */
const struct subject *subjects_next(const struct subjects *subjects, uint32_t *position);

static inline struct slice subject_name(const struct subject *subject)
{
    return slice_make(subject->name, subject->name_size);
}

#endif
