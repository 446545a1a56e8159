/*
 * client.h - the hub's HTTP API, one call at a time.
 *
 * Redirects are never followed: the token goes to the hub that was named, nowhere else.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "base/buffer.h"
#include "cli/outcome.h"
#include "json/json.h"

struct client;

struct client_settings {
    const char *hub;   /* http://HOST:PORT */
    const char *token; /* NULL: none */
    const char *ca_file;
    int64_t timeout_ms;
};

enum { CALL_HEADERS_MAX = 4 };

struct call_header {
    const char *name;
    struct slice value; /* without control characters */
};

struct call {
    const char *method;
    const char *path;  /* with its query */
    struct slice body; /* absent: none */
    struct call_header headers[CALL_HEADERS_MAX];
    size_t header_count;
};

/* An answer: valid until the next call. */
struct answer {
    long status; /* 0: there was none */
    enum outcome outcome;
    struct slice body;
    const struct json *tape; /* NULL when the body is not JSON */
    const struct json_node *root;
    const char *problem; /* of a call without an answer */
    bool unsure;         /* the hub may have got the request all the same */
};

/* NULL without memory. */
struct client *client_create(const struct client_settings *settings);
void client_destroy(struct client *client);

struct answer client_call(struct client *client, const struct call *call);

/* True when the URL names this very machine by its loopback. */
bool hub_is_here(const char *hub);

/* Appends `text` as one piece of a path or a query. */
void url_append(struct buffer *url, struct slice text);

#endif
