#include "net/link.h"

#include "base/ensure.h"
#include "net/deadline.h"
#include "net/exchange.h"
#include "net/links.h"
#include "net/parking.h"
#include "net/peer.h"
#include "net/stream.h"
#include "os/counter.h"
#include "os/secret.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    BEFORE_IDENTIFY_BYTES_MAX = 32 * 1024,
    FRAGMENTS_MAX = 16 * 1024,
    GAP_BYTES_MAX = 256,
    CLOSE_CODE_NORMAL = 1000,
};

struct link *link_open(struct net *net, struct lws *wsi)
{
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return NULL;
    link->net = net;
    link->wsi = wsi;
    peer_text(lws_get_socket_fd(wsi), link->address);
    if (links_add(net, link) != ERR_OK) {
        free(link);
        return NULL;
    }
    session_init(&link->session);
    buffer_init(&link->in, net->options.frame_bytes_max);
    link->since_ms = clock_monotonic_ms();
    link->active_ms = link->since_ms;
    deadline_begin(link);
    return link;
}

static void drop_queue(struct link *link)
{
    while (link->queue_first != NULL) {
        struct queued *queued = link->queue_first;
        link->queue_first = queued->next;
        frame_let_go(queued->frame);
        free(queued);
    }
    link->queue_last = NULL;
    link->queue_count = 0;
    link->queue_bytes = 0;
}

static void forget_input(struct link *link)
{
    if (link->in.data != NULL)
        secret_wipe(link->in.data, link->in.room);
    buffer_finish(&link->in);
    buffer_init(&link->in, link->net->options.frame_bytes_max);
    link->fragments = 0;
}

void link_gone(struct link *link)
{
    struct net *net = link->net;
    parking_leave(net, link);
    wheel_remove(&link->deadline);
    stream_close(link);
    exchange_destroy(link->exchange);
    link->exchange = NULL;
    drop_queue(link);
    forget_input(link);
    links_forget(net, link);
    link->wsi = NULL;
    link->state = LINK_GONE;

    if (!session_is_identified(&link->session) || net->quiet) {
        link_destroy(link);
        return;
    }
    /* The core must hear of it, if not now then as soon as there is room. */
    struct envelope *envelope =
        session_closed(net->gate, (struct origin){ .link = link->id });
    if (envelope != NULL && parking_push(net, envelope))
        link_destroy(link);
    else
        parking_enter(net, link, envelope);
}

/* So many messages of one link may be on their way through the engine. */
#define ASKED_MAX 256

/* What is asked may all be answered into a queue that is half full already. */
static uint32_t asked_max(const struct link *link)
{
    uint32_t share = link->net->options.send_queue_frames_max / 4;
    return share < ASKED_MAX ? share : ASKED_MAX;
}

void link_read_on(struct link *link)
{
    if (link->state == LINK_SOCKET && !link->held && !link->is_parked &&
        link->paused_until_ms == 0 && !link->net->quiet)
        lws_rx_flow_control(link->wsi, 1);
}

/* A reader that asks faster than it reads, or than the hub answers, is not read on: its
 * own answers never make it a slow one, and nobody fills the ring alone. */
static void pace(struct link *link)
{
    const struct net_options *options = &link->net->options;
    if (link->state != LINK_SOCKET)
        return;
    if (!link->held) {
        link->held = link->asked >= asked_max(link) ||
                     link->queue_count >= options->send_queue_frames_max / 2 ||
                     link->queue_bytes >= options->send_queue_bytes_max / 2;
        if (link->held) {
            link->sent_ms = clock_monotonic_ms();
            lws_rx_flow_control(link->wsi, 0);
            deadline_begin(link);
        }
        return;
    }
    link->held = link->asked > asked_max(link) / 2 ||
                 link->queue_count > options->send_queue_frames_max / 4 ||
                 link->queue_bytes > options->send_queue_bytes_max / 4;
    if (!link->held)
        link_read_on(link);
}

static void pause_reading(struct link *link, int64_t pause_ms)
{
    counter_add(COUNTER_LINKS_PAUSED, 1);
    link->paused_until_ms = clock_monotonic_ms() + pause_ms;
    lws_rx_flow_control(link->wsi, 0);
    deadline_begin(link);
}

void link_unpause(struct link *link)
{
    link->paused_until_ms = 0;
    link->active_ms = clock_monotonic_ms();
    link_read_on(link);
    deadline_begin(link);
}

void link_answered(struct link *link, uint32_t count)
{
    link->asked -= count < link->asked ? count : link->asked;
    pace(link);
    if (link_is_stalled(link))
        deadline_begin(link);
}

bool link_is_waiting(const struct link *link)
{
    return link->is_parked || (link->held && link->asked > 0);
}

bool link_is_stalled(const struct link *link)
{
    return link->held && !link_is_waiting(link);
}

void link_destroy(struct link *link)
{
    ENSURE(link->wsi == NULL && !link->is_parked);
    links_remove(link->net, link);
    session_finish(&link->session);
    free(link);
}

void link_upgraded(struct link *link)
{
    link->state = LINK_SOCKET;
    /* Who has shown a token on this connection before has all of the time to identify. */
    if (link->authenticated)
        link->since_ms = clock_monotonic_ms();
    deadline_begin(link);
}

/* The gate's words go with the close, unless it is closed for something else by now. */
static void dismiss(struct link *link, const struct verdict *verdict)
{
    struct slice words = verdict->farewell;
    if (link->state == LINK_SOCKET && slice_is_present(words)) {
        ENSURE(words.size <= sizeof link->farewell);
        memcpy(link->farewell, words.data, words.size);
        link->farewell_size = (uint8_t)words.size;
    }
    link_close(link, verdict->close);
}

/* It may be missed. */
static void say_if_there_is_room(struct link *link, struct slice text)
{
    struct frame *frame = frame_create(text, true);
    if (frame != NULL)
        link_send(link, frame);
}

static void admitted(struct link *link, struct envelope *envelope)
{
    if (envelope->message.type != MESSAGE_EVENTS_SUBSCRIBE) {
        link_push(link, envelope);
        return;
    }
    stream_follow(link, &envelope->message.as.events_subscribe);
    envelope_destroy(envelope);
}

static void hear(struct link *link, char *text, size_t size)
{
    struct net *net = link->net;
    struct verdict verdict;
    counter_add(COUNTER_MESSAGES_IN, 1);
    counter_add(COUNTER_BYTES_IN, size);
    session_frame(&link->session, net->gate, (struct origin){ .link = link->id },
                  slice_from_text(link->address), text, size, net_now(), &verdict);
    if (verdict.word != NULL && !parking_push(net, verdict.word))
        envelope_destroy(verdict.word);
    if (slice_is_present(verdict.notice))
        say_if_there_is_room(link, verdict.notice);
    if (verdict.pause_ms > 0)
        pause_reading(link, verdict.pause_ms);
    if (verdict.envelope != NULL) {
        if (!link->authenticated) {
            link->authenticated = true;
            deadline_begin(link);
        }
        admitted(link, verdict.envelope);
        return;
    }
    if (slice_is_present(verdict.answer))
        link_say(link, verdict.answer);
    if (verdict.close != CLOSE_NONE)
        dismiss(link, &verdict);
}

/* CLOSE_NONE when the piece may be kept. */
static enum close_reason refuse_piece(const struct link *link, size_t size)
{
    if (lws_frame_is_binary(link->wsi))
        return CLOSE_UNSUPPORTED_DATA;
    size_t most = session_is_identified(&link->session) ||
                          link->net->options.frame_bytes_max < BEFORE_IDENTIFY_BYTES_MAX
                      ? link->net->options.frame_bytes_max
                      : BEFORE_IDENTIFY_BYTES_MAX;
    size_t rest = lws_remaining_packet_payload(link->wsi);
    if (size > most || link->in.size > most - size || rest > most - size - link->in.size)
        return CLOSE_TOO_BIG;
    return link->fragments >= FRAGMENTS_MAX ? CLOSE_TOO_BIG : CLOSE_NONE;
}

int link_receive(struct link *link, char *data, size_t size)
{
    if (link->state != LINK_SOCKET)
        return 0;
    link->active_ms = clock_monotonic_ms();

    enum close_reason refusal = refuse_piece(link, size);
    if (refusal != CLOSE_NONE) {
        forget_input(link);
        link_close(link, refusal);
        return 0;
    }
    bool whole = lws_remaining_packet_payload(link->wsi) == 0 &&
                 lws_is_final_fragment(link->wsi) != 0;
    if (whole && link->in.size == 0) {
        link->fragments = 0;
        hear(link, data, size);
        return 0;
    }
    link->fragments++;
    buffer_append(&link->in, data, size);
    if (buffer_failed(&link->in)) {
        forget_input(link);
        link_close(link, CLOSE_TOO_BIG);
    } else if (whole) {
        hear(link, link->in.data, link->in.size);
        forget_input(link);
    } else {
        deadline_begin(link);
    }
    return 0;
}

/* All that was sent before has been read: what was left out may be asked for. */
static void gap_say(struct link *link)
{
    static const struct message GAP = { .type = MESSAGE_PRESENCE_GAP };
    struct buffer text;
    if (!link->missed || link->queue_first != NULL || link->state != LINK_SOCKET)
        return;
    link->missed = false;
    buffer_init(&text, GAP_BYTES_MAX);
    wire_render(&GAP, &text);
    link_say(link, buffer_slice(&text));
    buffer_finish(&text);
}

void link_publish(struct link *link, struct frame *frame)
{
    const struct net_options *options = &link->net->options;
    /* What cannot be left out must find room behind it. */
    link->missed = link->missed ||
                   link->queue_count > options->send_queue_frames_max / 4 ||
                   link->queue_bytes > options->send_queue_bytes_max / 4;
    if (link->missed) {
        counter_add(COUNTER_MESSAGES_SHED, 1);
        return;
    }
    frame_hold(frame);
    link_send(link, frame);
}

static int say_goodbye(struct link *link)
{
    struct slice words = CLOSE_ROWS[link->close].name;
    if (link->farewell_size > 0)
        words = slice_make(link->farewell, link->farewell_size);
    lws_close_reason(link->wsi, (enum lws_close_status)link->close_code,
                     (unsigned char *)(uintptr_t)words.data, words.size);
    link->state = LINK_GONE;
    return -1;
}

int link_writable(struct link *link)
{
    if (link->state != LINK_SOCKET && link->state != LINK_CLOSING)
        return 0;
    struct queued *queued = link->queue_first;
    if (queued != NULL) {
        link->queue_first = queued->next;
        if (link->queue_first == NULL)
            link->queue_last = NULL;
        link->queue_count--;
        link->queue_bytes -= queued->frame->size;
        int sent = lws_write(link->wsi, (unsigned char *)frame_text(queued->frame),
                             queued->frame->size, LWS_WRITE_TEXT);
        link->sent_ms = clock_monotonic_ms();
        counter_add(COUNTER_MESSAGES_OUT, 1);
        counter_add(COUNTER_BYTES_OUT, queued->frame->size);
        frame_let_go(queued->frame);
        free(queued);
        if (sent < 0)
            return -1;
        if (link->queue_first != NULL || link->state == LINK_CLOSING ||
            stream_wants(link))
            lws_callback_on_writable(link->wsi);
        gap_say(link);
        pace(link);
        return 0;
    }
    if (stream_wants(link))
        return stream_go_on(link);
    return link->state == LINK_CLOSING ? say_goodbye(link) : 0;
}

void link_send(struct link *link, struct frame *frame)
{
    const struct net_options *options = &link->net->options;
    if (link->state != LINK_SOCKET) {
        frame_let_go(frame);
        return;
    }
    /* What waits already says whether the peer reads: a large task behind a small frame
     * is no sign of a slow one, and would find the same queue at every return. */
    bool full = link->queue_count >= options->send_queue_frames_max ||
                link->queue_bytes >= options->send_queue_bytes_max;
    if (full && frame->droppable) {
        counter_add(COUNTER_MESSAGES_SHED, 1);
        frame_let_go(frame);
        return;
    }
    struct queued *queued = full ? NULL : malloc(sizeof *queued);
    if (queued == NULL) {
        counter_add(COUNTER_LINKS_SLOW, 1);
        frame_let_go(frame);
        drop_queue(link);
        link_close(link, CLOSE_SLOW_CONSUMER);
        return;
    }
    *queued = (struct queued){ NULL, frame };
    if (link->queue_last != NULL)
        link->queue_last->next = queued;
    else
        link->queue_first = queued;
    link->queue_last = queued;
    link->queue_count++;
    link->queue_bytes += frame->size;
    lws_callback_on_writable(link->wsi);
    pace(link);
}

void link_say(struct link *link, struct slice text)
{
    struct frame *frame = frame_create(text, false);
    if (frame == NULL)
        link_close(link, CLOSE_SLOW_CONSUMER);
    else
        link_send(link, frame);
}

static void begin_closing(struct link *link)
{
    parking_leave(link->net, link);
    link->state = LINK_CLOSING;
    link->since_ms = clock_monotonic_ms();
    deadline_begin(link);
    /* What it still sends is thrown away, its answer to the close is not. */
    lws_rx_flow_control(link->wsi, 1);
    lws_callback_on_writable(link->wsi);
}

void link_close(struct link *link, enum close_reason reason)
{
    if (link->state == LINK_HTTP)
        link_kill(link);
    if (link->state != LINK_SOCKET)
        return;
    link->close = reason;
    link->close_code = CLOSE_ROWS[reason].code;
    begin_closing(link);
}

void link_close_code(struct link *link, uint16_t code)
{
    for (int reason = CLOSE_NONE + 1; reason < CLOSE_REASON_COUNT; reason++) {
        if (CLOSE_ROWS[reason].code == code) {
            link_close(link, (enum close_reason)reason);
            return;
        }
    }
    if (link->state != LINK_SOCKET)
        return;
    link->close = CLOSE_NONE;
    link->close_code = code != 0 ? code : CLOSE_CODE_NORMAL;
    begin_closing(link);
}

void link_kill(struct link *link)
{
    if (link->wsi == NULL)
        return;
    link->state = LINK_GONE;
    lws_set_timeout(link->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

void link_push(struct link *link, struct envelope *envelope)
{
    if (link->state == LINK_SOCKET) {
        link->asked++;
        pace(link);
    }
    if (parking_push(link->net, envelope))
        return;
    parking_enter(link->net, link, envelope);
    if (link->state == LINK_SOCKET)
        lws_rx_flow_control(link->wsi, 0);
    else
        deadline_begin(link);
}
