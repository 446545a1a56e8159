/*
 * story.h - one long story in which every command of the core occurs, and every kind of
 * row, for tests that look at all of them from outside.
 */
#ifndef SUPPORT_CORE_STORY_H
#define SUPPORT_CORE_STORY_H

#include "core/fleet.h"

/* Leaves tasks in every state, agents in every state and work pending. */
void story_tell(struct fleet *fleet);

#endif
