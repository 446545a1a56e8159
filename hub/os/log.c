#include "os/log.h"

#include "base/ensure.h"
#include "os/clock.h"
#include "os/counter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The sink. The lock is for replacing the file; lines themselves need none, but a line
 * must not be written to a descriptor that has just become something else. */
static pthread_rwlock_t sink_lock = PTHREAD_RWLOCK_INITIALIZER;
static int sink_fd = STDERR_FILENO;
static _Atomic int sink_level = LOG_LEVEL_INFO;

static const char *const LEVELS[LOG_LEVEL_COUNT] = {
    [LOG_LEVEL_DEBUG] = "debug",   [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_NOTICE] = "notice", [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_ERROR] = "error",
};

static const char *const SECRET_KEYS[] = {
    "token", "auth_token", "secret", "password", "authorization",
};

/* What closes a line that ran out of room, its line break included. */
#define CUT_MARK ",\"truncated\":true}\n"

enum { LINE_BYTES_MAX = PIPE_BUF, LINE_ROOM = LINE_BYTES_MAX - (int)sizeof CUT_MARK };

/* A line being made. `failed` undoes back to the last whole field. */
struct line {
    char bytes[LINE_BYTES_MAX];
    size_t size;
    bool failed;
};

static void line_append(struct line *line, const char *bytes, size_t size)
{
    if (line->failed || size > LINE_ROOM - line->size) {
        line->failed = true;
        return;
    }
    memcpy(line->bytes + line->size, bytes, size);
    line->size += size;
}

static void line_text(struct line *line, const char *text)
{
    line_append(line, text, strlen(text));
}

/* Bytes of the UTF-8 character at the start of `text`, 0 when it is none. */
static size_t character_decode(struct slice text, uint32_t *ret_code)
{
    static const struct {
        uint8_t mask, mark;
        uint32_t code_min;
    } FORMS[] = { { 0x80, 0x00, 0 },
                  { 0xe0, 0xc0, 0x80 },
                  { 0xf0, 0xe0, 0x800 },
                  { 0xf8, 0xf0, 0x10000 } };
    uint8_t first = (uint8_t)text.data[0];

    for (size_t more = 0; more < sizeof FORMS / sizeof FORMS[0]; more++) {
        if ((first & FORMS[more].mask) != FORMS[more].mark)
            continue;
        if (more >= text.size)
            return 0;
        uint32_t code = first & (uint32_t)(uint8_t)~FORMS[more].mask;
        for (size_t i = 1; i <= more; i++) {
            uint8_t byte = (uint8_t)text.data[i];
            if ((byte & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (byte & 0x3fu);
        }
        bool fits = code >= FORMS[more].code_min && code <= 0x10ffff &&
                    (code < 0xd800 || code > 0xdfff);
        *ret_code = code;
        return fits ? more + 1 : 0;
    }
    return 0;
}

/* Characters a terminal or a viewer would act on, or hide. */
static bool character_is_hostile(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0xa0) || code == 0xad ||
           code == 0x61c || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
           code == 0xfeff || (code >= 0xfff9 && code <= 0xfffb) ||
           (code >= 0xe0000 && code <= 0xe007f);
}

static void line_escape(struct line *line, uint32_t code)
{
    char escape[16];
    int size;

    if (code > 0xffff) {
        unsigned high = 0xd800u + ((code - 0x10000) >> 10);
        unsigned low = 0xdc00u + ((code - 0x10000) & 0x3ff);
        size = snprintf(escape, sizeof escape, "\\u%04x\\u%04x", high, low);
    } else {
        size = snprintf(escape, sizeof escape, "\\u%04x", (unsigned)code);
    }
    line_append(line, escape, (size_t)size);
}

static void line_quoted(struct line *line, struct slice text)
{
    bool cut = text.size > LOG_TEXT_BYTES_MAX;
    size_t end = cut ? (size_t)LOG_TEXT_BYTES_MAX : text.size;

    line_text(line, "\"");
    for (size_t at = 0; at < end && !line->failed;) {
        uint32_t code = 0;
        size_t size = character_decode(slice_skip(text, at), &code);
        if (size > end - at)
            break; /* the cut would go through a character */
        if (size == 0)
            line_escape(line, 0xfffd);
        else if (character_is_hostile(code))
            line_escape(line, code);
        else if (code == '"' || code == '\\')
            line_append(line, code == '"' ? "\\\"" : "\\\\", 2);
        else
            line_append(line, text.data + at, size);
        at += size == 0 ? 1 : size;
    }
    line_text(line, cut ? "...\"" : "\"");
}

static bool key_is_secret(const char *key)
{
    for (size_t i = 0; i < sizeof SECRET_KEYS / sizeof SECRET_KEYS[0]; i++) {
        if (strcmp(key, SECRET_KEYS[i]) == 0)
            return true;
    }
    return false;
}

static void line_value(struct line *line, const struct log_field *field)
{
    char number[32];

    switch (field->kind) {
    case LOG_KIND_NUMBER:
        (void)snprintf(number, sizeof number, "%lld", (long long)field->number);
        line_text(line, number);
        return;
    case LOG_KIND_BOOL:
        line_text(line, field->number != 0 ? "true" : "false");
        return;
    case LOG_KIND_TEXT:
        if (!slice_is_present(field->text))
            line_text(line, "null");
        else if (key_is_secret(field->key))
            line_text(line, "\"[redacted]\"");
        else
            line_quoted(line, field->text);
        return;
    }
    ENSURE(false);
}

static void line_start(struct line *line, enum log_level level, const char *event)
{
    char now[CLOCK_TEXT_BYTES];
    clock_text(clock_wall_ms(), now);

    line_text(line, "{\"time\":\"");
    line_text(line, now);
    line_text(line, "\",\"severity\":\"");
    line_text(line, log_level_name(level));
    line_text(line, "\",\"message\":");
    line_quoted(line, slice_from_text(event));
}

/* One write, of no more than a pipe takes whole, and only to somebody who is ready: a
 * reader that stands still costs us lines, never time. */
static void line_send(const struct line *line)
{
    ENSURE(pthread_rwlock_rdlock(&sink_lock) == 0);
    struct pollfd poller = { .fd = sink_fd, .events = POLLOUT };
    ssize_t written = -1;

    if (poll(&poller, 1, 0) == 1 && poller.revents == POLLOUT)
        written = write(sink_fd, line->bytes, line->size);
    ENSURE(pthread_rwlock_unlock(&sink_lock) == 0);
    counter_add(written == (ssize_t)line->size ? COUNTER_LOG_LINES : COUNTER_LOG_DROPPED,
                1);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    if (!log_shows(level))
        return;

    int saved = errno;
    struct line line;
    line.size = 0;
    line.failed = false;
    line_start(&line, level, event);
    for (size_t i = 0; i < count && !line.failed; i++) {
        size_t whole = line.size;
        line_text(&line, ",\"");
        line_text(&line, fields[i].key);
        line_text(&line, "\":");
        line_value(&line, &fields[i]);
        if (line.failed)
            line.size = whole;
    }
    const char *end = line.failed ? CUT_MARK : "}\n";
    memcpy(line.bytes + line.size, end, strlen(end));
    line.size += strlen(end);
    line_send(&line);
    errno = saved;
}

bool log_shows(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&sink_level, memory_order_relaxed);
}

void log_set_level(enum log_level level)
{
    ENSURE((unsigned)level < LOG_LEVEL_COUNT);
    atomic_store_explicit(&sink_level, (int)level, memory_order_relaxed);
}

bool log_level_parse(struct slice text, enum log_level *ret_level)
{
    for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++) {
        if (slice_equal_text(text, LEVELS[i])) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

const char *log_level_name(enum log_level level)
{
    ENSURE((unsigned)level < LOG_LEVEL_COUNT);
    return LEVELS[level];
}

enum err log_open(const char *path)
{
    int fd = STDERR_FILENO;
    if (path != NULL) {
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
        if (fd < 0)
            return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    }

    ENSURE(pthread_rwlock_wrlock(&sink_lock) == 0);
    int old = sink_fd;
    sink_fd = fd;
    ENSURE(pthread_rwlock_unlock(&sink_lock) == 0);
    if (old != STDERR_FILENO && old != fd)
        (void)close(old);
    return ERR_OK;
}
