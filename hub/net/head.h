/*
 * head.h - what the head of a request says, read out of the library and checked.
 *
 * The library is lax; everything this project relies on is checked here.
 */
#ifndef NET_HEAD_H
#define NET_HEAD_H

#include "net/exchange.h"

struct head {
    struct slice method;
    struct slice path; /* percent-decoded */
    bool length_present;
    uint64_t length;
    bool coded;        /* a Transfer-Encoding is there */
    struct slice type; /* Content-Type */
    struct slice accept;
    bool expects; /* 100-continue */
};

/* The value of a header, its repetitions joined by commas; absent when it is not there or
 * there is no memory. */
struct slice head_value(struct lws *wsi, enum lws_token_indexes token,
                        struct arena *arena);

/* True when the header stands there more than once. */
bool head_is_repeated(struct lws *wsi, enum lws_token_indexes token);

/* ERROR_NONE, or what is wrong; *ret_detail says more. Fills the exchange's style, host,
 * and authorization, too. */
enum error_code head_read(struct link *link, struct exchange *exchange,
                          struct head *ret_head, const char **ret_detail);

/* The query's parameters and the route's headers join the path's; a token among them is
 * none, and goes to url_token. False when there are too many. */
bool head_parameters(struct link *link, struct exchange *exchange);

/* ERROR_NONE, ERROR_BAD_REQUEST or ERROR_MISDIRECTED_REQUEST. */
enum error_code host_check(const struct net *net, struct lws *wsi, struct arena *arena,
                           struct slice *ret_host);

/* True when the query has an argument of this name. */
bool query_has(struct lws *wsi, const char *name, struct arena *arena);

/* True when the comma-separated list has the word, in any case; parameters behind a
 * semicolon do not count. */
bool list_has(struct slice list, const char *word);

#endif
