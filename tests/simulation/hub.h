/*
 * hub.h - one hub process: the engine, the gate and the reader as they ship, and in the
 * place of hub/net what hands frames, requests and releases to and fro.
 */
#ifndef SIMULATION_HUB_H
#define SIMULATION_HUB_H

#include "engine/engine.h"
#include "engine/reader.h"
#include "gate/request.h"
#include "gate/session.h"

struct sim;

/* One socket or one request at the hub's end. */
struct hub_link {
    bool open;
    bool bound;
    bool subscribed;
    bool is_request;
    uint32_t who; /* connection or request */
    struct session session;
};

struct hub {
    struct sim *sim;
    struct core_settings settings;
    struct store *store;
    struct engine *engine;
    struct door *door;
    struct gate *gate;
    struct reader *reader;
    bool up;
    bool store_broke;
    uint64_t run; /* starts so far */
    struct hub_link *links;
    uint32_t link_count;
    uint32_t link_room;
    uint32_t *sockets; /* those of `links` that are open and no requests */
    uint32_t socket_count;
    uint32_t socket_room;
    int64_t frozen_ms;  /* nothing moves before */
    int64_t way_out_ms; /* what is said is not taken away before */
    char admin_token[TOKEN_TEXT_BYTES];
    bool has_admin;
    uint64_t restarts;
    /* When a tick has work, as known at a commit. */
    uint64_t due_commits;
    int64_t due_wall_offset_ms;
    int64_t due_ms;
};

void hub_init(struct hub *hub, struct sim *sim);
void hub_finish(struct hub *hub);

/* May fail, on a bad disk: then it is down, and tried again later. */
void hub_start(struct hub *hub);

/* In good order, or in the middle of a word. It comes back after `down_ms`. */
void hub_stop(struct hub *hub, int64_t down_ms);
void hub_kill(struct hub *hub, int64_t down_ms);

/* Somebody puts right what is wrong with the disk of a hub that is down. */
void hub_mend(struct hub *hub);

void hub_frame(struct hub *hub, uint32_t connection, char *text, size_t size);
void hub_closed(struct hub *hub, uint32_t connection);
void hub_request(struct hub *hub, uint32_t request);

/* Turns until nothing is left to do. */
void hub_turn(struct hub *hub);

/* When a turn will find work although nothing came in; INT64_MAX: never. */
int64_t hub_due_ms(struct hub *hub);

/* Has this run of the hub given the number out? */
bool hub_knows_link(const struct hub *hub, uint64_t link);

bool hub_is_frozen(const struct hub *hub);

/* hub.c and traffic.c between themselves. */
void traffic_forget(struct hub *hub);

#endif
