/*
 * story_steer.h - the part of the story in which operators steer the fleet.
 */
#ifndef SUPPORT_CORE_STORY_STEER_H
#define SUPPORT_CORE_STORY_STEER_H

#include "core/fleet.h"

void story_steer(struct fleet *fleet);

/* A reset that is still under way. */
void story_reset(struct fleet *fleet);

#endif
