#include "base/pack.h"

#include <string.h>

/* Marks an absent slice; no record comes near this size. */
#define ABSENT UINT32_MAX

static const uint64_t SIGN = (uint64_t)1 << 63;

static void pack_number(struct buffer *buffer, uint64_t number, size_t bytes)
{
    char *target = buffer_extend(buffer, bytes);
    for (size_t i = 0; target != NULL && i < bytes; i++)
        target[i] = (char)(uint8_t)(number >> (8 * (bytes - 1 - i)));
}

void pack_u8(struct buffer *buffer, uint8_t number)
{
    pack_number(buffer, number, 1);
}

void pack_u16(struct buffer *buffer, uint16_t number)
{
    pack_number(buffer, number, 2);
}

void pack_u32(struct buffer *buffer, uint32_t number)
{
    pack_number(buffer, number, 4);
}

void pack_u64(struct buffer *buffer, uint64_t number)
{
    pack_number(buffer, number, 8);
}

void pack_i64(struct buffer *buffer, int64_t number)
{
    pack_number(buffer, (uint64_t)number ^ SIGN, 8);
}

void pack_slice(struct buffer *buffer, struct slice slice)
{
    if (!slice_is_present(slice)) {
        pack_u32(buffer, ABSENT);
        return;
    }
    if (slice.size >= ABSENT) {
        buffer->failed = true;
        return;
    }
    pack_u32(buffer, (uint32_t)slice.size);
    buffer_append_slice(buffer, slice);
}

struct slice unpack_bytes(struct unpack *unpack, size_t size)
{
    if (unpack->failed || unpack->rest.size < size) {
        unpack->failed = true;
        return SLICE_OF("");
    }
    struct slice taken = { unpack->rest.data, size };
    unpack->rest = slice_skip(unpack->rest, size);
    return taken;
}

static uint64_t unpack_number(struct unpack *unpack, size_t bytes)
{
    struct slice taken = unpack_bytes(unpack, bytes);
    uint64_t number = 0;
    for (size_t i = 0; i < taken.size; i++)
        number = number << 8 | (uint8_t)taken.data[i];
    return number;
}

uint8_t unpack_u8(struct unpack *unpack)
{
    return (uint8_t)unpack_number(unpack, 1);
}

uint16_t unpack_u16(struct unpack *unpack)
{
    return (uint16_t)unpack_number(unpack, 2);
}

uint32_t unpack_u32(struct unpack *unpack)
{
    return (uint32_t)unpack_number(unpack, 4);
}

uint64_t unpack_u64(struct unpack *unpack)
{
    return unpack_number(unpack, 8);
}

int64_t unpack_i64(struct unpack *unpack)
{
    uint64_t number = unpack_number(unpack, 8);
    return unpack->failed ? 0 : (int64_t)(number ^ SIGN);
}

struct slice unpack_slice(struct unpack *unpack)
{
    uint32_t size = unpack_u32(unpack);
    if (size == ABSENT)
        return (struct slice){ NULL, 0 };
    return unpack_bytes(unpack, size);
}

bool unpack_done(const struct unpack *unpack)
{
    return !unpack->failed && unpack->rest.size == 0;
}

void put_u64(uint8_t target[8], uint64_t number)
{
    for (int i = 7; i >= 0; i--) {
        target[i] = (uint8_t)number;
        number >>= 8;
    }
}

uint64_t get_u64(const uint8_t source[8])
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | source[i];
    return number;
}
