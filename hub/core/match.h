/*
 * match.h - ready tasks meet agents with room.
 *
 * After every command no agent with room covers a ready task, unless a deadline says
 * where to go on: one command hands out a bounded number of tasks and of their bytes.
 */
#ifndef CORE_MATCH_H
#define CORE_MATCH_H

#include "core/step.h"

/* The task has become ready. */
void match_task(struct step *step, uint64_t task);

/* The agent may have room. */
void match_agent(struct step *step, uint64_t agent);

/* True when this command may hand out no more. */
bool match_is_spent(const struct step *step);

/* When the next thing that is left is to be handed out: at once, or after a pause in which
 * an agent can read the large tasks it was handed. */
int64_t match_later_ms(struct step *step);

#endif
