/*
 * writer.h - the one builder of JSON text.
 *
 * Writes into a buffer of the caller's, whose failure is sticky; commas and colons are
 * the writer's business. Misuse (a value without key inside an object, unbalanced ends)
 * is a bug and ENSUREd.
 */
#ifndef JSON_WRITER_H
#define JSON_WRITER_H

#include "base/buffer.h"

enum { JSON_WRITER_DEPTH_MAX = 64 };

struct json_writer {
    struct buffer *buffer;
    uint32_t depth;
    bool comma[JSON_WRITER_DEPTH_MAX];  /* an element stands before, at each depth */
    bool object[JSON_WRITER_DEPTH_MAX]; /* a container is an object, at each depth */
    bool after_key;
};

void json_writer_init(struct json_writer *writer, struct buffer *buffer);

void json_object_begin(struct json_writer *writer);
void json_object_end(struct json_writer *writer);
void json_array_begin(struct json_writer *writer);
void json_array_end(struct json_writer *writer);

void json_key(struct json_writer *writer, struct slice key);
void json_key_text(struct json_writer *writer, const char *key);

void json_null(struct json_writer *writer);
void json_bool(struct json_writer *writer, bool value);
void json_i64(struct json_writer *writer, int64_t value);
void json_u64(struct json_writer *writer, uint64_t value);

/* Escapes what RFC 8259 asks for; invalid UTF-8 becomes U+FFFD. */
void json_string(struct json_writer *writer, struct slice text);
void json_string_text(struct json_writer *writer, const char *text);

/* Bytes that are already JSON, as they are. */
void json_raw(struct json_writer *writer, struct slice json);

#endif
