#include "net/deadline.h"

#include "net/exchange.h"
#include "net/handoff.h"
#include "net/parking.h"
#include "net/peer.h"
#include "net/stream.h"
#include "os/clock.h"

enum {
    TICK_MS = 200,
    BODY_MS = 10 * 1000,
    BODY_BYTES_PER_MS = 1, /* slower senders are cut off: a kilobyte a second */
    PARKED_MS = 10 * 1000,
    ENGINE_MS = 30 * 1000,
    ANSWER_MS = 30 * 1000, /* to read an answer */
    /* What is left of an answer when the socket took no more. With a next request
     * behind it the library polls without rest until the socket takes it. */
    REST_MS = 10 * 1000,
    LINGER_MS = 1000,
    STALL_MS = 10 * 1000,    /* to take the next of its answers */
    FRAGMENT_MS = 10 * 1000, /* to finish a message begun */
    GOODBYE_MS = 2 * 1000,
};

static int64_t due_of_exchange(const struct link *link)
{
    const struct exchange *exchange = link->exchange;
    switch (exchange->state) {
    case EXCHANGE_BODY:
        return link->since_ms + BODY_MS +
               (int64_t)exchange->body.size / BODY_BYTES_PER_MS;
    case EXCHANGE_WAITING:
        return link->since_ms + (link->is_parked ? PARKED_MS : ENGINE_MS);
    case EXCHANGE_STREAMING:
        return stream_beat_ms(link);
    case EXCHANGE_ANSWERING:
        break;
    }
    return link->since_ms + ANSWER_MS;
}

static int64_t due_of(const struct link *link)
{
    const struct net_options *options = &link->net->options;
    switch (link->state) {
    case LINK_HTTP:
        if (link->lingering)
            return link->since_ms + LINGER_MS;
        if (link->exchange != NULL)
            return due_of_exchange(link);
        if (lws_partial_buffered(link->wsi))
            return link->since_ms + REST_MS;
        return link->since_ms + (link->authenticated ? options->idle_timeout_ms
                                                     : options->auth_deadline_ms);
    case LINK_SOCKET:
        if (!session_is_identified(&link->session))
            return link->since_ms + options->auth_deadline_ms;
        if (link->paused_until_ms != 0)
            return link->paused_until_ms;
        if (link_is_stalled(link))
            return link->sent_ms + STALL_MS;
        if (link->in.size > 0)
            return link->active_ms + FRAGMENT_MS;
        if (link->stream != NULL)
            return stream_beat_ms(link);
        return link->active_ms + options->idle_timeout_ms;
    case LINK_CLOSING:
    case LINK_GONE:
        break;
    }
    return link->since_ms + GOODBYE_MS;
}

void deadline_begin(struct link *link)
{
    int64_t due_ms = due_of(link);
    /* Later deadlines are noticed when the earlier one fires. */
    if (link->deadline.previous == NULL || due_ms < link->deadline.due_ms)
        wheel_put(&link->net->wheel, &link->deadline, due_ms);
}

/* When bytes last came in, the library's own pings and pongs included. */
static int64_t heard_ms(const struct link *link, int64_t now_ms)
{
    int64_t silence_ms;
    if (!peer_silence(lws_get_socket_fd(link->wsi), &silence_ms) ||
        now_ms - silence_ms < link->active_ms)
        return link->active_ms;
    return now_ms - silence_ms;
}

static void act_on_socket(struct link *link, int64_t now_ms)
{
    if (!session_is_identified(&link->session)) {
        link_close(link, CLOSE_AUTH_TIMEOUT);
        return;
    }
    if (link->paused_until_ms != 0) {
        link_unpause(link);
        return;
    }
    if (link_is_waiting(link)) {
        /* Silent because we asked for it. */
        link->active_ms = now_ms;
        deadline_begin(link);
        return;
    }
    if (link->in.size == 0)
        link->active_ms = heard_ms(link, now_ms);
    if (due_of(link) > now_ms)
        deadline_begin(link);
    else if (link_is_stalled(link) || !stream_ask_alive(link, now_ms))
        link_close(link,
                   link_is_stalled(link) ? CLOSE_SLOW_CONSUMER : CLOSE_IDLE_TIMEOUT);
}

static void act(struct link *link, int64_t now_ms)
{
    if (due_of(link) > now_ms) {
        deadline_begin(link);
        return;
    }
    switch (link->state) {
    case LINK_SOCKET:
        act_on_socket(link, now_ms);
        return;
    case LINK_HTTP:
        if (link->exchange != NULL && link->exchange->state == EXCHANGE_STREAMING) {
            stream_beat_http(link, now_ms);
            return;
        }
        if (link->exchange != NULL && !link->lingering &&
            link->exchange->state != EXCHANGE_ANSWERING) {
            exchange_expire(link);
            return;
        }
        break;
    case LINK_CLOSING:
    case LINK_GONE:
        break;
    }
    link_kill(link);
}

/* Whoever watches the hub hears of it only while both threads turn. */
static void tell_alive(struct net *net, int64_t now_ms)
{
    const struct net_options *options = &net->options;
    if (options->alive_every_ms == 0 ||
        now_ms - net->alive_told_ms < options->alive_every_ms ||
        now_ms - engine_turned_ms(options->engine) >
            options->alive_every_ms + ENGINE_WAIT_MS_MAX)
        return;
    net->alive_told_ms = now_ms;
    options->alive();
}

static void tell_uses(struct net *net)
{
    struct envelope *envelope = gate_uses(net->gate);
    if (envelope == NULL)
        return;
    if (parking_push(net, envelope))
        gate_uses_told(net->gate);
    else
        envelope_destroy(envelope);
}

static void tick(lws_sorted_usec_list_t *sul)
{
    struct net *net = lws_container_of(sul, struct net, tick);
    int64_t now_ms = clock_monotonic_ms();
    struct wheel_node *node;
    while ((node = wheel_take(&net->wheel, now_ms)) != NULL)
        act(lws_container_of(node, struct link, deadline), now_ms);
    handoff_drain(net);
    tell_alive(net, now_ms);
    tell_uses(net);
    deadline_start(net);
}

void deadline_start(struct net *net)
{
    lws_sul_schedule(net->context, 0, &net->tick, tick, TICK_MS * LWS_US_PER_MS);
}

void deadline_stop(struct net *net)
{
    lws_sul_cancel(&net->tick);
}
