/*
 * set.h - capability sets, interned: sorted, without repeats, compared exactly.
 *
 * A set lives while a task that is not in an end state, or a connected agent, uses it.
 */
#ifndef CORE_SET_H
#define CORE_SET_H

#include "core/step.h"

struct set {
    struct slice_list items; /* sorted, unique */
};

/* The canonical form of a list, in the arena. */
void set_make(struct step *step, struct slice_list list, struct set *ret_set);

/* False: the names together are longer than a set may be. A set is one row, so that a
 * match compares many of them where they stand. */
bool set_fits(const struct set *set);

/* Finds or adds the set and counts one user more. False: capability_sets_max is reached
 * (or the step has failed); nothing is changed then. */
bool set_intern(struct step *step, const struct set *set, uint64_t *ret_number);

/* The same for what a task needs: these leave some sets to agents, so that whoever submits
 * shuts no agent out. */
bool set_intern_needed(struct step *step, const struct set *set, uint64_t *ret_number);

/* One user less; the last one takes the set along. 0 is ignored. */
void set_release(struct step *step, uint64_t number);

bool set_load(struct step *step, uint64_t number, struct set *ret_set);

/* True when every item of `needed` is in `offered`. */
bool set_covers(const struct set *offered, const struct set *needed);

/* The first item of `needed` that `offered` lacks; absent when it covers all. */
struct slice set_first_missing(const struct set *offered, const struct set *needed);

/* The canonical bytes of an interned set, in the arena. */
struct slice set_packed(struct step *step, uint64_t number);

/* As set_covers(), for two canonical forms; without memory. False and ERR_CORRUPT when one
 * cannot be read. */
bool set_packed_covers(struct step *step, struct slice offered, struct slice needed);

#endif
