#include "net/head.h"

#include "net/links.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static const struct {
    enum lws_token_indexes token;
    struct slice method;
} METHODS[] = {
    { WSI_TOKEN_GET_URI, SLICE("GET") },         { WSI_TOKEN_POST_URI, SLICE("POST") },
    { WSI_TOKEN_PUT_URI, SLICE("PUT") },         { WSI_TOKEN_PATCH_URI, SLICE("PATCH") },
    { WSI_TOKEN_DELETE_URI, SLICE("DELETE") },   { WSI_TOKEN_HEAD_URI, SLICE("HEAD") },
    { WSI_TOKEN_OPTIONS_URI, SLICE("OPTIONS") },
};

struct slice head_value(struct lws *wsi, enum lws_token_indexes token,
                        struct arena *arena)
{
    int size = lws_hdr_total_length(wsi, token);
    if (size <= 0)
        return (struct slice){ 0 };
    char *text = arena_take(arena, (size_t)size + 2);
    if (text == NULL)
        return (struct slice){ 0 };
    int copied = lws_hdr_copy(wsi, text, size + 1, token);
    if (copied < 0)
        return (struct slice){ 0 };
    while (copied > 0 && (text[copied - 1] == ' ' || text[copied - 1] == '\t'))
        copied--;
    return slice_make(text, (size_t)copied);
}

bool head_is_repeated(struct lws *wsi, enum lws_token_indexes token)
{
    return lws_hdr_fragment_length(wsi, token, 1) > 0;
}

bool list_has(struct slice list, const char *word)
{
    size_t size = strlen(word);
    while (list.size > 0) {
        size_t end = slice_find(list, ',');
        struct slice item = slice_make(list.data, end);
        item.size = slice_find(item, ';');
        item = slice_trim(item);
        if (item.size == size && strncasecmp(item.data, word, size) == 0)
            return true;
        list = slice_skip(list, end + 1);
    }
    return false;
}

static struct slice without_port(struct slice host)
{
    if (host.size > 0 && host.data[0] == '[') {
        size_t end = slice_find(host, ']');
        return slice_make(host.data, end < host.size ? end + 1 : host.size);
    }
    return slice_make(host.data, slice_find(host, ':'));
}

static bool host_is(struct slice host, struct slice name)
{
    return host.size == name.size && strncasecmp(host.data, name.data, name.size) == 0;
}

static bool host_is_allowed(const struct net *net, struct slice host)
{
    static const struct slice own[] = { SLICE("localhost"), SLICE("[::1]") };
    struct slice name = without_port(host);
    for (size_t i = 0; i < net->options.host_count; i++)
        if (host_is(name, net->options.hosts[i]) || host_is(host, net->options.hosts[i]))
            return true;
    if (!net->loopback)
        return net->options.host_count == 0;
    /* A name that resolves to loopback by somebody else's will is not ours. */
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (host_is(name, own[i]))
            return true;
    char text[INET_ADDRSTRLEN];
    struct in_addr four;
    if (name.size >= sizeof text || !address_is_loopback(name))
        return false;
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    return inet_pton(AF_INET, text, &four) == 1;
}

enum error_code host_check(const struct net *net, struct lws *wsi, struct arena *arena,
                           struct slice *ret_host)
{
    struct slice host = head_value(wsi, WSI_TOKEN_HOST, arena);
    if (host.size == 0 || head_is_repeated(wsi, WSI_TOKEN_HOST))
        return ERROR_BAD_REQUEST;
    for (size_t i = 0; i < host.size; i++) {
        unsigned char c = (unsigned char)host.data[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"<>\\/@,", c) != NULL)
            return ERROR_BAD_REQUEST;
    }
    *ret_host = host;
    return host_is_allowed(net, host) ? ERROR_NONE : ERROR_MISDIRECTED_REQUEST;
}

static enum error_code read_line(struct lws *wsi, struct arena *arena, struct head *head)
{
    for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++) {
        if (lws_hdr_total_length(wsi, METHODS[i].token) == 0)
            continue;
        head->method = METHODS[i].method;
        head->path = head_value(wsi, METHODS[i].token, arena);
        /* The library cuts a path at & and ; into pieces. */
        if (head_is_repeated(wsi, METHODS[i].token))
            return ERROR_NOT_FOUND;
        break;
    }
    if (head->path.size == 0 || head->path.data[0] != '/')
        return ERROR_BAD_REQUEST;
    for (size_t i = 0; i < head->path.size; i++) {
        unsigned char c = (unsigned char)head->path.data[i];
        if (c < ' ' || c == 0x7f || c == '\\')
            return ERROR_BAD_REQUEST;
    }
    return ERROR_NONE;
}

static enum error_code read_length(struct lws *wsi, struct arena *arena,
                                   struct head *head, const char **ret_detail)
{
    struct slice length = head_value(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, arena);
    head->coded = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
    if (head->coded) {
        *ret_detail = "send a Content-Length and no Transfer-Encoding";
        return ERROR_BAD_REQUEST;
    }
    if (!slice_is_present(length))
        return ERROR_NONE;
    /* Digits only and once: two readers of one length must not disagree. */
    if (!slice_parse_u64(length, &head->length) || length.data[0] == '-') {
        *ret_detail = "the Content-Length is no number";
        return ERROR_BAD_REQUEST;
    }
    head->length_present = true;
    return ERROR_NONE;
}

static void read_style(struct lws *wsi, struct arena *arena, struct exchange *exchange,
                       struct head *head)
{
    struct slice version = head_value(wsi, WSI_TOKEN_HTTP, arena);
    struct slice connection = head_value(wsi, WSI_TOKEN_CONNECTION, arena);
    exchange->style.old_version = !slice_equal_text(version, "HTTP/1.1");
    exchange->style.keep = exchange->style.old_version
                               ? slice_equal_text(connection, "keep-alive")
                               : !list_has(connection, "close");
    exchange->style.head_only = slice_equal_text(head->method, "HEAD");
    head->accept = head_value(wsi, WSI_TOKEN_HTTP_ACCEPT, arena);
    head->type = head_value(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, arena);
    exchange->style.problem = list_has(head->accept, "application/problem+json");
    head->expects =
        list_has(head_value(wsi, WSI_TOKEN_HTTP_EXPECT, arena), "100-continue");
}

enum error_code head_read(struct link *link, struct exchange *exchange,
                          struct head *ret_head, const char **ret_detail)
{
    struct lws *wsi = link->wsi;
    struct arena *arena = &exchange->arena;
    *ret_head = (struct head){ 0 };
    *ret_detail = NULL;

    read_style(wsi, arena, exchange, ret_head);
    enum error_code code = read_line(wsi, arena, ret_head);
    if (code != ERROR_NONE)
        return code;
    exchange->style.head_only = slice_equal_text(ret_head->method, "HEAD");
    code = host_check(link->net, wsi, arena, &exchange->host);
    if (code != ERROR_NONE) {
        *ret_detail = code == ERROR_BAD_REQUEST ? "send one Host header" : NULL;
        return code;
    }
    exchange->authorization = head_value(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, arena);
    exchange->tags_known = head_value(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, arena);
    return read_length(wsi, arena, ret_head, ret_detail);
}

static bool add_parameter(struct exchange *exchange, enum field_place place,
                          struct slice name, struct slice value)
{
    if (exchange->parameter_count == EXCHANGE_PARAMETERS_MAX)
        return false;
    exchange->parameters[exchange->parameter_count++] =
        (struct wire_parameter){ place, name, value };
    return true;
}

static bool add_query(struct link *link, struct exchange *exchange)
{
    struct lws *wsi = link->wsi;
    int total = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS);
    if (total <= 0)
        return true;
    for (int i = 0;; i++) {
        char *text = arena_take(&exchange->arena, (size_t)total + 2);
        if (text == NULL)
            return false;
        int size =
            lws_hdr_copy_fragment(wsi, text, total + 1, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (size < 0)
            return true;
        struct slice pair = slice_make(text, (size_t)size);
        struct slice name = slice_make(text, slice_find(pair, '='));
        if (name.size == 0)
            continue;
        if (slice_equal_text(name, "token")) {
            exchange->url_token = slice_skip(pair, name.size + 1);
            continue;
        }
        if (!add_parameter(exchange, FIELD_IN_QUERY, name,
                           slice_skip(pair, name.size + 1)))
            return false;
    }
}

/* Those of ours that the library knows by a token. */
static const struct {
    struct slice name;
    enum lws_token_indexes token;
} KNOWN_HEADERS[] = {
    { SLICE("if-match"), WSI_TOKEN_HTTP_IF_MATCH },
    { SLICE("if-none-match"), WSI_TOKEN_HTTP_IF_NONE_MATCH },
};

bool query_has(struct lws *wsi, const char *name, struct arena *arena)
{
    int total = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS);
    char *text = total > 0 ? arena_take(arena, (size_t)total + 2) : NULL;
    int size;
    for (int i = 0;
         text != NULL && (size = lws_hdr_copy_fragment(wsi, text, total + 1,
                                                       WSI_TOKEN_HTTP_URI_ARGS, i)) >= 0;
         i++) {
        struct slice pair = slice_make(text, (size_t)size);
        pair.size = slice_find(pair, '=');
        if (slice_equal_text(pair, name))
            return true;
    }
    return false;
}

/* The library keeps unknown headers under their name in lower case and its colon. */
static bool add_header(struct link *link, struct exchange *exchange, struct slice name)
{
    struct lws *wsi = link->wsi;
    for (size_t i = 0; i < sizeof KNOWN_HEADERS / sizeof KNOWN_HEADERS[0]; i++) {
        if (!slice_equal(name, KNOWN_HEADERS[i].name))
            continue;
        struct slice known = head_value(wsi, KNOWN_HEADERS[i].token, &exchange->arena);
        return !slice_is_present(known) ||
               add_parameter(exchange, FIELD_IN_HEADER, name, slice_trim(known));
    }
    char *key = arena_take(&exchange->arena, name.size + 2);
    if (key == NULL)
        return false;
    memcpy(key, name.data, name.size);
    key[name.size] = ':';
    int size = lws_hdr_custom_length(wsi, key, (int)name.size + 1);
    if (size < 0)
        return true;
    char *value = arena_take(&exchange->arena, (size_t)size + 2);
    if (value == NULL)
        return false;
    size = lws_hdr_custom_copy(wsi, value, size + 1, key, (int)name.size + 1);
    return size < 0 || add_parameter(exchange, FIELD_IN_HEADER, name,
                                     slice_trim(slice_make(value, (size_t)size)));
}

bool head_parameters(struct link *link, struct exchange *exchange)
{
    if (!add_query(link, exchange))
        return false;
    const struct field_table *table = MESSAGE_ROWS[exchange->type].table;
    for (size_t i = 0; table != NULL && i < table->count; i++)
        if (table->fields[i].place == FIELD_IN_HEADER &&
            !add_header(link, exchange, table->fields[i].name))
            return false;
    return true;
}
