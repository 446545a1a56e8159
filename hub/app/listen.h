/*
 * listen.h - where the hub listens, as settings say it: ADDRESS:PORT or [ADDRESS]:PORT.
 */
#ifndef APP_LISTEN_H
#define APP_LISTEN_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct listen {
    char address[64];
    uint16_t port;
    bool loopback; /* nobody but this machine reaches it */
};

/* False when the text is no such place. "localhost" is 127.0.0.1. */
bool listen_parse(struct slice text, struct listen *ret_listen);

/* The place of a socket that listens already; `address` is an in_addr or an in6_addr. */
bool listen_describe(int family, const void *address, uint16_t port,
                     struct listen *ret_listen);

#endif
