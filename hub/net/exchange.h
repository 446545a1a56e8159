/*
 * exchange.h - one HTTP request and its answer.
 *
 * Threads    The net's. A link has at most one; what a client pipelines waits its turn.
 */
#ifndef NET_EXCHANGE_H
#define NET_EXCHANGE_H

#include "gate/request.h"
#include "net/answer.h"
#include "net/state.h"

enum { EXCHANGE_PARAMETERS_MAX = 32 };

enum exchange_state {
    EXCHANGE_BODY,      /* the body is coming in */
    EXCHANGE_WAITING,   /* for room in the ring, or for the engine */
    EXCHANGE_ANSWERING, /* the answer waits for the socket */
    EXCHANGE_STREAMING, /* the answer has begun and has no end; see stream.h */
};

struct exchange {
    uint64_t id;
    enum exchange_state state;
    enum message_type type; /* MESSAGE_NONE: refused before it was known */
    struct answer_style style;
    bool body_ends; /* its length is known to the library: the link may be kept */
    uint64_t body_bytes;
    struct buffer body;
    struct arena arena; /* texts of the head */
    struct slice host;
    struct slice authorization;
    struct slice tags_known; /* If-None-Match */
    struct slice url_token;  /* `token` of the query */
    struct caller caller;
    struct minted minted;
    struct wire_parameter parameters[EXCHANGE_PARAMETERS_MAX];
    size_t parameter_count;
    struct answer answer;
};

/* Accepts NULL. */
void exchange_destroy(struct exchange *exchange);

/* The library's verbs; non-zero ends the socket. */
int exchange_begin(struct link *link);
int exchange_body(struct link *link, const char *data, size_t size);
int exchange_body_end(struct link *link);
int exchange_writable(struct link *link);

/* The engine's word, or the reader's. */
void exchange_answer(struct link *link, const struct release *release);

/* The gate's, or this room's own. */
void exchange_refuse(struct link *link, const struct verdict *verdict);
void exchange_refuse_code(struct link *link, enum error_code code, const char *detail);

/* For this room's routes: a whole answer, or a message as its body. */
void exchange_answer_with(struct link *link, const struct answer_facts *facts);
void exchange_answer_message(struct link *link, const struct message *message,
                             uint16_t status);

/* It took too long. */
void exchange_expire(struct link *link);

#endif
