/*
 * door_route.h - the routes the door answers by itself, without the core: one function
 * each, named after it. A row of kind door without one does not link.
 */
#ifndef NET_DOOR_ROUTE_H
#define NET_DOOR_ROUTE_H

#include "net/exchange.h"

/* Answers the link's exchange. `asked` is NULL where a route has nothing to read. */
void door_route_answer(struct link *link, const struct envelope *asked);

#define ROW(NAME, name) void door_##name(struct link *link, const struct envelope *asked);
MESSAGE_DOORS(ROW)
#undef ROW

#endif
