/*
 * judge.h - the core's judge: JSON Schemas compiled once and kept while there is room.
 *
 * Threads    One judge per thread.
 */
#ifndef ENGINE_JUDGE_H
#define ENGINE_JUDGE_H

#include "core/judge.h"

enum {
    JUDGE_KEPT_MAX = 64, /* compiled schemas; past it the one used longest ago goes */
    JUDGE_NODES_MAX = 2000,
};

/* `steps_max` bounds one judgement. NULL without memory. */
struct judge *judge_create(uint32_t steps_max);

/* Accepts NULL. */
void judge_destroy(struct judge *judge);

/* After a batch that never happened: the numbers it gave out are given out again. */
void judge_forget(struct judge *judge);

#endif
