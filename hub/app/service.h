/*
 * service.h - the service manager above the hub: a socket it may hand down, and what it is
 * told (ready, alive, stopping). By libsystemd; without a manager nothing happens.
 *
 * Threads    service_alive: any. The rest: the main thread.
 */
#ifndef APP_SERVICE_H
#define APP_SERVICE_H

#include "app/listen.h"
#include "base/err.h"

#include <stdint.h>
#include <stdio.h>

/* Takes the listening socket that was handed down (sd_listen_fds(3)): *ret_fd is -1 when
 * there is none, else *ret_listen is where it listens. ERR_INVALID: not exactly one
 * listening TCP socket; the reason was written to the complaints. */
enum err service_socket_take(struct listen *ret_listen, int *ret_fd, FILE *complaints);

/* How often the manager wants to hear that the hub is alive (a third of WatchdogSec=), so
 * that one late word kills nothing; 0: never. */
int64_t service_alive_every_ms(void);

/* The start takes long, and goes on: no longer than this until it says so again. */
void service_starting(int64_t ms);
void service_ready(void);
void service_alive(void);
void service_stopping(void);

#endif
