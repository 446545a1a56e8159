/*
 * links.h - all links of a net: by id, counted, and counted by address.
 */
#ifndef NET_LINKS_H
#define NET_LINKS_H

#include "net/state.h"

/* ERR_MEMORY. */
enum err links_init(struct net *net);
void links_finish(struct net *net);

/* May one more come from this address? */
bool links_admit(const struct net *net, struct slice address);

/* Gives the link its id and counts it. ERR_MEMORY. */
enum err links_add(struct net *net, struct link *link);

/* No answer finds it any more; its address may come again. */
void links_forget(struct net *net, struct link *link);

/* Makes room for another one. */
void links_remove(struct net *net, struct link *link);

/* What is published reaches it from now on, or does not any more. */
void links_subscribe(struct net *net, struct link *link, bool on);

/* NULL when it is gone. */
struct link *links_find(const struct net *net, uint64_t id);

bool address_is_loopback(struct slice address);

#endif
