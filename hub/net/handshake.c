#include "net/handshake.h"

#include "net/head.h"
#include "net/links.h"
#include "net/peer.h"
#include "os/counter.h"

#include <string.h>
#include <strings.h>

enum {
    ARENA_BYTES_MAX = 32 * 1024,
    KEY_TEXT_BYTES = 24, /* base64 of sixteen bytes */
    UPGRADE_BYTES_MAX = 64,
};

int handshake_accept(struct net *net, int fd)
{
    static const char full[] = "HTTP/1.1 503 Service Unavailable\r\n"
                               "Content-Type: application/json\r\n"
                               "Content-Length: 23\r\nRetry-After: 1\r\n"
                               "Connection: close\r\n\r\n"
                               "{\"error\":\"unavailable\"}";
    char text[INET6_ADDRSTRLEN];
    if (!net->quiet && links_admit(net, peer_text(fd, text)))
        return 0;
    counter_add(COUNTER_LINKS_REFUSED, 1);
    /* Said if it can be said at once; nothing waits for it. */
    if (!net->tls)
        (void)!send(fd, full, sizeof full - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    return -1;
}

/* Answers at once and ends the connection. */
static int refuse(struct link *link, enum error_code code, const char *detail)
{
    struct verdict verdict = { 0 };
    struct answer answer = { 0 };
    const struct answer_style style = { 0 };
    gate_refuse(link->net->gate, code, slice_from_text(detail), true, &verdict);
    const struct answer_facts facts = {
        .status = verdict.status,
        .body = verdict.answer,
        .upgrade = code == ERROR_UPGRADE_REQUIRED,
    };
    counter_add(COUNTER_HTTP_ERRORS, 1);
    if (answer_make(&style, &facts, &answer) == ERR_OK)
        (void)!lws_write(link->wsi, (unsigned char *)answer.bytes + ANSWER_HEADROOM,
                         answer.size, LWS_WRITE_HTTP);
    answer_finish(&answer);
    return -1;
}

static bool is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '+' || c == '/';
}

static bool key_is_good(struct lws *wsi, struct arena *arena)
{
    struct slice key = head_value(wsi, WSI_TOKEN_KEY, arena);
    if (key.size != KEY_TEXT_BYTES || head_is_repeated(wsi, WSI_TOKEN_KEY))
        return false;
    for (size_t i = 0; i < KEY_TEXT_BYTES - 2; i++)
        if (!is_base64(key.data[i]))
            return false;
    return key.data[KEY_TEXT_BYTES - 2] == '=' && key.data[KEY_TEXT_BYTES - 1] == '=';
}

/* ERROR_NONE when this is a handshake of RFC 6455, version 13, for a path of ours. */
static enum error_code check(struct link *link, struct arena *arena,
                             const char **ret_detail)
{
    struct lws *wsi = link->wsi;
    struct slice path = head_value(wsi, WSI_TOKEN_GET_URI, arena);
    struct slice version = head_value(wsi, WSI_TOKEN_VERSION, arena);
    struct slice host;

    *ret_detail = NULL;
    enum error_code code = host_check(link->net, wsi, arena, &host);
    if (code != ERROR_NONE)
        return code;
    if (!slice_equal_text(head_value(wsi, WSI_TOKEN_HTTP, arena), "HTTP/1.1") ||
        path.size == 0) {
        *ret_detail = "upgrade with GET and HTTP/1.1";
        return ERROR_BAD_REQUEST;
    }
    if (!slice_equal_text(path, "/ws") || head_is_repeated(wsi, WSI_TOKEN_GET_URI))
        return ERROR_NOT_FOUND;
    if (!link->net->options.token_in_url && query_has(wsi, "token", arena))
        return ERROR_TOKEN_IN_URL;
    if (!list_has(head_value(wsi, WSI_TOKEN_CONNECTION, arena), "upgrade"))
        *ret_detail = "the Connection header has no upgrade";
    else if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0 ||
             lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
        *ret_detail = "an upgrade has no body";
    else if (!key_is_good(wsi, arena))
        *ret_detail = "the Sec-WebSocket-Key is not sixteen bytes of base64";
    else if (lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) > 0)
        *ret_detail = "there are no subprotocols";
    if (*ret_detail != NULL)
        return ERROR_BAD_REQUEST;
    return slice_equal_text(version, "13") ? ERROR_NONE : ERROR_UPGRADE_REQUIRED;
}

int handshake_upgrade(struct link *link)
{
    char upgrade[UPGRADE_BYTES_MAX];
    struct lws *wsi = link->wsi;
    struct arena arena;
    const char *detail;

    /* Length and copy are both nothing once the headers are freed. */
    if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) <= 0)
        return -1;
    if (lws_hdr_copy(wsi, upgrade, sizeof upgrade, WSI_TOKEN_UPGRADE) < 0 ||
        (strcasecmp(upgrade, "websocket") != 0 && strcasecmp(upgrade, "h2c") != 0))
        return -1; /* the library has answered */
    if (link->state != LINK_HTTP || link->net->quiet)
        return -1;
    if (strcasecmp(upgrade, "h2c") == 0)
        return refuse(link, ERROR_BAD_REQUEST, "HTTP/1.1 only");

    arena_init(&arena, ARENA_BYTES_MAX);
    enum error_code code = check(link, &arena, &detail);
    int verdict = code == ERROR_NONE ? 0 : refuse(link, code, detail);
    arena_finish(&arena);
    return verdict;
}

int handshake_confirm(const struct link *link)
{
    return link->state == LINK_HTTP && link->exchange == NULL && !link->net->quiet ? 0
                                                                                   : -1;
}
