/*
 * shape.h - what a hub's store is made of: its tables, and the steps from each version of
 * what lies in them to the next. Whoever opens one says the same.
 *
 * To change what lies in the tables of stores that are out there: one more step in
 * shape_steps.c (store/store.h says what a step is). A hub that finds an older store backs
 * it up and takes the steps in a copy; an older hub refuses a newer store.
 */
#ifndef OPS_SHAPE_H
#define OPS_SHAPE_H

#include "store/store.h"

/* shape_steps.c; of its own, so that a test can link others. */
extern const struct store_migration *const SHAPE_STEPS;
extern const unsigned SHAPE_STEP_COUNT;

/* The version this hub writes. */
uint32_t shape_version(void);

/* All but the bounds of the map and what else the caller has to say. */
struct store_options shape_options(const char *directory);

#endif
