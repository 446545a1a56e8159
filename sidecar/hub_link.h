/*
 * hub_link.h - the one connection to the hub: made, kept alive, and made again.
 *
 * Connects at once, then after a random part of a bound that doubles from a second to a
 * minute, so that a fleet does not come back all at once. A ping every half minute, or
 * as often as the hub asks for, must be answered, else the connection is given up.
 *
 * Ownership  Texts given to the listener are borrowed for the call.
 * Memory     A received message and the queue of what is to be sent are bounded; a frame
 *            that does not fit is refused to the caller.
 * Threads    One; the listener is called from hub_link_turn().
 */
#ifndef SIDECAR_HUB_LINK_H
#define SIDECAR_HUB_LINK_H

#include "sidecar/config.h"
#include "sidecar/loop.h"

struct hub_link;

enum {
    CLOSE_NORMAL = 1000,
    CLOSE_NO_STATUS = 1005,
    CLOSE_TOO_BIG_STATUS = 1009,
    CLOSE_FINAL_FIRST = 4500, /* from here to the next: do not come back */
    CLOSE_FINAL_LAST = 4999,
};

struct hub_link_listener {
    void (*up)(void *owner);
    void (*text)(void *owner, struct slice text);
    /* The connection is gone, or could not be made: `code` is then CLOSE_NO_STATUS. */
    void (*down)(void *owner, uint16_t code, struct slice reason);
    void *owner;
};

/* NULL without memory, or when the authorities cannot be read. */
struct hub_link *hub_link_create(const struct config *config, struct loop *loop,
                                 struct hub_link_listener listener);
void hub_link_destroy(struct hub_link *link);

/* Starts the first attempt. */
void hub_link_open(struct hub_link *link);

/* The hub knows us: the next wait is a short one again. */
void hub_link_settle(struct hub_link *link);

/* Between two attempts no more than this; 0 for the usual bound. */
void hub_link_hurry(struct hub_link *link, int64_t delay_max_ms);

/* False when it is not connected or the queue is full. */
bool hub_link_send(struct hub_link *link, struct slice text);

/* What is queued is sent first. No further attempt is made. */
void hub_link_close(struct hub_link *link);

/* The hub takes nothing of what was refused for this time: no ping sooner, and no further
 * attempt when the connection goes. */
void hub_link_wait(struct hub_link *link, int64_t wait_ms);

/* Gives the connection up and tries again after the usual wait. */
void hub_link_drop(struct hub_link *link);

bool hub_link_is_up(const struct hub_link *link);

/* How often the hub wants a ping; within bounds. Holds until the connection is gone. */
void hub_link_ping_every(struct hub_link *link, int64_t interval_ms);

/* The hub has said something: it lives. */
void hub_link_pong(struct hub_link *link);

/* Waits for anything to happen and lets it happen. */
void hub_link_turn(struct hub_link *link);

#endif
