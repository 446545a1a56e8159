/*
 * queue_look.h - what queue_check.c does with the two sides of one command.
 */
#ifndef SUPPORT_CORE_QUEUE_LOOK_H
#define SUPPORT_CORE_QUEUE_LOOK_H

#include "core/queue_check.h"

extern const char *const LOOK_AGENTS[MODEL_AGENTS_MAX];

/* Keeps the first difference. */
void look_breaks(struct queue_check *check, const char *text, uint64_t one,
                 uint64_t other);

void look_breaks_word(struct queue_check *check, const char *text, uint64_t one,
                      uint64_t other, const char *word);

/* One line of what is done, when the run is traced. */
void look_trace(const struct queue_check *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Before a command: the model's clocks, and what stands ready. */
void look_before(struct queue_check *check);

/* After it, when the model has moved too: its hand-outs and its reply. */
void look_effects(struct queue_check *check);

/* Everything due now, in as many ticks as it takes, then all must agree. What stood
 * ready at look_before() is still not to be overtaken. */
void look_settle(struct queue_check *check);

uint64_t look_number(struct queue_check *check, struct slice id);

#endif
