#include "store/segment.h"

#include "base/hash.h"
#include "base/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    KIND_HEAD = 1,
    KIND_RECORD = 2,
    FRAME_BYTES = 8,
};

#define SUFFIX ".journal"

static void u32_put(char *target, uint32_t number)
{
    for (int i = 3; i >= 0; i--, number >>= 8)
        target[i] = (char)(number & 0xff);
}

/* The frame's first bytes, for a body of which `more` follows what the buffer has. */
static void frame_close(struct buffer *buffer, size_t start, struct slice more)
{
    if (buffer_failed(buffer))
        return;
    char *frame = buffer->data + start;
    size_t held = buffer->size - start - FRAME_BYTES;
    u32_put(frame, (uint32_t)(held + more.size));
    uint32_t crc = crc32c_update(0, slice_make(frame, 4));
    crc = crc32c_update(crc, slice_make(frame + FRAME_BYTES, held));
    u32_put(frame + 4, crc32c_update(crc, more));
}

static size_t frame_begin(struct buffer *buffer, uint8_t kind)
{
    size_t start = buffer->size;
    pack_u64(buffer, 0);
    pack_u8(buffer, kind);
    return start;
}

void segment_head_pack(const struct segment_head *head, struct buffer *buffer)
{
    size_t start = frame_begin(buffer, KIND_HEAD);
    pack_u8(buffer, SEGMENT_FORMAT);
    pack_u64(buffer, head->instance);
    pack_u64(buffer, head->epoch);
    pack_u64(buffer, head->position);
    pack_u64(buffer, head->begin);
    pack_i64(buffer, head->wall_ms);
    pack_slice(buffer, head->program);
    pack_slice(buffer, head->settings);
    frame_close(buffer, start, (struct slice){ NULL, 0 });
}

void segment_record_pack(const struct segment_record *record, struct buffer *buffer)
{
    size_t start = frame_begin(buffer, KIND_RECORD);
    pack_u64(buffer, record->before);
    pack_u64(buffer, record->after);
    pack_u64(buffer, record->event_before);
    pack_u64(buffer, record->event_last);
    pack_i64(buffer, record->now_ms);
    pack_i64(buffer, record->wall_ms);
    frame_close(buffer, start, record->commands);
}

void segment_name(uint64_t number, char ret_name[SEGMENT_NAME_BYTES])
{
    (void)snprintf(ret_name, SEGMENT_NAME_BYTES, "%016" PRIx64 SUFFIX, number);
}

bool segment_name_parse(const char *name, uint64_t *ret_number)
{
    uint8_t bytes[8];
    if (strlen(name) != SEGMENT_NAME_BYTES - 1 || strcmp(name + 16, SUFFIX) != 0 ||
        !hex_decode(bytes, sizeof bytes, slice_make(name, 16)))
        return false;
    *ret_number = get_u64(bytes);
    return true;
}

/* ERR_NOT_FOUND: there are not so many bytes. */
static enum err read_whole(int fd, char *target, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t taken = pread(fd, target, size, (off_t)offset);
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken < 0)
            return ERR_IO;
        if (taken == 0)
            return ERR_NOT_FOUND;
        target += taken;
        size -= (size_t)taken;
        offset += (uint64_t)taken;
    }
    return ERR_OK;
}

/* The body of the frame at the reader's offset; ERR_NOT_FOUND: no whole one is there. */
static enum err frame_next(struct segment_reader *reader, size_t bytes_max,
                           struct unpack *ret_body)
{
    char frame[FRAME_BYTES];
    enum err err = read_whole(reader->fd, frame, sizeof frame, reader->offset);
    if (err != ERR_OK)
        return err;
    struct unpack head = unpack_start(slice_make(frame, sizeof frame));
    size_t size = unpack_u32(&head);
    uint32_t crc = unpack_u32(&head);
    if (size == 0 || size > bytes_max)
        return ERR_NOT_FOUND;
    buffer_clear(&reader->buffer);
    char *body = buffer_extend(&reader->buffer, size);
    if (body == NULL)
        return ERR_MEMORY;
    err = read_whole(reader->fd, body, size, reader->offset + FRAME_BYTES);
    if (err != ERR_OK)
        return err;
    uint32_t found =
        crc32c_update(crc32c_update(0, slice_make(frame, 4)), slice_make(body, size));
    if (found != crc)
        return ERR_NOT_FOUND;
    reader->offset += FRAME_BYTES + size;
    *ret_body = unpack_start(slice_make(body, size));
    return ERR_OK;
}

static enum err head_read(struct segment_reader *reader)
{
    struct unpack body;
    struct segment_head *head = &reader->head;
    enum err err = frame_next(reader, SEGMENT_HEAD_BYTES_MAX, &body);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    if (unpack_u8(&body) != KIND_HEAD)
        return ERR_CORRUPT;
    if (unpack_u8(&body) != SEGMENT_FORMAT)
        return ERR_UNSUPPORTED;
    head->instance = unpack_u64(&body);
    head->epoch = unpack_u64(&body);
    head->position = unpack_u64(&body);
    head->begin = unpack_u64(&body);
    head->wall_ms = unpack_i64(&body);
    struct slice program = unpack_slice(&body);
    struct slice settings = unpack_slice(&body);
    if (!unpack_done(&body) || program.size > sizeof reader->program)
        return ERR_CORRUPT;
    if (program.size > 0)
        memcpy(reader->program, program.data, program.size);
    head->program = slice_make(reader->program, program.size);
    buffer_append_slice(&reader->settings, settings);
    head->settings = buffer_slice(&reader->settings);
    return buffer_failed(&reader->settings) ? ERR_MEMORY : ERR_OK;
}

enum err segment_open(int directory, uint64_t number, struct segment_reader *ret_reader)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(number, name);
    *ret_reader = (struct segment_reader){ 0 };
    ret_reader->fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (ret_reader->fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    buffer_init(&ret_reader->buffer, SEGMENT_RECORD_BYTES_MAX);
    buffer_init(&ret_reader->settings, SEGMENT_HEAD_BYTES_MAX);
    enum err err = head_read(ret_reader);
    if (err != ERR_OK)
        segment_close(ret_reader);
    return err;
}

enum err segment_next(struct segment_reader *reader, struct segment_record *ret_record)
{
    struct unpack body;
    enum err err = frame_next(reader, SEGMENT_RECORD_BYTES_MAX, &body);
    if (err != ERR_OK)
        return err;
    if (unpack_u8(&body) != KIND_RECORD)
        return ERR_NOT_FOUND;
    struct segment_record record = { .before = unpack_u64(&body) };
    record.after = unpack_u64(&body);
    record.event_before = unpack_u64(&body);
    record.event_last = unpack_u64(&body);
    record.now_ms = unpack_i64(&body);
    record.wall_ms = unpack_i64(&body);
    if (body.failed)
        return ERR_NOT_FOUND;
    record.commands = body.rest;
    *ret_record = record;
    return ERR_OK;
}

void segment_close(struct segment_reader *reader)
{
    if (reader->fd >= 0)
        (void)close(reader->fd);
    buffer_finish(&reader->buffer);
    buffer_finish(&reader->settings);
    *reader = (struct segment_reader){ .fd = -1 };
}
