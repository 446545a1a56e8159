#include "sidecar/hub_link.h"

#include "base/ensure.h"
#include "os/clock.h"
#include "os/entropy.h"
#include "sidecar/words.h"

#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

enum {
    DELAY_FIRST_MS = 1000,
    DELAY_MAX_MS = 60000,
    DELAY_LEAST_MS = 50,
    SETTLE_MS = 20000,
    PING_MS = 30000,
    PING_MS_MIN = 1000,
    PING_MS_MAX = 600000,
    PONG_MS = 10000,
    WAIT_MAX_MS = 600000, /* whatever the hub says */
    FRAMES_MAX = 1024,
    RX_CHUNK_BYTES = 16384,
    HOST_BYTES = 1100,
};

#define QUEUE_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define MESSAGE_BYTES_MAX ((size_t)16 * 1024 * 1024)

struct frame {
    struct frame *next;
    size_t size;
    unsigned char bytes[]; /* LWS_PRE of the library's own, then the text */
};

struct hub_link {
    const struct config *config;
    struct loop *loop;
    struct hub_link_listener listener;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct lws *wsi;
    bool up;
    bool closing;   /* for good */
    bool giving_up; /* this connection */
    struct frame *first;
    struct frame **last;
    size_t frames;
    size_t queue_bytes;
    struct buffer message;
    struct loop_timer retry;
    struct loop_timer ping;
    int64_t ping_ms;
    struct loop_timer pong;
    struct loop_timer settling; /* an attempt must lead to something in this time */
    int64_t delay_ms;           /* the bound of the next wait */
    int64_t delay_max_ms;
    int64_t wait_until_ms; /* the hub takes nothing sooner */
    uint16_t close_code;
    struct buffer close_reason;
};

static void attempt(void *owner);

static void queue_clear(struct hub_link *link)
{
    while (link->first != NULL) {
        struct frame *frame = link->first;
        link->first = frame->next;
        free(frame);
    }
    link->last = &link->first;
    link->frames = 0;
    link->queue_bytes = 0;
}

static int64_t wait_left_ms(const struct hub_link *link)
{
    int64_t left_ms = link->wait_until_ms - clock_monotonic_ms();
    return left_ms > 0 ? left_ms : 0;
}

static void attempt_later(struct hub_link *link)
{
    if (link->closing || loop_timer_is_set(&link->retry))
        return;
    int64_t bound_ms = link->delay_ms;
    if (link->delay_max_ms > 0 && bound_ms > link->delay_max_ms)
        bound_ms = link->delay_max_ms;
    int64_t delay_ms = DELAY_LEAST_MS + (int64_t)(entropy_u64() % (uint64_t)bound_ms);
    delay_ms += wait_left_ms(link);
    link->delay_ms =
        link->delay_ms > DELAY_MAX_MS / 2 ? DELAY_MAX_MS : link->delay_ms * 2;
    loop_timer_set(link->loop, &link->retry, delay_ms, attempt, link);
}

/* The connection is over, or never came to be. */
static void link_down(struct hub_link *link)
{
    link->wsi = NULL;
    link->up = false;
    link->giving_up = false;
    queue_clear(link);
    buffer_clear(&link->message);
    loop_timer_clear(link->loop, &link->ping);
    loop_timer_clear(link->loop, &link->pong);
    loop_timer_clear(link->loop, &link->settling);
    attempt_later(link);
    uint16_t code = link->close_code != 0 ? link->close_code : CLOSE_NO_STATUS;
    link->close_code = 0;
    if (link->listener.down != NULL)
        link->listener.down(link->listener.owner, code,
                            buffer_slice(&link->close_reason));
    buffer_clear(&link->close_reason);
}

static void pong_missing(void *owner)
{
    LOG_WARNING("hub_is_silent");
    hub_link_drop(owner);
}

static void ping_send(void *owner)
{
    struct hub_link *link = owner;
    struct buffer text;
    buffer_init(&text, 256);
    words_ping(&text);
    /* Pings may be closer together than the patience for their answers. */
    if (!buffer_failed(&text) && hub_link_send(link, buffer_slice(&text)) &&
        !loop_timer_is_set(&link->pong))
        loop_timer_set(link->loop, &link->pong, PONG_MS, pong_missing, link);
    buffer_finish(&text);
    loop_timer_set(link->loop, &link->ping, link->ping_ms, ping_send, link);
}

void hub_link_ping_every(struct hub_link *link, int64_t interval_ms)
{
    link->ping_ms = interval_ms < PING_MS_MIN   ? PING_MS_MIN
                    : interval_ms > PING_MS_MAX ? PING_MS_MAX
                                                : interval_ms;
    if (link->up)
        loop_timer_set(link->loop, &link->ping, link->ping_ms, ping_send, link);
}

void hub_link_wait(struct hub_link *link, int64_t wait_ms)
{
    if (wait_ms > WAIT_MAX_MS)
        wait_ms = WAIT_MAX_MS;
    link->wait_until_ms = clock_monotonic_ms() + wait_ms;
    /* A refusal is a sign of life, too. */
    hub_link_pong(link);
    if (link->up && wait_ms > 0)
        loop_timer_set(link->loop, &link->ping, wait_ms, ping_send, link);
}

void hub_link_pong(struct hub_link *link)
{
    loop_timer_clear(link->loop, &link->pong);
}

static void link_up(struct hub_link *link)
{
    link->up = true;
    hub_link_ping_every(link, PING_MS);
    link->listener.up(link->listener.owner);
}

/* A message may come in pieces; -1 gives the connection up. */
static int piece_take(struct hub_link *link, const void *data, size_t size)
{
    if (link->giving_up)
        return -1;
    if (lws_frame_is_binary(link->wsi))
        return 0;
    if (lws_is_first_fragment(link->wsi))
        buffer_clear(&link->message);
    buffer_append(&link->message, data, size);
    if (buffer_failed(&link->message)) {
        LOG_ERROR("message_too_large", LOG_NUMBER("bytes_max", MESSAGE_BYTES_MAX));
        return -1;
    }
    if (!lws_is_final_fragment(link->wsi) || lws_remaining_packet_payload(link->wsi) > 0)
        return 0;
    hub_link_pong(link);
    link->listener.text(link->listener.owner, buffer_slice(&link->message));
    buffer_clear(&link->message);
    return 0;
}

static int frame_write(struct hub_link *link)
{
    if (link->giving_up)
        return -1;
    struct frame *frame = link->first;
    if (frame == NULL) {
        if (!link->closing)
            return 0;
        lws_close_reason(link->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
        return -1;
    }
    link->first = frame->next;
    if (link->first == NULL)
        link->last = &link->first;
    link->frames--;
    link->queue_bytes -= frame->size;
    int written =
        lws_write(link->wsi, frame->bytes + LWS_PRE, frame->size, LWS_WRITE_TEXT);
    bool sent = written >= 0 && (size_t)written >= frame->size;
    free(frame);
    if (!sent)
        return -1;
    if (link->first != NULL || link->closing)
        lws_callback_on_writable(link->wsi);
    return 0;
}

/* The peer's close frame: two bytes of code, then its reason. */
static void close_read(struct hub_link *link, const unsigned char *data, size_t size)
{
    if (size < 2)
        return;
    link->close_code = (uint16_t)(data[0] << 8 | data[1]);
    buffer_clear(&link->close_reason);
    buffer_append(&link->close_reason, data + 2, size - 2);
}

static int on_socket(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                     void *in, size_t size)
{
    (void)user;
    struct hub_link *link = lws_context_user(lws_get_context(wsi));
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        link_up(link);
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return piece_take(link, in, size);
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return frame_write(link);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        close_read(link, in, size);
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        buffer_clear(&link->close_reason);
        if (in != NULL)
            buffer_append(&link->close_reason, in, size);
        link_down(link);
        break;
    case LWS_CALLBACK_CLIENT_CLOSED:
        link_down(link);
        break;
    case LWS_CALLBACK_WSI_DESTROY:
        /* The only word of an attempt that is given up half-way. */
        if (wsi == link->wsi)
            link_down(link);
        break;
    default:
        break;
    }
    return 0;
}

/* Whatever the loop waits for is ready. */
static int on_loop(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                   void *in, size_t size)
{
    (void)user;
    (void)in;
    (void)size;
    if (reason == LWS_CALLBACK_RAW_RX_FILE) {
        struct hub_link *link = lws_context_user(lws_get_context(wsi));
        loop_dispatch(link->loop);
    }
    return 0;
}

static void on_log(int level, const char *line)
{
    struct slice text = slice_from_text(line);
    while (text.size > 0 && text.data[text.size - 1] == '\n')
        text.size--;
    if ((level & LLL_ERR) != 0)
        LOG_WARNING("libwebsockets", LOG_TEXT("line", text));
    else
        LOG_DEBUG("libwebsockets", LOG_TEXT("line", text));
}

static const struct lws_protocols PROTOCOLS[] = {
    { "drover", on_socket, 0, RX_CHUNK_BYTES, 0, NULL, 0 },
    { "loop", on_loop, 0, 0, 0, NULL, 0 },
    { NULL, NULL, 0, 0, 0, NULL, 0 },
};

static enum err context_make(struct hub_link *link)
{
    const char *ca_file = link->config->ca_file;
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = PROTOCOLS,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .user = link,
        .vhost_name = "sidecar",
        .fd_limit_per_thread = 64,
        .client_ssl_ca_filepath = ca_file[0] != '\0' ? ca_file : NULL,
    };
    if (link->config->hub_tls)
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
    link->context = lws_create_context(&info);
    if (link->context == NULL)
        return ERR_IO;
    link->vhost = lws_create_vhost(link->context, &info);
    if (link->vhost == NULL)
        return ERR_IO;
    /* The library closes what it adopts, so it gets a descriptor of its own. */
    lws_sock_file_fd_type loop = { .filefd = dup(loop_fd(link->loop)) };
    if (loop.filefd < 0 ||
        lws_adopt_descriptor_vhost(link->vhost, LWS_ADOPT_RAW_FILE_DESC, loop, "loop",
                                   NULL) == NULL)
        return ERR_IO;
    return ERR_OK;
}

struct hub_link *hub_link_create(const struct config *config, struct loop *loop,
                                 struct hub_link_listener listener)
{
    struct hub_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return NULL;
    link->config = config;
    link->loop = loop;
    link->listener = listener;
    link->last = &link->first;
    link->delay_ms = DELAY_FIRST_MS;
    buffer_init(&link->message, MESSAGE_BYTES_MAX);
    buffer_init(&link->close_reason, 256);
    if (context_make(link) != ERR_OK) {
        hub_link_destroy(link);
        return NULL;
    }
    return link;
}

void hub_link_destroy(struct hub_link *link)
{
    if (link == NULL)
        return;
    link->closing = true;
    link->listener.down = NULL;
    if (link->context != NULL)
        lws_context_destroy(link->context);
    loop_timer_clear(link->loop, &link->retry);
    loop_timer_clear(link->loop, &link->ping);
    loop_timer_clear(link->loop, &link->pong);
    loop_timer_clear(link->loop, &link->settling);
    queue_clear(link);
    buffer_finish(&link->message);
    buffer_finish(&link->close_reason);
    free(link);
}

/* Somebody took the connection and says nothing, or nothing that makes sense. */
static void settling_missing(void *owner)
{
    LOG_WARNING("hub_does_not_answer");
    hub_link_drop(owner);
}

static void attempt(void *owner)
{
    struct hub_link *link = owner;
    if (link->closing || link->wsi != NULL)
        return;
    char host[HOST_BYTES];
    bool numeric_v6 = strchr(link->config->hub_host.data, ':') != NULL;
    (void)snprintf(host, sizeof host, numeric_v6 ? "[%s]:%u" : "%s:%u",
                   link->config->hub_host.data, (unsigned)link->config->hub_port);
    struct lws_client_connect_info info = {
        .context = link->context,
        .vhost = link->vhost,
        .address = link->config->hub_host.data,
        .port = link->config->hub_port,
        .path = link->config->hub_path,
        .host = host,
        .local_protocol_name = "drover",
        .alpn = "http/1.1",
        .ssl_connection = link->config->hub_tls ? LCCSCF_USE_SSL : 0,
        .pwsi = &link->wsi,
    };
    /* A failure is told by a callback, sometimes from inside this very call. */
    if (lws_client_connect_via_info(&info) == NULL)
        link->wsi = NULL;
    if (link->wsi == NULL)
        attempt_later(link);
    else
        loop_timer_set(link->loop, &link->settling, SETTLE_MS, settling_missing, link);
}

void hub_link_open(struct hub_link *link)
{
    loop_timer_set(link->loop, &link->retry, 0, attempt, link);
}

void hub_link_settle(struct hub_link *link)
{
    link->delay_ms = DELAY_FIRST_MS;
    loop_timer_clear(link->loop, &link->settling);
}

void hub_link_hurry(struct hub_link *link, int64_t delay_max_ms)
{
    link->delay_max_ms = delay_max_ms;
}

bool hub_link_is_up(const struct hub_link *link)
{
    return link->up && !link->giving_up && !link->closing;
}

bool hub_link_send(struct hub_link *link, struct slice text)
{
    if (!hub_link_is_up(link) || link->frames >= FRAMES_MAX ||
        text.size > QUEUE_BYTES_MAX - link->queue_bytes)
        return false;
    struct frame *frame = malloc(sizeof *frame + LWS_PRE + text.size);
    if (frame == NULL)
        return false;
    frame->next = NULL;
    frame->size = text.size;
    memcpy(frame->bytes + LWS_PRE, text.data, text.size);
    *link->last = frame;
    link->last = &frame->next;
    link->frames++;
    link->queue_bytes += text.size;
    lws_callback_on_writable(link->wsi);
    return true;
}

void hub_link_close(struct hub_link *link)
{
    link->closing = true;
    loop_timer_clear(link->loop, &link->retry);
    if (link->up)
        lws_callback_on_writable(link->wsi);
}

void hub_link_drop(struct hub_link *link)
{
    if (link->wsi == NULL)
        return;
    /* Closed from the library's own loop: here we may be inside its callback. */
    link->giving_up = true;
    lws_set_timeout(link->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void hub_link_turn(struct hub_link *link)
{
    (void)lws_service(link->context, 0);
}
