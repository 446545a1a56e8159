#include "base/ensure.h"
#include "engine/doors.h"
#include "simulation/sim.h"

#include <stdlib.h>
#include <string.h>

static uint32_t link_add(struct hub *hub, bool is_request, uint32_t who)
{
    if (hub->link_count == hub->link_room) {
        hub->link_room = hub->link_room == 0 ? 256 : hub->link_room * 2;
        hub->links = realloc(hub->links, hub->link_room * sizeof *hub->links);
        ENSURE(hub->links != NULL);
    }
    struct hub_link *link = &hub->links[hub->link_count];
    *link = (struct hub_link){ .open = true, .is_request = is_request, .who = who };
    session_init(&link->session);
    if (is_request)
        return hub->link_count++;
    if (hub->socket_count == hub->socket_room) {
        hub->socket_room = hub->socket_room == 0 ? 64 : hub->socket_room * 2;
        hub->sockets = realloc(hub->sockets, hub->socket_room * sizeof *hub->sockets);
        ENSURE(hub->sockets != NULL);
    }
    hub->sockets[hub->socket_count++] = hub->link_count;
    return hub->link_count++;
}

static void link_end(struct hub *hub, uint32_t index)
{
    hub->links[index].open = false;
    for (uint32_t i = 0; i < hub->socket_count; i++) {
        if (hub->sockets[i] == index) {
            hub->sockets[i] = hub->sockets[--hub->socket_count];
            return;
        }
    }
}

void traffic_forget(struct hub *hub)
{
    for (uint32_t i = 0; i < hub->link_count; i++)
        session_finish(&hub->links[i].session);
    hub->link_count = 0;
    hub->socket_count = 0;
}

static uint64_t link_id(const struct hub *hub, uint32_t index)
{
    return door_link_first(hub->door) + index;
}

static struct hub_link *link_find(struct hub *hub, uint64_t id)
{
    uint64_t index = id - door_link_first(hub->door);
    if (index >= hub->link_count || !hub->links[index].open)
        return NULL;
    return &hub->links[index];
}

bool hub_knows_link(const struct hub *hub, uint64_t link)
{
    return link - door_link_first(hub->door) < hub->link_count;
}

static struct gate_time gate_now(const struct sim *sim)
{
    return (struct gate_time){ sim->monotonic_ms, sim_wall_ms(sim) };
}

/* As the net thread: it waits, parked, until there is room. */
static void push(struct hub *hub, struct envelope *envelope)
{
    struct sim *sim = hub->sim;
    if (!hub->up) {
        envelope_destroy(envelope);
        return;
    }
    while (!door_push(hub->door, envelope)) {
        sim->reached[POINT_HUB_RING_FULL] += sim->plan.rate[POINT_HUB_RING_FULL] > 0;
        hub->way_out_ms = 0;
        hub->frozen_ms = 0;
        uint64_t run = hub->run;
        hub_turn(hub);
        if (!hub->up || hub->run != run) {
            envelope_destroy(envelope);
            return;
        }
    }
}

static void say(struct hub *hub, const struct hub_link *link, struct slice text)
{
    if (!link->is_request)
        network_to_agent(&hub->sim->network, link->who, text);
}

static void socket_gone(struct hub *hub, uint32_t index)
{
    struct hub_link *link = &hub->links[index];
    bool identified = session_is_identified(&link->session);
    link_end(hub, index);
    if (!identified)
        return;
    struct envelope *envelope =
        session_closed(hub->gate, (struct origin){ .link = link_id(hub, index) });
    ENSURE(envelope != NULL);
    push(hub, envelope);
}

static void socket_close(struct hub *hub, uint32_t index)
{
    const struct hub_link *link = &hub->links[index];
    if (!link->open)
        return;
    network_close_by_hub(&hub->sim->network, link->who,
                         sim_fault(hub->sim, POINT_NET_HALF_OPEN));
    socket_gone(hub, index);
}

static bool connection_is_here(const struct hub *hub, const struct connection *connection)
{
    return connection->open_at_hub && connection->run == hub->run;
}

static uint32_t index_of(const struct hub *hub, const struct connection *connection)
{
    return (uint32_t)(connection->link - door_link_first(hub->door));
}

void hub_frame(struct hub *hub, uint32_t number, char *text, size_t size)
{
    struct sim *sim = hub->sim;
    struct connection *connection = network_at(&sim->network, number);
    if (!hub->up)
        return;
    if (!connection_is_here(hub, connection)) {
        /* The first frame of a connection makes it; of one that ended it is thrown away. */
        if (connection->link != 0 || !connection->open_at_agent)
            return;
        connection->link = link_id(hub, link_add(hub, false, number));
        connection->run = hub->run;
        connection->open_at_hub = true;
    }
    uint32_t index = index_of(hub, connection);
    struct hub_link *link = &hub->links[index];
    struct verdict verdict;
    sim->messages++;
    session_frame(&link->session, hub->gate, (struct origin){ .link = connection->link },
                  SLICE_OF("192.0.2.1"), text, size, gate_now(sim), &verdict);
    /* What the gate says is its own, and a push may be the end of it. */
    if (slice_is_present(verdict.notice))
        say(hub, link, verdict.notice);
    if (slice_is_present(verdict.answer))
        say(hub, link, verdict.answer);
    if (verdict.close != CLOSE_NONE)
        socket_close(hub, index);
    if (verdict.word != NULL)
        push(hub, verdict.word);
    if (verdict.envelope != NULL)
        push(hub, verdict.envelope);
}

void hub_closed(struct hub *hub, uint32_t number)
{
    struct connection *connection = network_at(&hub->sim->network, number);
    if (!hub->up || !connection_is_here(hub, connection))
        return;
    connection->open_at_hub = false;
    socket_gone(hub, index_of(hub, connection));
}

static void frame_to(struct hub *hub, const struct hub_link *link,
                     const struct release *release)
{
    struct frame *frame = release->frame;
    if (link != NULL && link->open && !link->is_request)
        say(hub, link, slice_make(frame_text(frame), frame->size));
}

/* To everybody who is identified, or to those who asked for it. */
static void frame_to_many(struct hub *hub, const struct release *release)
{
    bool published = release->kind == RELEASE_PUBLISH;
    for (uint32_t i = 0; i < hub->socket_count; i++) {
        uint32_t index = hub->sockets[i];
        const struct hub_link *link = &hub->links[index];
        bool is_meant = published ? link->subscribed
                                  : link->bound && link_id(hub, index) != release->link;
        if (is_meant)
            frame_to(hub, link, release);
    }
}

static void key_add(struct hub *hub, const struct release *release)
{
    const struct key key = {
        .actor = release->actor,
        .role = release->role,
        .scopes = release->scopes,
        .expires_wall_ms = release->expires_wall_ms,
    };
    ENSURE(gate_key_add(hub->gate, release->digest, &key) == ERR_OK);
}

static void key_remove(struct hub *hub, const struct release *release)
{
    gate_key_remove(hub->gate, release->digest);
    for (uint32_t i = hub->socket_count; i-- > 0;) {
        uint32_t index = hub->sockets[i];
        const struct session *session = &hub->links[index].session;
        if (session_is_identified(session) &&
            memcmp(session->digest, release->digest, DIGEST_BYTES) == 0)
            socket_close(hub, index);
        if (i > hub->socket_count)
            i = hub->socket_count;
    }
}

static void take(struct hub *hub, const struct release *release)
{
    struct hub_link *link = link_find(hub, release->link);
    switch ((int)release->kind) {
    case RELEASE_SEND:
        frame_to(hub, link, release);
        break;
    case RELEASE_BROADCAST:
    case RELEASE_PUBLISH:
        frame_to_many(hub, release);
        break;
    case RELEASE_SUBSCRIBE:
    case RELEASE_UNSUBSCRIBE:
        if (link != NULL)
            link->subscribed = release->kind == RELEASE_SUBSCRIBE;
        break;
    case RELEASE_ANSWER:
        if (link == NULL || !link->is_request)
            break;
        link->open = false;
        clients_answer(&hub->sim->clients, link->who, release->status,
                       slice_make(frame_text(release->frame), release->frame->size));
        break;
    case RELEASE_BIND:
        if (link != NULL)
            link->bound = true;
        break;
    case RELEASE_CLOSE:
        if (link != NULL)
            socket_close(hub, (uint32_t)(link - hub->links));
        break;
    case RELEASE_KEY_ADD:
        key_add(hub, release);
        break;
    case RELEASE_KEY_REMOVE:
        key_remove(hub, release);
        break;
    default:
        break;
    }
}

static void batch_take(struct hub *hub, struct release_batch *batch)
{
    for (struct release *release = release_first(batch); release != NULL && hub->up;
         release = release->next)
        take(hub, release);
    release_batch_destroy(batch);
}

static void drain(struct hub *hub)
{
    struct release_batch *batch;
    if (hub->way_out_ms > hub->sim->monotonic_ms)
        return;
    while (hub->up && (batch = door_pop(hub->door)) != NULL)
        batch_take(hub, batch);
}

void hub_turn(struct hub *hub)
{
    struct sim *sim = hub->sim;
    uint64_t run = hub->run;
    if (!hub->up || hub_is_frozen(hub))
        return;
    drain(hub);
    while (hub->up && hub->run == run && engine_turn(hub->engine)) {
        if (sim->disk.crashed) {
            hub_kill(hub, dice_tail(&sim->dice, 100, 60000));
            return;
        }
        drain(hub);
        if (hub->store_broke && !sim->disk.harmed && sim->disk.flip_count == 0)
            sim_break(sim, "the hub gave up a store with which nothing was wrong", NULL);
        if (hub->up && hub->store_broke) {
            /* The process ends by itself, and somebody puts the disk right. */
            hub_kill(hub, dice_tail(&sim->dice, 100, 60000));
            hub_mend(hub);
            return;
        }
        if (sim_is_broken(sim))
            return;
    }
}

/* True when the gate lets the request in. */
static bool request_admitted(struct hub *hub, uint32_t number, struct verdict *verdict)
{
    struct sim *sim = hub->sim;
    struct client_request *asked = clients_request(&sim->clients, number);
    struct request request = { .type = asked->type,
                               .address = SLICE_OF("192.0.2.2"),
                               .authorization = slice_from_text(asked->authorization) };
    struct caller caller;
    struct minted minted;
    if (!request_check(hub->gate, &request, gate_now(sim), &caller, verdict))
        return false;
    uint32_t index = link_add(hub, true, number);
    struct slice body = slice_is_present(MESSAGE_ROWS[asked->type].schema)
                            ? slice_make(asked->body, asked->body_size)
                            : (struct slice){ 0 };
    request_admit(hub->gate, &request, &caller,
                  (struct origin){ link_id(hub, index), number + 1 }, asked->parameters,
                  asked->parameter_count, body, gate_now(sim), &minted, verdict);
    if (minted.present)
        memcpy(asked->minted, minted.text, TOKEN_TEXT_BYTES);
    return verdict->envelope != NULL;
}

void hub_request(struct hub *hub, uint32_t number)
{
    struct sim *sim = hub->sim;
    struct verdict verdict;
    if (!hub->up || hub_is_frozen(hub))
        return;
    sim->messages++;
    bool admitted = request_admitted(hub, number, &verdict);
    if (!admitted)
        clients_answer(&sim->clients, number, verdict.status, verdict.answer);
    if (verdict.word != NULL)
        push(hub, verdict.word);
    if (!admitted)
        return;
    if (!hub->up) {
        envelope_destroy(verdict.envelope);
        return;
    }
    enum message_type type = verdict.envelope->message.type;
    if (MESSAGE_ROWS[type].kind != KIND_QUERY) {
        push(hub, verdict.envelope);
        return;
    }
    struct release_batch *batch = reader_answer(hub->reader, verdict.envelope);
    envelope_destroy(verdict.envelope);
    ENSURE(batch != NULL);
    batch_take(hub, batch);
}
