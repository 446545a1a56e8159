#include "simulation/network.h"

#include "base/ensure.h"
#include "simulation/sim.h"

#include <stdlib.h>
#include <string.h>

enum {
    DELAY_MS_MAX = 30000,
    REORDER_MS_MAX = 200,
    STALL_MS_MAX = 120000,
    NOTICED_MS = 60000, /* who hears nothing for so long gives the connection up */
};

void network_init(struct network *network, struct sim *sim)
{
    *network = (struct network){ .sim = sim };
}

void network_finish(struct network *network)
{
    free(network->connections);
}

struct connection *network_at(struct network *network, uint32_t number)
{
    ENSURE(number < network->count);
    return &network->connections[number];
}

uint32_t network_open(struct network *network, uint32_t agent)
{
    if (network->count == network->room) {
        network->room = network->room == 0 ? 64 : network->room * 2;
        network->connections =
            realloc(network->connections, network->room * sizeof(struct connection));
        ENSURE(network->connections != NULL);
    }
    struct connection *connection = &network->connections[network->count];
    *connection = (struct connection){ .agent = agent, .open_at_agent = true };
    return network->count++;
}

int64_t network_delay_ms(struct network *network)
{
    struct sim *sim = network->sim;
    int64_t delay_ms = dice_below(&sim->dice, 5);
    if (sim_fault(sim, POINT_NET_DELAY))
        delay_ms += dice_tail(&sim->dice, 10, DELAY_MS_MAX);
    return delay_ms;
}

/* A connection keeps its order, but a bad one does not even do that. */
static int64_t arrival(struct network *network, int64_t *last_ms)
{
    struct sim *sim = network->sim;
    int64_t at_ms = sim->monotonic_ms + network_delay_ms(network);
    if (sim_fault(sim, POINT_NET_REORDER))
        return at_ms + dice_below(&sim->dice, REORDER_MS_MAX);
    if (at_ms < *last_ms)
        at_ms = *last_ms;
    *last_ms = at_ms;
    return at_ms;
}

static void carry(struct network *network, enum event_kind kind, uint32_t number,
                  int64_t *last_ms, struct slice frame)
{
    struct sim *sim = network->sim;
    if (sim_fault(sim, POINT_NET_DROP))
        return;
    agenda_add(&sim->agenda, arrival(network, last_ms), kind, number, 0, frame);
    if (sim_fault(sim, POINT_NET_DUPLICATE))
        agenda_add(&sim->agenda, arrival(network, last_ms), kind, number, 0, frame);
}

void network_to_hub(struct network *network, uint32_t number, struct slice frame)
{
    struct connection *connection = network_at(network, number);
    if (!connection->open_at_agent)
        return;
    if (sim_fault(network->sim, POINT_NET_CUT)) {
        /* Half of it is on the wire when the wire breaks. */
        network_close_by_agent(network, number, false);
        agent_lost(&network->sim->agents, number);
        return;
    }
    carry(network, AGENDA_FRAME_TO_HUB, number, &connection->to_hub_ms, frame);
}

void network_to_agent(struct network *network, uint32_t number, struct slice frame)
{
    struct connection *connection = network_at(network, number);
    if (!connection->open_at_agent)
        return;
    if (sim_fault(network->sim, POINT_NET_STALLED_READER))
        connection->to_agent_ms = network->sim->monotonic_ms +
                                  dice_tail(&network->sim->dice, 1000, STALL_MS_MAX);
    carry(network, AGENDA_FRAME_TO_AGENT, number, &connection->to_agent_ms, frame);
}

void network_close_by_agent(struct network *network, uint32_t number, bool half_open)
{
    struct connection *connection = network_at(network, number);
    struct sim *sim = network->sim;
    connection->open_at_agent = false;
    int64_t at_ms =
        sim->monotonic_ms + (half_open ? NOTICED_MS : network_delay_ms(network));
    /* What was sent before the end comes before it, or after it. */
    if (at_ms < connection->to_hub_ms && !sim_fault(sim, POINT_NET_STALE_FRAME))
        at_ms = connection->to_hub_ms;
    agenda_add(&sim->agenda, at_ms, AGENDA_CLOSE_AT_HUB, number, 0, (struct slice){ 0 });
}

void network_close_by_hub(struct network *network, uint32_t number, bool half_open)
{
    struct connection *connection = network_at(network, number);
    struct sim *sim = network->sim;
    connection->open_at_hub = false;
    int64_t at_ms =
        sim->monotonic_ms + (half_open ? NOTICED_MS : network_delay_ms(network));
    if (at_ms < connection->to_agent_ms)
        at_ms = connection->to_agent_ms;
    agenda_add(&sim->agenda, at_ms, AGENDA_CLOSE_AT_AGENT, number, 0,
               (struct slice){ 0 });
}
