/*
 * parking.h - links that wait for room in the ring to the engine, oldest first.
 */
#ifndef NET_PARKING_H
#define NET_PARKING_H

#include "net/state.h"

/* True: the engine has it. False, and nothing taken: the ring is full or others wait. */
bool parking_push(struct net *net, struct envelope *envelope);

/* Puts the link at the end of the line, with what it wants to push. */
void parking_enter(struct net *net, struct link *link, struct envelope *envelope);

/* Takes it out of the line; what it wanted to push is dropped. */
void parking_leave(struct net *net, struct link *link);

/* Pushes for those who wait, as far as there is room. */
void parking_resume(struct net *net);

#endif
