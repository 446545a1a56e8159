/*
 * log.h - the one log: a JSON object a line, to standard error or a file.
 *
 *     LOG_WARNING("store_nearly_full", LOG_NUMBER("used_bytes", used),
 *                 LOG_TEXT("directory", directory));
 *
 * Keys `time`, `severity` and `message` come first, then the fields in their order. A
 * text is cut at LOG_TEXT_BYTES_MAX and escaped: no line break, control, invisible or
 * direction-changing character gets through. Fields named as secrets are never shown.
 *
 * Failure    None. A line nobody takes (a full disk, a stalled pipe) is dropped and
 *            counted (COUNTER_LOG_DROPPED); the caller never waits for a reader.
 * Threads    Any; a line is one write() of at most PIPE_BUF bytes, so lines never mix.
 */
#ifndef OS_LOG_H
#define OS_LOG_H

#include "base/err.h"
#include "base/slice.h"

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_NOTICE,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR
};

enum { LOG_LEVEL_COUNT = LOG_LEVEL_ERROR + 1, LOG_TEXT_BYTES_MAX = 512 };

enum log_kind { LOG_KIND_TEXT, LOG_KIND_NUMBER, LOG_KIND_BOOL };

struct log_field {
    const char *key; /* a fixed snake_case name, never from a client */
    enum log_kind kind;
    struct slice text; /* absent: null */
    int64_t number;
};

#define LOG_TEXT(key, slice)                                                             \
    {                                                                                    \
        (key), LOG_KIND_TEXT, (slice), 0                                                 \
    }
#define LOG_WORD(key, text)                                                              \
    {                                                                                    \
        (key), LOG_KIND_TEXT, slice_from_text(text), 0                                   \
    }
#define LOG_NUMBER(key, value)                                                           \
    {                                                                                    \
        (key), LOG_KIND_NUMBER, { NULL, 0 }, (int64_t)(value)                            \
    }
#define LOG_BOOL(key, value)                                                             \
    {                                                                                    \
        (key), LOG_KIND_BOOL, { NULL, 0 }, (value) ? 1 : 0                               \
    }
#define LOG_ERR(err) LOG_WORD("error", err_name(err))

/* Fields are not evaluated when the level is not shown. */
#define LOG_DEBUG(...) LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__, LOG_LAST)
#define LOG_INFO(...) LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__, LOG_LAST)
#define LOG_NOTICE(...) LOG_AT(LOG_LEVEL_NOTICE, __VA_ARGS__, LOG_LAST)
#define LOG_WARNING(...) LOG_AT(LOG_LEVEL_WARNING, __VA_ARGS__, LOG_LAST)
#define LOG_ERROR(...) LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__, LOG_LAST)

#define LOG_LAST                                                                         \
    {                                                                                    \
        NULL, LOG_KIND_TEXT, { NULL, 0 }, 0                                              \
    }
#define LOG_AT(level, event, ...)                                                        \
    (log_shows(level)                                                                    \
         ? log_write((level), (event), (const struct log_field[]){ __VA_ARGS__ },        \
                     sizeof((const struct log_field[]){ __VA_ARGS__ }) /                 \
                             sizeof(struct log_field) -                                  \
                         1)                                                              \
         : (void)0)

/* `event` is a fixed snake_case name or a short sentence, never from a client. */
void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count);

bool log_shows(enum log_level level);
void log_set_level(enum log_level level); /* LOG_LEVEL_INFO at start */

/* "debug", "info", "notice", "warning", "error"; false for any other text. */
bool log_level_parse(struct slice text, enum log_level *ret_level);
const char *log_level_name(enum log_level level);

/* Appends to `path` (created 0600) instead; NULL goes back to standard error. May be
 * called again at any time, as for rotation. */
enum err log_open(const char *path);

#endif
