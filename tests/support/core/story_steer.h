/*
 * story_steer.h - the part of the story in which operators steer the fleet.
 */
#ifndef SUPPORT_CORE_STORY_STEER_H
#define SUPPORT_CORE_STORY_STEER_H

#include "core/fleet.h"

void story_steer(struct fleet *fleet);

#endif
