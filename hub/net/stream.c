#include "net/stream.h"

#include "base/ensure.h"
#include "net/deadline.h"
#include "net/door_route.h"
#include "net/exchange.h"
#include "net/handoff.h"
#include "os/counter.h"
#include "os/log.h"

#include <stdlib.h>
#include <string.h>

enum {
    BEAT_MS = 15 * 1000,  /* between two signs of life over HTTP */
    STUCK_MS = 30 * 1000, /* a reader that takes nothing for so long is let go */
    KINDS_BYTES_MAX = 4096,
    PULL_BYTES = 256, /* about what an envelope for a pull takes */
    OUT_BYTES_MAX = 16 * 1024 * 1024,
};

static const char HEAD[] = "HTTP/1.1 200 OK\r\n"
                           "Content-Type: text/event-stream; charset=utf-8\r\n"
                           "Cache-Control: no-store\r\n"
                           "X-Accel-Buffering: no\r\n"
                           "X-Content-Type-Options: nosniff\r\n"
                           "Connection: close\r\n\r\n";

struct stream {
    struct link *link;
    struct stream *previous; /* in the net's list */
    struct stream *next;
    bool http;
    uint64_t request;
    uint8_t digest[DIGEST_BYTES]; /* of the token it was opened with */
    bool has_place;
    uint64_t epoch;
    bool has_epoch;
    uint64_t since;
    struct buffer kinds; /* empty: all */
    bool more;           /* there may be events behind the place */
    bool begun;          /* something was said */
    bool answered;       /* the last pull gave a place */
    bool ping;           /* to be sent */
    int64_t pinged_ms;
    int64_t sent_ms;
    struct buffer out; /* over HTTP: headroom, then what is to be sent; or empty */
};

static void unlink_stream(struct stream *stream)
{
    struct net *net = stream->link->net;
    if (stream->previous != NULL)
        stream->previous->next = stream->next;
    else
        net->streams = stream->next;
    if (stream->next != NULL)
        stream->next->previous = stream->previous;
    if (net->streams == NULL && net->door != NULL)
        door_watch(net->door, false);
}

void stream_close(struct link *link)
{
    struct stream *stream = link->stream;
    if (stream == NULL)
        return;
    link->stream = NULL;
    unlink_stream(stream);
    buffer_finish(&stream->kinds);
    buffer_finish(&stream->out);
    free(stream);
}

static struct stream *stream_open(struct link *link)
{
    struct net *net = link->net;
    stream_close(link);
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    stream->link = link;
    stream->more = true;
    stream->sent_ms = clock_monotonic_ms();
    buffer_init(&stream->kinds, KINDS_BYTES_MAX);
    buffer_init(&stream->out, OUT_BYTES_MAX);
    stream->next = net->streams;
    if (net->streams != NULL)
        net->streams->previous = stream;
    net->streams = stream;
    link->stream = stream;
    /* First this, then the look: what is new between is told of. */
    door_watch(net->door, true);
    return stream;
}

static bool may_go_on(const struct stream *stream)
{
    const struct net *net = stream->link->net;
    return keyring_find(net->gate->keyring, stream->digest, net_now().wall_ms) != NULL;
}

static void end(struct link *link)
{
    if (link->stream->http)
        link_kill(link);
    else
        link_close(link, CLOSE_TOKEN_REVOKED);
    stream_close(link);
}

static struct envelope *question(const struct stream *stream)
{
    const struct link *link = stream->link;
    struct envelope *envelope =
        gate_envelope(link->net->gate, PULL_BYTES, slice_from_text(link->address));
    if (envelope == NULL)
        return NULL;
    envelope->origin = (struct origin){ link->id, stream->request };
    envelope->role = ROLE_HUB;
    envelope->message.type = MESSAGE_EVENTS_PULL;
    envelope->message.as.events_pull = (struct message_events_pull){
        .has_since = stream->has_place,
        .since = (int64_t)stream->since,
        .has_epoch = stream->has_epoch,
        .epoch = (int64_t)stream->epoch,
        .each = stream->http,
        .begin = !stream->begun,
    };
    if (stream->kinds.size > 0)
        envelope->message.as.events_pull.kinds = buffer_slice(&stream->kinds);
    return envelope;
}

/* One page into the queue, or into `out`. A reader that is refused, as its kinds may be,
 * has been told so and follows no longer. */
static void pull(struct link *link)
{
    struct net *net = link->net;
    struct stream *stream = link->stream;
    if (net->quiet) {
        /* Everybody is about to be told that the hub stops. */
        stream->more = false;
        return;
    }
    if (!may_go_on(stream)) {
        end(link);
        return;
    }
    struct envelope *envelope = question(stream);
    struct release_batch *batch =
        envelope == NULL ? NULL : reader_answer(net->reader, envelope);
    envelope_destroy(envelope);
    stream->answered = false;
    stream->more = false;
    bool asked = batch != NULL;
    if (asked)
        handoff_take(net, batch);
    if (link->stream == NULL || link->stream->answered)
        return;
    /* Without memory not even that could be said. */
    if (!stream->http && !asked)
        link_close(link, CLOSE_RESTART);
    if (stream->http && stream->begun)
        link_kill(link);
    stream_close(link);
}

void stream_follow(struct link *link, const struct message_events_subscribe *message)
{
    struct stream *stream = stream_open(link);
    if (stream == NULL) {
        link_close(link, CLOSE_RESTART);
        return;
    }
    memcpy(stream->digest, link->session.digest, DIGEST_BYTES);
    stream->has_place = message->has_since;
    stream->since = (uint64_t)message->since;
    stream->has_epoch = message->has_epoch;
    stream->epoch = (uint64_t)message->epoch;
    for (size_t i = 0; i < message->kinds.count; i++) {
        if (i > 0)
            buffer_append_byte(&stream->kinds, ',');
        buffer_append_slice(&stream->kinds, message->kinds.items[i]);
    }
    deadline_begin(link);
    pull(link);
}

/* "EPOCH-SEQUENCE", as the header's schema has it. */
static void place_read(struct stream *stream, struct slice id)
{
    size_t dash = slice_find(id, '-');
    stream->has_place = slice_parse_u64(slice_make(id.data, dash), &stream->epoch) &&
                        slice_parse_u64(slice_skip(id, dash + 1), &stream->since);
    stream->has_epoch = stream->has_place;
}

static void follow_http(struct link *link, const struct message_get_events_stream *asked)
{
    struct stream *stream = stream_open(link);
    if (stream == NULL) {
        exchange_refuse_code(link, ERROR_UNAVAILABLE, NULL);
        return;
    }
    stream->http = true;
    stream->request = link->exchange->id;
    memcpy(stream->digest, link->exchange->caller.digest, DIGEST_BYTES);
    stream->has_place = asked->has_since;
    stream->since = (uint64_t)asked->since;
    stream->has_epoch = asked->has_epoch;
    stream->epoch = (uint64_t)asked->epoch;
    if (asked->last_event_id.size > 0)
        place_read(stream, asked->last_event_id);
    buffer_append_slice(&stream->kinds, asked->kinds);
    pull(link);
    /* Refused with an answer, or not at all. */
    if (link->stream == NULL && link->exchange != NULL &&
        link->exchange->state == EXCHANGE_WAITING)
        exchange_refuse_code(link, ERROR_UNAVAILABLE, NULL);
}

void door_get_events_stream(struct link *link, const struct envelope *asked)
{
    follow_http(link, &asked->message.as.get_events_stream);
}

/* The answer begins: from here on the library holds nothing of the request. */
static void begin_http(struct stream *stream)
{
    struct link *link = stream->link;
    link->exchange->state = EXCHANGE_STREAMING;
    lws_http_headers_detach(link->wsi);
    lws_rx_flow_control(link->wsi, 1);
    buffer_extend(&stream->out, ANSWER_HEADROOM);
    buffer_append_text(&stream->out, HEAD);
    deadline_begin(link);
}

/* Line ends within JSON are blanks: a field of an event ends at one. */
static void append_line(struct buffer *out, struct slice json)
{
    size_t from = out->size;
    buffer_append_slice(out, json);
    for (size_t i = from; !buffer_failed(out) && i < out->size; i++)
        if (out->data[i] == '\n' || out->data[i] == '\r')
            out->data[i] = ' ';
}

static void append_event(struct stream *stream, const struct release *release)
{
    struct buffer *out = &stream->out;
    if (out->size == 0)
        buffer_extend(out, ANSWER_HEADROOM);
    buffer_append_text(out, "id: ");
    buffer_append_u64(out, release->event_epoch);
    buffer_append_byte(out, '-');
    buffer_append_u64(out, release->event_last);
    buffer_append_text(out, "\nevent: ");
    buffer_append_slice(out, release->reason);
    buffer_append_text(out, "\ndata: ");
    append_line(out, slice_make(frame_text(release->frame), release->frame->size));
    buffer_append_text(out, "\n\n");
}

void stream_take(struct link *link, struct release *release)
{
    struct stream *stream = link->stream;
    if (stream == NULL || stream->request != release->request)
        return;
    if (stream->http && !stream->begun)
        begin_http(stream);
    stream->begun = true;
    stream->answered = true;
    stream->has_place = true;
    stream->has_epoch = true;
    stream->epoch = release->event_epoch;
    stream->since = release->event_last;
    stream->more = release->more;
    if (release->frame != NULL && stream->http) {
        append_event(stream, release);
    } else if (release->frame != NULL) {
        struct frame *frame = release->frame;
        release->frame = NULL;
        link_send(link, frame);
    }
    if (stream->http && buffer_failed(&stream->out))
        link_kill(link);
    else if (stream->more || stream->out.size > 0)
        lws_callback_on_writable(link->wsi);
}

void stream_wake_all(struct net *net, uint64_t event_last)
{
    for (struct stream *stream = net->streams; stream != NULL; stream = stream->next) {
        if (stream->more || (stream->has_place && stream->since == event_last))
            continue;
        stream->more = true;
        if (stream->link->wsi != NULL && stream->link->state != LINK_GONE)
            lws_callback_on_writable(stream->link->wsi);
    }
}

void stream_forbid(struct net *net, const uint8_t digest[DIGEST_BYTES])
{
    struct stream *next;
    for (struct stream *stream = net->streams; stream != NULL; stream = next) {
        next = stream->next;
        if (memcmp(stream->digest, digest, DIGEST_BYTES) == 0)
            end(stream->link);
    }
}

bool stream_wants(const struct link *link)
{
    const struct stream *stream = link->stream;
    return stream != NULL && link->state == LINK_SOCKET && (stream->more || stream->ping);
}

int stream_go_on(struct link *link)
{
    struct stream *stream = link->stream;
    if (stream->ping) {
        unsigned char nothing[LWS_PRE + 1] = { 0 };
        stream->ping = false;
        if (lws_write(link->wsi, nothing + LWS_PRE, 0, LWS_WRITE_PING) < 0)
            return -1;
    } else {
        pull(link);
    }
    if (stream_wants(link))
        lws_callback_on_writable(link->wsi);
    return 0;
}

int stream_writable_http(struct link *link)
{
    struct stream *stream = link->stream;
    if (stream == NULL)
        return -1;
    if (stream->out.size == 0) {
        if (stream->more)
            pull(link);
        return 0;
    }
    size_t size = stream->out.size - ANSWER_HEADROOM;
    int sent = lws_write(link->wsi, (unsigned char *)stream->out.data + ANSWER_HEADROOM,
                         size, LWS_WRITE_HTTP);
    counter_add(COUNTER_BYTES_OUT, size);
    buffer_finish(&stream->out);
    buffer_init(&stream->out, OUT_BYTES_MAX);
    stream->sent_ms = clock_monotonic_ms();
    if (sent < 0)
        return -1;
    if (stream->more)
        lws_callback_on_writable(link->wsi);
    return 0;
}

/* A ping is on its way that has not been answered. When it was answered, the system
 * tells in coarse steps. */
static bool is_asked(const struct link *link)
{
    return link->stream->pinged_ms - link->net->options.idle_timeout_ms / 4 >
           link->active_ms;
}

int64_t stream_beat_ms(const struct link *link)
{
    const struct stream *stream = link->stream;
    const struct net_options *options = &link->net->options;
    if (stream == NULL)
        return link->since_ms;
    if (stream->http)
        return stream->sent_ms + BEAT_MS;
    int64_t wait = options->idle_timeout_ms;
    return is_asked(link) ? stream->pinged_ms + wait / 2 : link->active_ms + wait / 2;
}

void stream_beat_http(struct link *link, int64_t now_ms)
{
    struct stream *stream = link->stream;
    bool stuck =
        stream != NULL && (stream->out.size > 0 || lws_partial_buffered(link->wsi) != 0);
    if (stream == NULL || !may_go_on(stream) ||
        (stuck && now_ms - stream->sent_ms >= STUCK_MS)) {
        counter_add(COUNTER_LINKS_SLOW, stuck);
        link_kill(link);
        return;
    }
    if (!stuck) {
        buffer_extend(&stream->out, ANSWER_HEADROOM);
        buffer_append_text(&stream->out, ":\n\n");
        lws_callback_on_writable(link->wsi);
        stream->sent_ms = now_ms;
    }
    deadline_begin(link);
}

bool stream_ask_alive(struct link *link, int64_t now_ms)
{
    struct stream *stream = link->stream;
    if (stream == NULL || is_asked(link))
        return false;
    if (!may_go_on(stream)) {
        end(link);
        return true;
    }
    stream->ping = true;
    stream->pinged_ms = now_ms;
    lws_callback_on_writable(link->wsi);
    deadline_begin(link);
    return true;
}
