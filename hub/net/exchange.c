#include "net/exchange.h"

#include "base/ensure.h"
#include "base/hash.h"
#include "base/pack.h"
#include "net/deadline.h"
#include "net/document.h"
#include "net/door_route.h"
#include "net/handoff.h"
#include "net/head.h"
#include "net/parking.h"
#include "net/peer.h"
#include "net/stream.h"
#include "os/counter.h"
#include "os/secret.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEAD_ARENA_BYTES_MAX = 64 * 1024,
    UNAVAILABLE_RETRY_MS = 1000,
    MEMBERS_BYTES_MAX = 4096,
    /* A head is longer; what the system counts besides (the end of the stream) is not. */
    HEAD_BYTES_MIN = 16,
};

static const char *const HTTP_METHODS[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

/* A secret that lies in the exchange's own arena. */
static void wipe(struct slice secret)
{
    if (secret.data != NULL)
        secret_wipe((char *)(uintptr_t)secret.data, secret.size);
}

void exchange_destroy(struct exchange *exchange)
{
    if (exchange == NULL)
        return;
    wipe(exchange->authorization);
    wipe(exchange->url_token);
    secret_wipe(&exchange->minted, sizeof exchange->minted);
    buffer_finish(&exchange->body);
    arena_finish(&exchange->arena);
    answer_finish(&exchange->answer);
    free(exchange);
}

void exchange_answer_with(struct link *link, const struct answer_facts *said)
{
    struct exchange *exchange = link->exchange;
    struct answer_facts facts = *said;
    facts.rate = exchange->caller.rate;
    ENSURE(exchange->state != EXCHANGE_ANSWERING);
    parking_leave(link->net, link);
    if (facts.status >= 400)
        counter_add(COUNTER_HTTP_ERRORS, 1);
    if (exchange->state == EXCHANGE_BODY || link->net->quiet)
        exchange->style.keep = false;
    bool early = exchange->state == EXCHANGE_BODY;
    exchange->state = EXCHANGE_ANSWERING;
    link->since_ms = clock_monotonic_ms();
    if (answer_make(&exchange->style, &facts, &exchange->answer) != ERR_OK) {
        link_kill(link);
        return;
    }
    link->lingering = early && exchange->body_ends;
    link->since_ms = clock_monotonic_ms();
    deadline_begin(link);
    /* A socket that is not read is not written either. */
    lws_rx_flow_control(link->wsi, 1);
    lws_callback_on_writable(link->wsi);
}

void exchange_refuse(struct link *link, const struct verdict *verdict)
{
    struct answer_facts facts = {
        .status = verdict->status,
        .body = verdict->answer,
        .retry_after_ms = verdict->retry_after_ms,
        .upgrade = verdict->status == ERROR_ROWS[ERROR_UPGRADE_REQUIRED].status,
    };
    if (verdict->status == ERROR_ROWS[ERROR_UNAVAILABLE].status)
        facts.retry_after_ms = UNAVAILABLE_RETRY_MS;
    exchange_answer_with(link, &facts);
}

void exchange_refuse_code(struct link *link, enum error_code code, const char *detail)
{
    struct verdict verdict = { 0 };
    gate_refuse(link->net->gate, code, slice_from_text(detail), true, &verdict);
    exchange_refuse(link, &verdict);
}

/* 405, with the methods that would do. */
static void refuse_method(struct link *link, struct slice path)
{
    struct exchange *exchange = link->exchange;
    struct wire_parameter unused[EXCHANGE_PARAMETERS_MAX];
    struct verdict verdict = { 0 };
    struct buffer allow;
    buffer_init(&allow, MEMBERS_BYTES_MAX);
    for (size_t i = 0; i < sizeof HTTP_METHODS / sizeof HTTP_METHODS[0]; i++) {
        size_t count = 0;
        bool other = false;
        if (wire_route(slice_from_text(HTTP_METHODS[i]), path, unused,
                       EXCHANGE_PARAMETERS_MAX, &count, &other) == MESSAGE_NONE)
            continue;
        if (allow.size > 0)
            buffer_append_text(&allow, ", ");
        buffer_append_text(&allow, HTTP_METHODS[i]);
        if (i == 0)
            buffer_append_text(&allow, ", HEAD");
    }
    gate_refuse(link->net->gate, ERROR_METHOD_NOT_ALLOWED, (struct slice){ 0 }, true,
                &verdict);
    struct answer_facts facts = {
        .status = verdict.status,
        .body = verdict.answer,
        .allow = arena_copy(&exchange->arena, buffer_slice(&allow)),
    };
    exchange_answer_with(link, &facts);
    buffer_finish(&allow);
}

static struct request request_of(const struct link *link)
{
    const struct exchange *exchange = link->exchange;
    return (struct request){
        .type = exchange->type,
        .address = slice_from_text(link->address),
        .authorization = exchange->authorization,
        .url_token = exchange->url_token,
    };
}

void exchange_answer_message(struct link *link, const struct message *message,
                             uint16_t status)
{
    struct buffer text;
    buffer_init(&text, MEMBERS_BYTES_MAX);
    wire_render(message, &text);
    if (buffer_failed(&text))
        exchange_refuse_code(link, ERROR_UNAVAILABLE, NULL);
    else
        exchange_answer_with(link, &(struct answer_facts){ .status = status,
                                                           .body = buffer_slice(&text) });
    buffer_finish(&text);
}

/* False for a route that can do without any member of its body. */
static bool wants_body(enum message_type type)
{
    const struct field_table *table = MESSAGE_ROWS[type].table;
    for (size_t i = 0; i < table->count; i++)
        if (table->fields[i].place == FIELD_IN_BODY && table->fields[i].required)
            return true;
    return false;
}

/* True when nothing of the request has to be read to answer it. */
static bool asks_nothing(enum message_type type)
{
    const struct field_table *table = MESSAGE_ROWS[type].table;
    for (size_t i = 0; i < table->count; i++)
        if (table->fields[i].place != FIELD_IN_HEADER)
            return false;
    return true;
}

/* The request is whole: to the door itself, to the reader, or to the engine. */
static void submit(struct link *link)
{
    struct exchange *exchange = link->exchange;
    struct net *net = link->net;
    struct request request = request_of(link);
    struct slice body = buffer_slice(&exchange->body);
    struct verdict verdict;

    exchange->state = EXCHANGE_WAITING;
    link->since_ms = clock_monotonic_ms();
    deadline_begin(link);
    bool at_door = MESSAGE_ROWS[exchange->type].kind == KIND_DOOR;
    if (at_door && asks_nothing(exchange->type)) {
        door_route_answer(link, NULL);
        return;
    }
    if (!slice_is_present(MESSAGE_ROWS[exchange->type].schema))
        body = (struct slice){ 0 };
    else if (body.size == 0 && !wants_body(exchange->type))
        body = SLICE_OF("{}");
    request_admit(net->gate, &request, &exchange->caller,
                  (struct origin){ link->id, exchange->id }, exchange->parameters,
                  exchange->parameter_count, body, net_now(), &exchange->minted,
                  &verdict);
    if (verdict.envelope == NULL) {
        exchange_refuse(link, &verdict);
        return;
    }
    if (at_door) {
        door_route_answer(link, verdict.envelope);
        envelope_destroy(verdict.envelope);
        return;
    }
    if (MESSAGE_ROWS[exchange->type].kind == KIND_QUERY) {
        struct release_batch *batch = reader_answer(net->reader, verdict.envelope);
        envelope_destroy(verdict.envelope);
        if (batch == NULL)
            exchange_refuse_code(link, ERROR_UNAVAILABLE, NULL);
        else
            handoff_take(net, batch);
        return;
    }
    /* Until the answer is there nothing more is read: the next request waits. */
    lws_rx_flow_control(link->wsi, 0);
    link_push(link, verdict.envelope);
}

/* ERROR_NONE when JSON can go in and come out. */
static enum error_code check_media(const struct exchange *exchange,
                                   const struct head *head)
{
    if (exchange->type == MESSAGE_GET_EVENTS_STREAM)
        return slice_is_present(head->accept) && !list_has(head->accept, "*/*") &&
                       !list_has(head->accept, "text/*") &&
                       !list_has(head->accept, "text/event-stream") &&
                       !list_has(head->accept, "application/json") &&
                       !exchange->style.problem
                   ? ERROR_NOT_ACCEPTABLE
                   : ERROR_NONE;
    if (slice_is_present(head->accept) && !list_has(head->accept, "*/*") &&
        !list_has(head->accept, "application/*") &&
        !list_has(head->accept, "application/json") && !exchange->style.problem)
        return ERROR_NOT_ACCEPTABLE;
    if (slice_is_present(MESSAGE_ROWS[exchange->type].schema) && head->length > 0 &&
        !list_has(head->type, "application/json"))
        return ERROR_UNSUPPORTED_MEDIA_TYPE;
    return ERROR_NONE;
}

/* True when the request goes on; else it is answered. */
static bool admit(struct link *link, const struct head *head)
{
    struct exchange *exchange = link->exchange;
    struct verdict verdict;
    bool other_method = false;
    struct slice method = exchange->style.head_only ? SLICE_OF("GET") : head->method;

    if (slice_equal_text(head->path, "/ws")) {
        exchange_refuse_code(link, ERROR_UPGRADE_REQUIRED, NULL);
        return false;
    }
    exchange->type =
        wire_route(method, head->path, exchange->parameters, EXCHANGE_PARAMETERS_MAX,
                   &exchange->parameter_count, &other_method);
    if (exchange->type == MESSAGE_NONE) {
        if (other_method)
            refuse_method(link, head->path);
        else
            exchange_refuse_code(link, ERROR_NOT_FOUND, NULL);
        return false;
    }
    if (!head_parameters(link, exchange)) {
        exchange_refuse_code(link, ERROR_BAD_REQUEST, "too many parameters");
        return false;
    }
    struct request request = request_of(link);
    if (!request_check(link->net->gate, &request, net_now(), &exchange->caller,
                       &verdict)) {
        if (verdict.word != NULL && !parking_push(link->net, verdict.word))
            envelope_destroy(verdict.word);
        exchange_refuse(link, &verdict);
        return false;
    }
    link->authenticated |= exchange->caller.known;
    enum error_code code = check_media(exchange, head);
    if (code == ERROR_NONE && head->length > link->net->options.body_bytes_max)
        code = ERROR_PAYLOAD_TOO_LARGE;
    if (code != ERROR_NONE)
        exchange_refuse_code(link, code, NULL);
    return code == ERROR_NONE;
}

static struct exchange *exchange_create(struct net *net)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    exchange->id = ++net->request_next;
    arena_init(&exchange->arena, HEAD_ARENA_BYTES_MAX);
    buffer_init(&exchange->body, net->options.body_bytes_max);
    return exchange;
}

/* The library waits for a body that nobody announced after these. */
static bool is_awaited(struct slice method)
{
    return slice_equal_text(method, "POST") || slice_equal_text(method, "PUT") ||
           slice_equal_text(method, "PATCH");
}

/*
 * True when the head came with the bytes of the request before. The library then takes the
 * head itself for the body, reads freed memory, or turns for ever: such a request is
 * refused before it gets there.
 */
static bool is_pipelined(const struct link *link)
{
    uint64_t bytes;
    if (link->read_bytes == 0)
        return false;
    return !peer_bytes_read(lws_get_socket_fd(link->wsi), &bytes) ||
           bytes < link->read_bytes + HEAD_BYTES_MIN;
}

static int invite_body(struct link *link)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char bytes[ANSWER_HEADROOM + sizeof line];
    memcpy(bytes + ANSWER_HEADROOM, line, sizeof line);
    return lws_write(link->wsi, (unsigned char *)bytes + ANSWER_HEADROOM, sizeof line - 1,
                     LWS_WRITE_HTTP_HEADERS) < 0
               ? -1
               : 0;
}

int exchange_begin(struct link *link)
{
    struct head head;
    const char *detail = NULL;

    if (link->state != LINK_HTTP || link->net->quiet)
        return -1;
    ENSURE(link->exchange == NULL);
    struct exchange *exchange = exchange_create(link->net);
    if (exchange == NULL)
        return -1;
    link->exchange = exchange;
    link->since_ms = clock_monotonic_ms();
    counter_add(COUNTER_HTTP_REQUESTS, 1);
    /* Ours are stricter, and an answer may take longer than the library's patience. */
    lws_set_timeout(link->wsi, NO_PENDING_TIMEOUT, 0);

    enum error_code code = head_read(link, exchange, &head, &detail);
    exchange->body_bytes = head.length;
    exchange->body_ends = head.length_present || !is_awaited(head.method);
    /* Of what is refused the library may believe that it has a body. */
    bool may_have_body = code != ERROR_NONE || head.length > 0 || !exchange->body_ends;
    if (may_have_body && is_pipelined(link)) {
        exchange->state = EXCHANGE_BODY;
        exchange->body_ends = false;
        if (code == ERROR_NONE)
            detail = "a body cannot be sent ahead";
        exchange_refuse_code(link, code == ERROR_NONE ? ERROR_BAD_REQUEST : code, detail);
        exchange_writable(link);
        return -1;
    }
    if (head.coded || (code != ERROR_NONE && !head.length_present)) {
        /* Where the next request begins is anybody's guess. */
        exchange->body_ends = head.length_present;
        exchange->state = EXCHANGE_BODY;
    } else {
        exchange->state = head.length > 0 ? EXCHANGE_BODY : EXCHANGE_WAITING;
    }
    if (!exchange->body_ends)
        exchange->style.keep = false;
    if (code != ERROR_NONE) {
        exchange_refuse_code(link, code, detail);
        return 0;
    }
    if (!admit(link, &head))
        return 0;
    if (head.length == 0) {
        submit(link);
        return 0;
    }
    deadline_begin(link);
    return head.expects ? invite_body(link) : 0;
}

int exchange_body(struct link *link, const char *data, size_t size)
{
    struct exchange *exchange = link->exchange;
    if (exchange == NULL || exchange->state != EXCHANGE_BODY || size == 0)
        return 0;
    buffer_append(&exchange->body, data, size);
    if (buffer_failed(&exchange->body))
        exchange_refuse_code(link, ERROR_PAYLOAD_TOO_LARGE, NULL);
    return 0;
}

int exchange_body_end(struct link *link)
{
    struct exchange *exchange = link->exchange;
    if (exchange != NULL && exchange->state == EXCHANGE_BODY &&
        exchange->body.size == exchange->body_bytes)
        submit(link);
    if (!link->lingering)
        return 0;
    /* All of the refused body is here: nothing is left to wait for. */
    link->lingering = false;
    return exchange == NULL ? -1 : 0;
}

int exchange_writable(struct link *link)
{
    struct exchange *exchange = link->exchange;
    if (link->state == LINK_HTTP && exchange != NULL &&
        exchange->state == EXCHANGE_STREAMING)
        return stream_writable_http(link);
    if (link->state != LINK_HTTP || exchange == NULL ||
        exchange->state != EXCHANGE_ANSWERING || exchange->answer.bytes == NULL)
        return 0;
    /* Before the answer is out, nobody has reason to send the next request. */
    if (!peer_bytes_read(lws_get_socket_fd(link->wsi), &link->read_bytes))
        link->read_bytes = UINT64_MAX - HEAD_BYTES_MIN;
    int sent =
        lws_write(link->wsi, (unsigned char *)exchange->answer.bytes + ANSWER_HEADROOM,
                  exchange->answer.size, LWS_WRITE_HTTP);
    counter_add(COUNTER_BYTES_OUT, exchange->answer.size);
    bool keep = exchange->style.keep && !link->net->quiet;
    exchange_destroy(exchange);
    link->exchange = NULL;
    link->since_ms = clock_monotonic_ms();
    if (sent < 0)
        return -1;
    if (!keep) {
        deadline_begin(link);
        return link->lingering ? 0 : -1;
    }
    deadline_begin(link);
    return lws_http_transaction_completed(link->wsi) != 0 ? -1 : 0;
}

enum { TAG_DIGITS = 16 };

/* Where agents find the hub: as the settings say, or where this one has found it. A Host
 * header that was let through needs no escapes. */
static struct slice url_of(const struct link *link, const char *scheme, const char *path)
{
    static const struct slice http = SLICE("http");
    struct slice public = link->net->options.public_url;
    struct buffer text;
    buffer_init(&text, MEMBERS_BYTES_MAX);
    buffer_append_text(&text, scheme);
    if (slice_is_present(public)) {
        buffer_append_slice(&text, slice_skip(public, http.size));
    } else {
        buffer_append_text(&text, link->net->tls ? "s://" : "://");
        buffer_append_slice(&text, link->exchange->host);
    }
    buffer_append_text(&text, path);
    struct slice url = arena_copy(&link->exchange->arena, buffer_slice(&text));
    buffer_finish(&text);
    return url;
}

/* What only the door knows: the token's text, and where the asker found the hub. */
static void fill_in(const struct link *link, struct buffer *buffer, struct slice body)
{
    const struct exchange *exchange = link->exchange;
    const struct answer_member members[] = {
        { "token", slice_make(exchange->minted.text, sizeof exchange->minted.text) },
        { "hub_ws_url", url_of(link, "ws", "/ws") },
        { "hub_api_url", url_of(link, "http", "") },
    };
    bool registers = exchange->type == MESSAGE_POST_ONBOARD_REGISTER;
    answer_fill(buffer, body, members, registers ? 3 : 1);
}

static struct slice tag_write(uint64_t tag, char digits[TAG_DIGITS])
{
    uint8_t bytes[sizeof tag];
    put_u64(bytes, tag);
    hex_encode(digits, bytes, sizeof bytes);
    return slice_make(digits, TAG_DIGITS);
}

void exchange_answer(struct link *link, const struct release *release)
{
    struct exchange *exchange = link->exchange;
    struct answer_facts facts = { .status = release->status,
                                  .replayed = release->replayed };
    struct buffer filled;
    char tag[TAG_DIGITS];

    if (exchange == NULL || exchange->id != release->request ||
        exchange->state != EXCHANGE_WAITING)
        return;
    buffer_init(&filled, release->frame->size + MEMBERS_BYTES_MAX);
    facts.body = slice_make(frame_text(release->frame), release->frame->size);
    if (release->answer != MESSAGE_HTTP_ERROR && exchange->minted.present) {
        fill_in(link, &filled, facts.body);
        facts.body = buffer_slice(&filled);
    }
    if (release->tag != 0)
        facts.etag = tag_write(release->tag, tag);
    if (facts.etag.size > 0 && MESSAGE_ROWS[exchange->type].kind == KIND_QUERY &&
        tags_have(exchange->tags_known, facts.etag))
        facts.status = ANSWER_NOT_MODIFIED;
    if (facts.status == ERROR_ROWS[ERROR_UNAVAILABLE].status)
        facts.retry_after_ms = UNAVAILABLE_RETRY_MS;
    if (buffer_failed(&filled))
        exchange_refuse_code(link, ERROR_UNAVAILABLE, NULL);
    else
        exchange_answer_with(link, &facts);
    if (filled.data != NULL)
        secret_wipe(filled.data, filled.room);
    buffer_finish(&filled);
}

void exchange_expire(struct link *link)
{
    struct exchange *exchange = link->exchange;
    bool body = exchange->state == EXCHANGE_BODY;
    if (exchange->state == EXCHANGE_STREAMING) {
        link_kill(link);
        return;
    }
    exchange->style.keep = false;
    exchange_refuse_code(link, body ? ERROR_REQUEST_TIMEOUT : ERROR_UNAVAILABLE, NULL);
}
