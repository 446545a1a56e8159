/*
 * deadline.h - how long a link may take for what it is doing.
 */
#ifndef NET_DEADLINE_H
#define NET_DEADLINE_H

#include "net/state.h"

/* Call whenever the link begins to do something else. */
void deadline_begin(struct link *link);

/* Acts on what is due, and comes back by itself. */
void deadline_start(struct net *net);
void deadline_stop(struct net *net);

#endif
