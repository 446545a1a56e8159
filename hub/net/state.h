/*
 * state.h - what this room's files share: the net itself.
 */
#ifndef NET_STATE_H
#define NET_STATE_H

#include "base/map.h"
#include "engine/door.h"
#include "engine/reader.h"
#include "gate/gate.h"
#include "net/link.h"
#include "net/net.h"
#include "net/wheel.h"
#include "os/clock.h"

#include <libwebsockets.h>
#include <stdatomic.h>

struct net {
    struct net_options options;
    bool loopback;
    bool tls;
    struct lws_context *context;
    struct lws_vhost *vhost;
    int listener; /* the socket listened on; -1 when it is not known */
    uint16_t port;
    lws_sorted_usec_list_t tick;
    int64_t alive_told_ms;
    atomic_bool stop;
    bool quiet;     /* nothing is read any more */
    bool finishing; /* everybody is being sent home */

    struct door *door;
    struct reader *reader;
    struct gate *gate;

    /* All links: by id, and in one list. */
    struct link **slots;
    size_t slot_mask;
    struct link *first;
    struct link *subscribed_first;
    uint32_t link_count;
    uint64_t link_next;
    uint64_t request_next;
    struct map *addresses; /* how many links each has; loopback left out */

    /* Those who wait for room in the ring, oldest first. */
    struct link *parked_first;
    struct link *parked_last;

    struct stream *streams; /* those who follow the event log */

    struct wheel wheel;
};

static inline struct gate_time net_now(void)
{
    return (struct gate_time){ clock_monotonic_ms(), clock_wall_ms() };
}

#endif
