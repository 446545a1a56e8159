/*
 * link.h - one connection: what it is, what waits to be sent on it, what it sent so far.
 *
 * A link begins as HTTP and may become a WebSocket. Frames wait in a queue bounded by
 * bytes and by count; a reader that lets it fill up misses what may be missed and is
 * closed for the rest.
 *
 * Ownership  The library's socket owns its link. A link whose socket is gone lives on,
 *            unseen, until the core has been told.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "base/buffer.h"
#include "engine/frame.h"
#include "gate/session.h"
#include "net/wheel.h"

#include <netinet/in.h>

struct lws;
struct net;
struct exchange;
struct stream;

enum link_state {
    LINK_HTTP,
    LINK_SOCKET,
    LINK_CLOSING, /* what waits is sent, then the close; nothing is heard any more */
    LINK_GONE,    /* the library is taking it down: hands off */
};

struct queued {
    struct queued *next;
    struct frame *frame;
};

struct link {
    uint64_t id;
    struct net *net;
    struct lws *wsi; /* NULL when the socket is gone */
    enum link_state state;
    enum close_reason close; /* when closing */
    uint16_t close_code;
    uint8_t farewell_size; /* zero: the reason's name is said */
    char farewell[FAREWELL_BYTES_MAX];
    bool bound;              /* the core knows it as identified: broadcasts reach it */
    bool subscribed;         /* and so does what is published */
    bool missed;             /* some of that was left out: to be told once it reads on */
    bool authenticated;      /* it has shown a good token */
    bool exempt;             /* loopback: not counted by address */
    bool held;               /* not read until what it asked for is answered and sent */
    int64_t paused_until_ms; /* not read until then, for its rate; zero: it is */
    bool lingering;          /* answered in mid-body: what still comes is thrown away */
    char address[INET6_ADDRSTRLEN];
    struct link *same_slot; /* in the table by id */
    struct link *previous;  /* in the list of all */
    struct link *next;
    struct link *subscribed_previous; /* in the list of those */
    struct link *subscribed_next;
    struct link *parked_previous; /* in the list of those who wait for room */
    struct link *parked_next;
    bool is_parked;
    struct envelope *parked; /* what waits for room in the ring */
    struct wheel_node deadline;
    int64_t since_ms;  /* when the state, or the wait for a request, began */
    int64_t active_ms; /* when it was last heard */
    int64_t sent_ms;   /* when it last took a frame, or began to be held */
    uint32_t asked;    /* messages the engine has not finished with */
    struct session session;
    struct buffer in; /* a message of which more is to come */
    uint32_t fragments;
    struct queued *queue_first;
    struct queued *queue_last;
    uint32_t queue_count;
    size_t queue_bytes;
    struct exchange *exchange; /* the HTTP request under way */
    struct stream *stream;     /* it follows the event log; else NULL */
    uint64_t read_bytes;       /* when the last one was answered; 0: none was */
};

/* NULL without memory; the caller closes the socket then. */
struct link *link_open(struct net *net, struct lws *wsi);

/* The socket is gone. Tells the core if it knew of the link, and frees it. */
void link_gone(struct link *link);

/* Frees a link whose socket is gone and whose end the core knows. */
void link_destroy(struct link *link);

/* It speaks WebSocket from now on. */
void link_upgraded(struct link *link);

/* A piece of a message. As all verbs called from the library: non-zero ends the socket. */
int link_receive(struct link *link, char *data, size_t size);
int link_writable(struct link *link);

/* Takes one reference of the frame. */
void link_send(struct link *link, struct frame *frame);
/* The same for what is published, of which a slow reader misses some and hears so. */
void link_publish(struct link *link, struct frame *frame);
void link_say(struct link *link, struct slice text);

/* Sends what waits, then closes with the code. */
void link_close(struct link *link, enum close_reason reason);
void link_close_code(struct link *link, uint16_t code);

/* Ends the socket at the library's next turn, without a word. */
void link_kill(struct link *link);

/* The engine has finished with `count` of its messages. */
void link_answered(struct link *link, uint32_t count);

/* True while it is not read because the hub has yet to answer it. */
bool link_is_waiting(const struct link *link);

/* True while it is not read because it does not take its answers. */
bool link_is_stalled(const struct link *link);

/* It is read again, unless something else holds it. */
void link_read_on(struct link *link);

/* The pause for its rate is over. */
void link_unpause(struct link *link);

/* Pushes the envelope to the engine, or parks the link until there is room. */
void link_push(struct link *link, struct envelope *envelope);

#endif
