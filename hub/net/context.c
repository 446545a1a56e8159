#include "net/callbacks.h"
#include "net/deadline.h"
#include "net/exchange.h"
#include "net/handoff.h"
#include "net/links.h"
#include "net/state.h"
#include "net/tls.h"
#include "os/log.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    /* Kept small: every WebSocket holds one. */
    RECEIVE_BYTES = 2048,
    SERVICE_BYTES = 16 * 1024,
    HEADER_BYTES_MAX = 8 * 1024,
    /* The library's own patience, in seconds: ours is shorter. */
    LIBRARY_S = 60,
    LIBRARY_IDLE_S = 24 * 60 * 60,
    /* Files, wake-ups, the store, the log. */
    RESERVED_FILES = 64,
    /* The library's tables are as long as the limit, however large that is. */
    FILES_MAX = 1 << 20,
    FINISH_MS = 2000,
    FAREWELL_MS = 250,  /* of these, to hear goodbye from those who were told it */
    EARLY_FILES = 1024, /* the listener is opened among the first */
};

static const struct lws_protocols PROTOCOLS[] = {
    { "", net_callback, 0, RECEIVE_BYTES, 0, NULL, 0 },
    { NULL, NULL, 0, 0, 0, NULL, 0 },
};

/* No pings of the library's own: silence is judged by the bytes that come in. */
static const lws_retry_bo_t NO_PINGS = { 0 };

void net_options_init(struct net_options *options)
{
    *options = (struct net_options){
        .address = "127.0.0.1",
        .port = 4000,
        .listener = -1,
        .open_registration = true,
        .connections_max = 12000,
        .connections_per_address_max = 256,
        .frame_bytes_max = 256 * 1024,
        .body_bytes_max = 1024 * 1024,
        .send_queue_bytes_max = 1024 * 1024,
        .send_queue_frames_max = 1024,
        .auth_deadline_ms = 5000,
        .idle_timeout_ms = 60 * 1000,
        .keys_max = 1000 * 1000,
    };
    limits_init(&options->limits);
}

/* Clients provoke most of what the library has to say: it goes out on request only. */
static void log_library(int level, const char *line)
{
    size_t size = strlen(line);
    while (size > 0 && line[size - 1] == '\n')
        size--;
    LOG_DEBUG("libwebsockets", LOG_NUMBER("level", level),
              LOG_TEXT("line", slice_make(line, size)));
}

static void fit_to_files(struct net *net)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_cur > FILES_MAX) {
        limit.rlim_cur = FILES_MAX;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    uint32_t files = (uint32_t)limit.rlim_cur;
    uint32_t most = files > 2 * RESERVED_FILES ? files - RESERVED_FILES : files / 2;
    if (net->options.connections_max > most) {
        LOG_WARNING("connections_limited_by_files", LOG_NUMBER("connections", most));
        net->options.connections_max = most;
    }
}

static bool is_any(const char *address)
{
    return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

/* 0 for anything that is no listening TCP socket. */
static uint16_t listener_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address = { 0 };
    socklen_t size = sizeof address;
    int listens = 0;
    socklen_t listens_size = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_size) != 0 ||
        listens == 0 || getsockname(fd, &address.any, &size) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.six.sin6_port
                                                   : address.four.sin_port);
}

/* The library keeps its listening socket to itself. */
static int find_listener(uint16_t port)
{
    for (int fd = 0; fd < EARLY_FILES; fd++)
        if (listener_port(fd) == port)
            return fd;
    return -1;
}

/* The library cannot be handed a listening socket, so it opens one of its own, on loopback
 * and any port, whose place the given one then takes. */
static enum err adopt_listener(struct net *net)
{
    int given = net->options.listener;
    int flags = fcntl(given, F_GETFL);
    if (net->listener < 0 || flags < 0 ||
        fcntl(given, F_SETFL, flags | O_NONBLOCK) != 0 ||
        dup3(given, net->listener, O_CLOEXEC) < 0)
        return ERR_INVALID;
    close(given);
    net->port = listener_port(net->listener);
    return ERR_OK;
}

/* Nothing is ever ready on what takes the listener's place, so the library, which would
 * stumble over a listener that is gone, sees nothing of it. */
static void close_listener(struct net *net)
{
    int nothing = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (nothing < 0)
        return;
    if (net->listener >= 0)
        dup3(nothing, net->listener, O_CLOEXEC);
    close(nothing);
    net->listener = -1;
}

static enum err open_vhost(struct net *net)
{
    const struct net_options *options = &net->options;
    bool given = options->listener >= 0;
    const char *address = given ? "127.0.0.1" : options->address;
    struct lws_context_creation_info info = {
        .port = given ? 0 : options->port,
        .iface = is_any(address) ? NULL : address,
        .protocols = PROTOCOLS,
        .vhost_name = "drover",
        .keepalive_timeout = LIBRARY_IDLE_S,
        .timeout_secs_ah_idle = LIBRARY_S,
        .retry_and_idle_policy = &NO_PINGS,
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                   LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
    };
    if (strchr(address, ':') == NULL)
        info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
    if (net->tls) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = options->tls_certificate;
        info.ssl_private_key_filepath = options->tls_key;
        info.alpn = "http/1.1";
    }
    net->vhost = lws_create_vhost(net->context, &info);
    if (net->vhost == NULL) {
        LOG_ERROR("cannot_listen", LOG_WORD("address", options->address),
                  LOG_NUMBER("port", options->port));
        return ERR_LIMIT;
    }
    net->port = (uint16_t)lws_get_vhost_listen_port(net->vhost);
    net->listener = find_listener(net->port);
    return given ? adopt_listener(net) : ERR_OK;
}

static enum err open_context(struct net *net)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .gid = -1,
        .uid = -1,
        .user = net,
        .pt_serv_buf_size = SERVICE_BYTES,
        .max_http_header_data2 = HEADER_BYTES_MAX,
        .timeout_secs = LIBRARY_S,
        .retry_and_idle_policy = &NO_PINGS,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
    };
    if (net->tls)
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    lws_set_log_level(LLL_ERR | LLL_WARN, log_library);
    net->context = lws_create_context(&info);
    return net->context == NULL ? ERR_MEMORY : open_vhost(net);
}

static void wake(void *context)
{
    struct net *net = context;
    lws_cancel_service(net->context);
}

static enum err join_engine(struct net *net)
{
    net->door = engine_door_add(net->options.engine, wake, net);
    net->reader = reader_create(net->options.engine);
    if (net->door == NULL || net->reader == NULL)
        return ERR_MEMORY;
    net->link_next = door_link_first(net->door);
    return ERR_OK;
}

enum err net_create(const struct net_options *options, struct net **ret_net)
{
    enum err err = ERR_OK;
    struct net *net = calloc(1, sizeof *net);
    if (net == NULL)
        return ERR_MEMORY;
    net->options = *options;
    net->tls = options->tls_certificate != NULL || options->tls_key != NULL;
    net->loopback = address_is_loopback(slice_from_text(options->address));
    wheel_init(&net->wheel, clock_monotonic_ms());
    fit_to_files(net);
    if (net->tls)
        err = tls_check_files(options->tls_certificate, options->tls_key);

    const struct gate_options gate = {
        .wire = options->wire,
        .registration_open = options->open_registration && net->loopback,
        .token_in_url = options->token_in_url,
        .keys_max = options->keys_max,
        .message_bytes_max = options->body_bytes_max > options->frame_bytes_max
                                 ? options->body_bytes_max
                                 : options->frame_bytes_max,
        .limits = options->limits,
    };
    if (err == ERR_OK)
        err = links_init(net);
    if (err == ERR_OK) {
        net->gate = gate_create(&gate, net_now());
        err = net->gate == NULL ? ERR_MEMORY : open_context(net);
    }
    if (err == ERR_OK)
        err = join_engine(net);
    if (err != ERR_OK) {
        net_destroy(net);
        return err;
    }
    *ret_net = net;
    return ERR_OK;
}

uint16_t net_port(const struct net *net)
{
    return net->port;
}

bool net_is_loopback(const struct net *net)
{
    return net->loopback;
}

struct gate *net_gate(struct net *net)
{
    return net->gate;
}

void net_run(struct net *net)
{
    deadline_start(net);
    while (!atomic_load(&net->stop))
        if (lws_service(net->context, 0) < 0)
            break;
}

void net_stop(struct net *net)
{
    atomic_store(&net->stop, true);
    lws_cancel_service(net->context);
}

void net_quiesce(struct net *net)
{
    net->quiet = true;
    close_listener(net);
    for (struct link *link = net->first; link != NULL; link = link->next)
        if (link->wsi != NULL && link->state != LINK_GONE &&
            link->state != LINK_CLOSING &&
            (link->exchange == NULL || link->exchange->state != EXCHANGE_ANSWERING))
            lws_rx_flow_control(link->wsi, 0);
    handoff_drain(net);
}

static void send_home(struct net *net)
{
    struct link *next;
    for (struct link *link = net->first; link != NULL; link = next) {
        next = link->next;
        if (link->state == LINK_SOCKET)
            link_close(link, CLOSE_RESTART);
        else if (link->state == LINK_HTTP && link->exchange == NULL)
            link_kill(link);
        else if (link->state == LINK_HTTP && link->exchange->state != EXCHANGE_ANSWERING)
            exchange_expire(link);
    }
}

static bool is_anything_unsaid(const struct net *net)
{
    for (const struct link *link = net->first; link != NULL; link = link->next)
        if (link->state != LINK_GONE)
            return true;
    return false;
}

void net_finish(struct net *net)
{
    handoff_drain(net);
    send_home(net);
    deadline_start(net);
    int64_t until_ms = clock_monotonic_ms() + FINISH_MS;
    bool farewell = false;
    while (net->first != NULL && clock_monotonic_ms() < until_ms) {
        if (!farewell && !is_anything_unsaid(net)) {
            farewell = true;
            if (clock_monotonic_ms() + FAREWELL_MS < until_ms)
                until_ms = clock_monotonic_ms() + FAREWELL_MS;
        }
        if (lws_service(net->context, 0) < 0)
            break;
    }
    deadline_stop(net);
}

void net_destroy(struct net *net)
{
    if (net == NULL)
        return;
    net->quiet = true;
    net->door = NULL; /* the engine may be gone */
    if (net->context != NULL)
        lws_context_destroy(net->context);
    while (net->parked_first != NULL) {
        struct link *link = net->parked_first;
        net->parked_first = link->parked_next;
        envelope_destroy(link->parked);
        link->is_parked = false;
        link_destroy(link);
    }
    gate_destroy(net->gate);
    reader_destroy(net->reader);
    links_finish(net);
    free(net);
}
