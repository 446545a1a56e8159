#include "net/answer.h"

#include "base/ensure.h"
#include "json/writer.h"
#include "message/row.h"
#include "os/secret.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    HEAD_BYTES_MAX = 2048,
    ANSWER_BYTES_MAX = 256 * 1024 * 1024, /* pages are bounded where they are made */
    MS_PER_S = 1000,
    MS_PER_MINUTE = 60 * MS_PER_S,
};

static const struct {
    uint16_t status;
    const char *phrase;
} PHRASES[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { ANSWER_NOT_MODIFIED, "Not Modified" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 413, "Content Too Large" },
    { 415, "Unsupported Media Type" },
    { 421, "Misdirected Request" },
    { 422, "Unprocessable Content" },
    { 426, "Upgrade Required" },
    { 429, "Too Many Requests" },
    { 500, "Internal Server Error" },
    { 503, "Service Unavailable" },
    { 507, "Insufficient Storage" },
};

static const char *phrase_of(uint16_t status)
{
    for (size_t i = 0; i < sizeof PHRASES / sizeof PHRASES[0]; i++)
        if (PHRASES[i].status == status)
            return PHRASES[i].phrase;
    return "Status";
}

static void add_date(struct buffer *buffer)
{
    char text[64];
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts) == NULL)
        return;
    size_t size =
        strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    buffer_append(buffer, text, size);
}

/* What the body is; nothing where there is none by its nature. */
static void add_body_head(struct buffer *buffer, bool problem, size_t body_bytes)
{
    buffer_append_text(buffer, problem ? "Content-Type: application/problem+json"
                                       : "Content-Type: application/json");
    buffer_append_text(buffer, "; charset=utf-8\r\nContent-Length: ");
    buffer_append_u64(buffer, body_bytes);
    buffer_append_text(buffer, "\r\n");
}

/* Whether the answer may be kept, and under which name. */
static void add_cache_head(struct buffer *buffer, struct slice etag)
{
    if (!slice_is_present(etag)) {
        buffer_append_text(buffer, "Cache-Control: no-store\r\n");
        return;
    }
    buffer_append_text(buffer, "Cache-Control: no-cache\r\nETag: \"");
    buffer_append_slice(buffer, etag);
    buffer_append_text(buffer, "\"\r\n");
}

static void add_seconds(struct buffer *buffer, int64_t ms)
{
    buffer_append_i64(buffer, (ms + MS_PER_S - 1) / MS_PER_S);
}

/* draft-ietf-httpapi-ratelimit-headers-10: the policy's quota and window, and what is left
 * of it until all of it is back, or until there is anything again. */
static void add_rate_head(struct buffer *buffer, const struct rate_answer *rate)
{
    if (!rate->limited)
        return;
    int64_t minutes_ms = (int64_t)rate->rate.capacity * MS_PER_MINUTE;
    buffer_append_text(buffer, "RateLimit-Policy: \"");
    buffer_append_slice(buffer, rate_tier_name(rate->tier));
    buffer_append_text(buffer, "\";q=");
    buffer_append_u64(buffer, rate->rate.capacity);
    buffer_append_text(buffer, ";w=");
    add_seconds(buffer, minutes_ms / rate->rate.per_minute);
    buffer_append_text(buffer, "\r\nRateLimit: \"");
    buffer_append_slice(buffer, rate_tier_name(rate->tier));
    buffer_append_text(buffer, "\";r=");
    buffer_append_u64(buffer, rate->remaining);
    buffer_append_text(buffer, ";t=");
    add_seconds(buffer, rate->word == METER_ALLOWED ? rate->full_ms : rate->retry_ms);
    buffer_append_text(buffer, "\r\n");
}

static void add_head(struct buffer *buffer, const struct answer_style *style,
                     const struct answer_facts *facts, bool problem, size_t body_bytes)
{
    buffer_append_text(buffer, "HTTP/1.1 ");
    buffer_append_u64(buffer, facts->status);
    buffer_append_byte(buffer, ' ');
    buffer_append_text(buffer, phrase_of(facts->status));
    buffer_append_text(buffer, "\r\n");
    add_date(buffer);
    if (facts->status != ANSWER_NOT_MODIFIED)
        add_body_head(buffer, problem, body_bytes);
    add_cache_head(buffer, facts->etag);
    buffer_append_text(buffer, "X-Content-Type-Options: nosniff\r\n");
    if (facts->status == 401)
        buffer_append_text(buffer, "WWW-Authenticate: Bearer\r\n");
    if (facts->retry_after_ms > 0) {
        buffer_append_text(buffer, "Retry-After: ");
        add_seconds(buffer, facts->retry_after_ms);
        buffer_append_text(buffer, "\r\n");
    }
    add_rate_head(buffer, &facts->rate);
    if (facts->replayed)
        buffer_append_text(buffer, "Idempotency-Replayed: true\r\n");
    if (facts->allow.size > 0) {
        buffer_append_text(buffer, "Allow: ");
        buffer_append_slice(buffer, facts->allow);
        buffer_append_text(buffer, "\r\n");
    }
    if (facts->upgrade)
        buffer_append_text(buffer, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    if (facts->upgrade && style->keep)
        buffer_append_text(buffer, "Connection: upgrade\r\n");
    else if (!style->keep)
        buffer_append_text(buffer, "Connection: close\r\n");
    else if (style->old_version)
        buffer_append_text(buffer, "Connection: keep-alive\r\n");
    buffer_append_text(buffer, "\r\n");
}

/* The code an error's body begins with; absent when it is none of ours. */
static const struct error_row *error_of(struct slice body)
{
    static const struct slice start = SLICE("{\"error\":\"");
    if (!slice_starts_with(body, start))
        return NULL;
    struct slice code = slice_skip(body, start.size);
    code.size = slice_find(code, '"');
    for (size_t i = 1; i < ERROR_CODE_COUNT; i++)
        if (slice_equal(ERROR_ROWS[i].name, code))
            return &ERROR_ROWS[i];
    return NULL;
}

/* `body` with text put behind its opening brace; the text ends with a comma. */
static void add_object(struct buffer *buffer, struct slice body, struct slice text)
{
    struct slice rest = slice_skip(body, 1);
    if (rest.size > 0 && rest.data[0] == '}' && text.size > 0)
        text.size--;
    buffer_append_byte(buffer, '{');
    buffer_append_slice(buffer, text);
    buffer_append_slice(buffer, rest);
}

static void add_problem(struct buffer *buffer, const struct answer_facts *facts,
                        const struct error_row *row)
{
    struct buffer members;
    struct json_writer writer;
    buffer_init(&members, HEAD_BYTES_MAX);
    json_writer_init(&writer, &members);
    buffer_append_text(&members, "\"type\":\"urn:drover:error:");
    buffer_append_slice(&members, row->name);
    buffer_append_text(&members, "\",\"title\":");
    json_string(&writer, row->text);
    buffer_append_text(&members, ",\"status\":");
    buffer_append_u64(&members, facts->status);
    buffer_append_byte(&members, ',');
    if (buffer_failed(&members))
        buffer->failed = true;
    add_object(buffer, facts->body, buffer_slice(&members));
    buffer_finish(&members);
}

enum err answer_make(const struct answer_style *style, const struct answer_facts *facts,
                     struct answer *ret_answer)
{
    struct buffer body;
    struct buffer whole;
    const struct error_row *row = facts->status >= 400 ? error_of(facts->body) : NULL;
    bool problem = style->problem && row != NULL;
    struct slice text = facts->body;

    buffer_init(&body, ANSWER_BYTES_MAX);
    buffer_init(&whole, ANSWER_BYTES_MAX);
    if (problem) {
        add_problem(&body, facts, row);
        text = buffer_slice(&body);
    }
    buffer_extend(&whole, ANSWER_HEADROOM);
    add_head(&whole, style, facts, problem, text.size);
    if (!style->head_only)
        buffer_append_slice(&whole, text);

    bool failed = buffer_failed(&whole) || buffer_failed(&body);
    buffer_finish(&body);
    if (failed) {
        buffer_finish(&whole);
        return ERR_MEMORY;
    }
    ret_answer->bytes = buffer_release(&whole, &ret_answer->size);
    ret_answer->size -= ANSWER_HEADROOM;
    return ERR_OK;
}

void answer_finish(struct answer *answer)
{
    if (answer->bytes == NULL)
        return;
    /* It may hold a token that is shown once. */
    secret_wipe(answer->bytes, ANSWER_HEADROOM + answer->size);
    free(answer->bytes);
    *answer = (struct answer){ 0 };
}

static void add_member(struct buffer *buffer, const struct answer_member *member)
{
    buffer_append_byte(buffer, '"');
    buffer_append_text(buffer, member->name);
    buffer_append_text(buffer, "\":\"");
    buffer_append_slice(buffer, member->text);
    buffer_append_byte(buffer, '"');
}

/* Where the member stands empty in `body`, or body.size. Quotes inside a text are
 * escaped, so this can be nothing but a member. */
static size_t find_empty(struct slice body, const char *name, size_t *ret_size)
{
    char pattern[64];
    int size = snprintf(pattern, sizeof pattern, "\"%s\":\"\"", name);
    ENSURE(size > 0 && (size_t)size < sizeof pattern);
    *ret_size = (size_t)size;
    const char *at = memmem(body.data, body.size, pattern, (size_t)size);
    return at == NULL ? body.size : (size_t)(at - body.data);
}

void answer_fill(struct buffer *buffer, struct slice body,
                 const struct answer_member *members, size_t count)
{
    ENSURE(body.size >= 2 && body.data[0] == '{');
    size_t size;
    buffer_append_byte(buffer, '{');
    for (size_t i = 0; i < count; i++) {
        if (find_empty(body, members[i].name, &size) < body.size)
            continue;
        add_member(buffer, &members[i]);
        if (body.data[1] != '}')
            buffer_append_byte(buffer, ',');
    }
    for (size_t from = 1; from < body.size;) {
        struct slice rest = slice_skip(body, from);
        const struct answer_member *member = NULL;
        size_t first = rest.size;
        size_t first_size = 0;
        for (size_t i = 0; i < count; i++) {
            size_t at = find_empty(rest, members[i].name, &size);
            if (at < first) {
                first = at;
                first_size = size;
                member = &members[i];
            }
        }
        buffer_append(buffer, rest.data, first);
        if (member != NULL)
            add_member(buffer, member);
        from += first + first_size;
    }
}
