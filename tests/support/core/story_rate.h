/*
 * story_rate.h - the part of the story in which operators set limits.
 */
#ifndef SUPPORT_CORE_STORY_RATE_H
#define SUPPORT_CORE_STORY_RATE_H

#include "core/fleet.h"

/* `agent` is one of the fleet's. */
void story_rate(struct fleet *fleet, struct slice agent);

#endif
