/*
 * handoff.h - what the engine released, brought to the links it is for.
 */
#ifndef NET_HANDOFF_H
#define NET_HANDOFF_H

#include "net/state.h"

/* Everything that was released so far; then those who wait for room are let in. */
void handoff_drain(struct net *net);

/* One batch, which is taken. */
void handoff_take(struct net *net, struct release_batch *batch);

#endif
