/*
 * stream.h - a link that follows the event log, as a WebSocket or as server-sent events.
 *
 * A stream is a place in the log and nothing more. While its socket takes what was sent it
 * pulls the next page through the net's reader; when it is at the end it sleeps until the
 * engine tells of new events. So a slow reader holds one page and delays nobody: what it
 * has missed it reads from the store, and what retention has taken meanwhile is told as a
 * gap.
 *
 * Ownership  The link owns its stream.
 * Threads    The net's.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "net/state.h"

struct stream;

/* Begins, or begins anew, to follow the log from the place that the message names. Over
 * HTTP door_get_events_stream() does, and the stream becomes the answer. */
void stream_follow(struct link *link, const struct message_events_subscribe *message);

/* Accepts a link that has none. */
void stream_close(struct link *link);

/* The reader's word, and the engine's. */
void stream_take(struct link *link, struct release *release);
void stream_wake_all(struct net *net, uint64_t event_last);

/* The token is gone: so are the answers that it opened. */
void stream_forbid(struct net *net, const uint8_t digest[DIGEST_BYTES]);

/* True when a writable socket is to be given to stream_go_on(). */
bool stream_wants(const struct link *link);

/* Pulls a page. Of a WebSocket, whose queue is empty; non-zero ends the socket. */
int stream_go_on(struct link *link);

/* Of an HTTP answer: writes what there is, or pulls. */
int stream_writable_http(struct link *link);

/* A sign of life is due: when, and giving it. */
int64_t stream_beat_ms(const struct link *link);
void stream_beat_http(struct link *link, int64_t now_ms);

/* Asks the other side of a WebSocket for a sign of life, once in a while; false: it has
 * been asked. */
bool stream_ask_alive(struct link *link, int64_t now_ms);

#endif
