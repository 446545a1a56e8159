/*
 * net.h - the sockets: HTTP and WebSocket in, released frames out.
 *
 * One context and one thread. Messages go in through the engine's door; queries over HTTP
 * are answered here from the last commit; nothing else is decided in this room.
 *
 * Life       net_create, gate keys, engine_start, net_run; then net_quiesce, engine_stop,
 *            net_finish, engine_destroy, net_destroy.
 * Threads    All on one thread, but net_stop: from anywhere, signal handlers included.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "base/err.h"
#include "engine/engine.h"
#include "gate/limit.h"
#include "wire/wire.h"

struct net;
struct gate;

struct net_options {
    const char *address; /* "127.0.0.1", "::1", "0.0.0.0", "::" */
    uint16_t port;       /* 0: any that is free */
    int listener;        /* a socket that listens there already, taken; -1: none */
    /* PEM files; NULL: no TLS. The key may be read by its owner only. */
    const char *tls_certificate;
    const char *tls_key;
    /* Host names answered to, beside the listener's own on loopback; none: any. */
    const struct slice *hosts;
    size_t host_count;
    struct slice public_url; /* http or https, no slash at the end; absent: none */
    bool token_in_url;       /* a token in the query of a URL is taken */
    bool open_registration;  /* anybody may register while only loopback is listened on */

    uint32_t connections_max;
    uint32_t connections_per_address_max; /* loopback is exempt */
    size_t frame_bytes_max;
    size_t body_bytes_max;
    size_t send_queue_bytes_max;
    uint32_t send_queue_frames_max;
    int64_t auth_deadline_ms;
    int64_t idle_timeout_ms;
    size_t keys_max;
    struct limits limits;
    void (*enrolled)(void *context); /* the enrolment secret is void; NULL: untold */
    void *context;

    /* Called from the loop about this often while loop and engine turn; 0: never. */
    int64_t alive_every_ms;
    void (*alive)(void);

    struct engine *engine;   /* borrowed; the net adds its door */
    const struct wire *wire; /* borrowed */
};

/* The defaults of schemas/config.json for everything that has one. */
void net_options_init(struct net_options *options);

/* ERR_INVALID: the certificate, its key or the address is not usable (logged). ERR_LIMIT:
 * the port is taken. */
enum err net_create(const struct net_options *options, struct net **ret_net);

/* Where it listens. */
uint16_t net_port(const struct net *net);

/* True when the address listened on is loopback only. */
bool net_is_loopback(const struct net *net);

/* For loading the key ring before the start. */
struct gate *net_gate(struct net *net);

/* Serves until net_stop. */
void net_run(struct net *net);
void net_stop(struct net *net);

/* Listens no more and reads no more; what was released so far goes out. */
void net_quiesce(struct net *net);

/* After engine_stop: sends what is left, says goodbye to everybody, within two seconds. */
void net_finish(struct net *net);

/* Accepts NULL. */
void net_destroy(struct net *net);

#endif
