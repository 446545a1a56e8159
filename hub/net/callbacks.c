#include "net/callbacks.h"

#include "net/deadline.h"
#include "net/exchange.h"
#include "net/handoff.h"
#include "net/handshake.h"
#include "net/link.h"
#include "net/state.h"
#include "net/tls.h"

static int on_open(struct net *net, struct lws *wsi)
{
    struct link *link = link_open(net, wsi);
    lws_set_opaque_user_data(wsi, link);
    return link == NULL ? -1 : 0;
}

static int on_gone(struct lws *wsi, struct link *link)
{
    lws_set_opaque_user_data(wsi, NULL);
    link_gone(link);
    return 0;
}

static int on_peer_close(struct link *link)
{
    link->state = LINK_GONE;
    link->since_ms = clock_monotonic_ms();
    deadline_begin(link);
    return 0;
}

static int on_upgraded(struct link *link)
{
    link_upgraded(link);
    return 0;
}

/* What concerns one link. */
static int of_link(struct link *link, struct lws *wsi, enum lws_callback_reasons reason,
                   void *in, size_t size)
{
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return exchange_begin(link);
    case LWS_CALLBACK_HTTP_BODY:
        return exchange_body(link, in, size);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return exchange_body_end(link);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return exchange_writable(link);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return handshake_upgrade(link);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return handshake_confirm(link);
    case LWS_CALLBACK_ESTABLISHED:
        return on_upgraded(link);
    case LWS_CALLBACK_RECEIVE:
        return link_receive(link, in, size);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return link_writable(link);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return on_peer_close(link);
    case LWS_CALLBACK_WSI_DESTROY:
        return on_gone(wsi, link);
    default:
        return 0;
    }
}

int net_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                 size_t size)
{
    struct net *net = lws_context_user(lws_get_context(wsi));
    struct link *link;

    switch (reason) {
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
        return tls_harden(user);
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return handshake_accept(net, (int)(intptr_t)in);
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        return on_open(net, wsi);
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        if (net->door != NULL)
            handoff_drain(net);
        return 0;
    /* CONNECT would make a raw socket that nothing ever closes. */
    case LWS_CALLBACK_RAW_ADOPT:
    case LWS_CALLBACK_RAW_CONNECTED:
    case LWS_CALLBACK_RAW_RX:
        return -1;
    default:
        link = wsi == NULL ? NULL : lws_get_opaque_user_data(wsi);
        return link == NULL ? 0 : of_link(link, wsi, reason, in, size);
    }
}
