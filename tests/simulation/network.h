/*
 * network.h - connections between agents and the hub: slow, lossy, half open.
 *
 * Both ends of a connection know for themselves whether it stands: one may be gone and
 * the other not have heard of it.
 */
#ifndef SIMULATION_NETWORK_H
#define SIMULATION_NETWORK_H

#include "base/slice.h"

struct sim;

struct connection {
    uint32_t agent;
    bool open_at_agent;
    bool open_at_hub;
    uint64_t link;     /* the hub's number for it; 0: it never got there */
    uint64_t run;      /* of the hub, in which the link has its meaning */
    int64_t to_hub_ms; /* when the last frame on the way arrives */
    int64_t to_agent_ms;
};

struct network {
    struct sim *sim;
    struct connection *connections;
    uint32_t count;
    uint32_t room;
};

void network_init(struct network *network, struct sim *sim);
void network_finish(struct network *network);

/* The agent opens a connection; its number. */
uint32_t network_open(struct network *network, uint32_t agent);

struct connection *network_at(struct network *network, uint32_t number);

/* One frame on its way, or on two, or none. */
void network_to_hub(struct network *network, uint32_t number, struct slice frame);
void network_to_agent(struct network *network, uint32_t number, struct slice frame);

/* One end closes; the other hears of it soon or, half open, after a long silence. */
void network_close_by_agent(struct network *network, uint32_t number, bool half_open);
void network_close_by_hub(struct network *network, uint32_t number, bool half_open);

/* How long something takes to get from here to there. */
int64_t network_delay_ms(struct network *network);

#endif
