#include "net/handoff.h"

#include "net/exchange.h"
#include "net/links.h"
#include "net/parking.h"
#include "net/stream.h"
#include "os/log.h"

#include <string.h>

static void send_one(struct net *net, struct release *release)
{
    struct link *link = links_find(net, release->link);
    if (link == NULL)
        return;
    if (release->answer == MESSAGE_TASK_ASSIGN)
        limit_task_given(&link->session.allowance);
    link_send(link, release->frame);
    release->frame = NULL;
}

static void send_all(struct net *net, const struct release *release)
{
    struct link *next;
    for (struct link *link = net->first; link != NULL; link = next) {
        next = link->next;
        if (!link->bound || link->id == release->link)
            continue;
        frame_hold(release->frame);
        link_send(link, release->frame);
    }
}

static void publish(struct net *net, const struct release *release)
{
    struct link *next;
    for (struct link *link = net->subscribed_first; link != NULL; link = next) {
        next = link->subscribed_next;
        link_publish(link, release->frame);
    }
}

static void answer_one(struct net *net, const struct release *release)
{
    struct link *link = links_find(net, release->link);
    if (link != NULL && link->state == LINK_HTTP)
        exchange_answer(link, release);
}

static void remove_key(struct net *net, const struct release *release)
{
    uint32_t role = gate_key_remove(net->gate, release->digest);
    if (role == ROLE_BOOTSTRAP && net->options.enrolled != NULL)
        net->options.enrolled(net->options.context);
    struct link *next;
    for (struct link *link = net->first; link != NULL; link = next) {
        next = link->next;
        if (session_is_identified(&link->session) &&
            memcmp(link->session.digest, release->digest, DIGEST_BYTES) == 0)
            link_close(link, CLOSE_TOKEN_REVOKED);
    }
    stream_forbid(net, release->digest);
}

static void add_key(struct net *net, const struct release *release)
{
    const struct key key = {
        .actor = release->actor,
        .role = release->role,
        .scopes = release->scopes,
        .expires_wall_ms = release->expires_wall_ms,
    };
    if (gate_key_add(net->gate, release->digest, &key) != ERR_OK)
        LOG_ERROR("key_not_taken", LOG_TEXT("agent", release->actor));
}

static void reset_begin(struct net *net)
{
    if (gate_reset(net->gate, net_now()) != ERR_OK)
        LOG_ERROR("guards_not_reset", LOG_ERR(ERR_MEMORY));
    reader_reset(net->reader);
}

/* What no key was told for is no key. */
static void keys_told(struct net *net)
{
    struct link *next;
    size_t gone = gate_keys_sweep(net->gate);
    if (gone == 0)
        return;
    LOG_WARNING("keys_swept", LOG_NUMBER("count", gone));
    for (struct link *link = net->first; link != NULL; link = next) {
        next = link->next;
        if (session_is_identified(&link->session) &&
            !gate_key_is_known(net->gate, link->session.digest))
            link_close(link, CLOSE_TOKEN_REVOKED);
    }
}

static void take(struct net *net, struct release *release)
{
    struct link *link;
    switch (release->kind) {
    case RELEASE_SEND:
        send_one(net, release);
        break;
    case RELEASE_BROADCAST:
        send_all(net, release);
        break;
    case RELEASE_ANSWER:
        answer_one(net, release);
        break;
    case RELEASE_BIND:
        link = links_find(net, release->link);
        if (link != NULL)
            link->bound = true;
        break;
    case RELEASE_CLOSE:
        link = links_find(net, release->link);
        if (link != NULL)
            link_close_code(link, release->code);
        break;
    case RELEASE_KEY_ADD:
        add_key(net, release);
        break;
    case RELEASE_KEY_REMOVE:
        remove_key(net, release);
        break;
    case RELEASE_SUBSCRIBE:
    case RELEASE_UNSUBSCRIBE:
        link = links_find(net, release->link);
        if (link != NULL)
            links_subscribe(net, link, release->kind == RELEASE_SUBSCRIBE);
        break;
    case RELEASE_PUBLISH:
        publish(net, release);
    case RELEASE_JOB_SKIPPED:
    case RELEASE_JOB: /* leaves by the ops thread's door */
        break;
    case RELEASE_RATE_OVERRIDE:
        if (rates_override(net->gate->rates, release->actor, &release->override) !=
            ERR_OK)
            LOG_ERROR("rate_not_taken", LOG_TEXT("agent", release->actor));
        break;
    case RELEASE_RATE_EXEMPT:
        if (rates_exempt(net->gate->rates, release->actor, release->exempt) != ERR_OK)
            LOG_ERROR("rate_not_taken", LOG_TEXT("agent", release->actor));
        break;
    case RELEASE_RESET:
        LOG_NOTICE("reset_begun");
        reset_begin(net);
        break;
    case RELEASE_KEYS_TOLD:
        keys_told(net);
        break;
    case RELEASE_RESET_DONE:
        LOG_NOTICE("reset_done", LOG_NUMBER("differences", release->request));
        break;
    case RELEASE_EVENTS:
        link = links_find(net, release->link);
        if (link != NULL)
            stream_take(link, release);
        break;
    case RELEASE_EVENTS_NEW:
        stream_wake_all(net, release->event_last);
        break;
    }
}

static void tell_answered(struct net *net, const struct release_batch *batch)
{
    for (const struct release_done *done = release_done_first(batch); done != NULL;
         done = done->next) {
        struct link *link = links_find(net, done->link);
        if (link != NULL)
            link_answered(link, done->count);
    }
}

void handoff_take(struct net *net, struct release_batch *batch)
{
    for (struct release *release = release_first(batch); release != NULL;
         release = release->next)
        take(net, release);
    tell_answered(net, batch);
    release_batch_destroy(batch);
}

void handoff_drain(struct net *net)
{
    struct release_batch *batch;
    while ((batch = door_pop(net->door)) != NULL)
        handoff_take(net, batch);
    parking_resume(net);
}
