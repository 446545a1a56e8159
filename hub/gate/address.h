/*
 * address.h - by what part of it an address is known to the guards.
 */
#ifndef GATE_ADDRESS_H
#define GATE_ADDRESS_H

#include "base/slice.h"

#include <netinet/in.h>

/* The network of 64 bits, all of which one subscriber is given, of an IPv6 address: its
 * bytes, in `space`. Any other address is `text` itself. */
struct slice address_network(struct slice text, struct in6_addr *space);

#endif
