/*
 * handshake.h - who is let in at all, and who becomes a WebSocket.
 *
 * The library accepts handshakes no client should send, and after refusing an unknown
 * upgrade on a kept connection it hands its caller a pointer into freed memory. So the
 * pointer it gives is never looked at: headers are asked for by name, which gives nothing
 * once they are freed.
 */
#ifndef NET_HANDSHAKE_H
#define NET_HANDSHAKE_H

#include "net/state.h"

/* A connection was accepted. Non-zero: it is closed at once. */
int handshake_accept(struct net *net, int fd);

/* A request asks for an upgrade. Zero: it may become a WebSocket. */
int handshake_upgrade(struct link *link);

/* The library is about to switch protocols. Zero: it may. */
int handshake_confirm(const struct link *link);

#endif
