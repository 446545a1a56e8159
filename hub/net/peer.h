/*
 * peer.h - who is at the other end of a socket.
 */
#ifndef NET_PEER_H
#define NET_PEER_H

#include "base/slice.h"

#include <netinet/in.h>

/* The address as text; empty when it cannot be told. IPv4 addresses mapped into IPv6 are
 * shown as what they are. */
struct slice peer_text(int fd, char ret_text[INET6_ADDRSTRLEN]);

/* How many bytes were ever read from the socket. False when the system cannot tell. */
bool peer_bytes_read(int fd, uint64_t *ret_bytes);

/* Milliseconds since bytes last came in. False when the system cannot tell. */
bool peer_silence(int fd, int64_t *ret_ms);

#endif
