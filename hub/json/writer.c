#include "json/writer.h"

#include "base/ensure.h"
#include "json/scan.h"

void json_writer_init(struct json_writer *writer, struct buffer *buffer)
{
    *writer = (struct json_writer){ .buffer = buffer };
}

static bool in_object(const struct json_writer *writer)
{
    return writer->depth > 0 && writer->object[writer->depth];
}

static void comma_put(struct json_writer *writer)
{
    if (writer->comma[writer->depth])
        buffer_append_byte(writer->buffer, ',');
    writer->comma[writer->depth] = true;
}

/* What every value begins with. */
static void value_begin(struct json_writer *writer)
{
    ENSURE(writer->after_key == in_object(writer));
    ENSURE(writer->depth > 0 || !writer->comma[0]); /* one value at the top */
    if (writer->after_key)
        writer->after_key = false;
    else
        comma_put(writer);
}

static void container_begin(struct json_writer *writer, bool object)
{
    value_begin(writer);
    ENSURE(writer->depth + 1 < JSON_WRITER_DEPTH_MAX);
    writer->depth++;
    writer->comma[writer->depth] = false;
    writer->object[writer->depth] = object;
    buffer_append_byte(writer->buffer, object ? '{' : '[');
}

static void container_end(struct json_writer *writer, bool object)
{
    ENSURE(writer->depth > 0);
    ENSURE(writer->object[writer->depth] == object);
    ENSURE(!writer->after_key);
    writer->depth--;
    buffer_append_byte(writer->buffer, object ? '}' : ']');
}

void json_object_begin(struct json_writer *writer)
{
    container_begin(writer, true);
}

void json_object_end(struct json_writer *writer)
{
    container_end(writer, true);
}

void json_array_begin(struct json_writer *writer)
{
    container_begin(writer, false);
}

void json_array_end(struct json_writer *writer)
{
    container_end(writer, false);
}

static void escape_put(struct buffer *buffer, uint8_t byte)
{
    static const char DIGITS[] = "0123456789abcdef";
    char text[6] = { '\\', 0, '0', '0', DIGITS[byte >> 4], DIGITS[byte & 15] };
    size_t size = 2;
    switch (byte) {
    case '"':
    case '\\':
        text[1] = (char)byte;
        break;
    case '\b':
        text[1] = 'b';
        break;
    case '\f':
        text[1] = 'f';
        break;
    case '\n':
        text[1] = 'n';
        break;
    case '\r':
        text[1] = 'r';
        break;
    case '\t':
        text[1] = 't';
        break;
    default:
        text[1] = 'u';
        size = 6;
        break;
    }
    buffer_append(buffer, text, size);
}

/* How many bytes from the start go out as they are. */
static size_t plain_size(struct slice text)
{
    size_t at = 0;
    while (at < text.size) {
        uint8_t byte = (uint8_t)text.data[at];
        if (byte < ' ' || byte == '"' || byte == '\\')
            break;
        size_t step =
            byte < 0x80 ? 1 : scan_sequence(text.data + at, text.data + text.size);
        if (step == 0)
            break;
        at += step;
    }
    return at;
}

static void quoted_put(struct buffer *buffer, struct slice text)
{
    buffer_append_byte(buffer, '"');
    while (text.size > 0) {
        size_t plain = plain_size(text);
        buffer_append(buffer, text.data, plain);
        text = slice_skip(text, plain);
        if (text.size == 0)
            break;
        if ((uint8_t)text.data[0] >= 0x80)
            buffer_append_text(buffer, "\xef\xbf\xbd");
        else
            escape_put(buffer, (uint8_t)text.data[0]);
        text = slice_skip(text, 1);
    }
    buffer_append_byte(buffer, '"');
}

void json_key(struct json_writer *writer, struct slice key)
{
    ENSURE(in_object(writer) && !writer->after_key);
    comma_put(writer);
    quoted_put(writer->buffer, key);
    buffer_append_byte(writer->buffer, ':');
    writer->after_key = true;
}

void json_key_text(struct json_writer *writer, const char *key)
{
    json_key(writer, slice_from_text(key));
}

void json_null(struct json_writer *writer)
{
    value_begin(writer);
    buffer_append_text(writer->buffer, "null");
}

void json_bool(struct json_writer *writer, bool value)
{
    value_begin(writer);
    buffer_append_text(writer->buffer, value ? "true" : "false");
}

void json_i64(struct json_writer *writer, int64_t value)
{
    value_begin(writer);
    buffer_append_i64(writer->buffer, value);
}

void json_u64(struct json_writer *writer, uint64_t value)
{
    value_begin(writer);
    buffer_append_u64(writer->buffer, value);
}

void json_string(struct json_writer *writer, struct slice text)
{
    value_begin(writer);
    quoted_put(writer->buffer, text);
}

void json_string_text(struct json_writer *writer, const char *text)
{
    json_string(writer, slice_from_text(text));
}

void json_raw(struct json_writer *writer, struct slice json)
{
    ENSURE(json.size > 0);
    value_begin(writer);
    buffer_append_slice(writer->buffer, json);
}
