/*
 * pack.h - numbers and bytes laid end to end, big-endian, for keys and records.
 *
 * The writer appends to a buffer of the caller's (failure is sticky there). The reader
 * walks a borrowed slice; its failure is sticky too: past the end every take gives zero
 * or the empty slice, and unpack_done() is false.
 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include "base/buffer.h"

void pack_u8(struct buffer *buffer, uint8_t number);
void pack_u16(struct buffer *buffer, uint16_t number);
void pack_u32(struct buffer *buffer, uint32_t number);
void pack_u64(struct buffer *buffer, uint64_t number);

/* Keeps the order of signed numbers under memcmp. */
void pack_i64(struct buffer *buffer, int64_t number);

/* A 32-bit size, then the bytes. An absent slice is told from an empty one. */
void pack_slice(struct buffer *buffer, struct slice slice);

struct unpack {
    struct slice rest;
    bool failed;
};

static inline struct unpack unpack_start(struct slice slice)
{
    return (struct unpack){ .rest = slice };
}

uint8_t unpack_u8(struct unpack *unpack);
uint16_t unpack_u16(struct unpack *unpack);
uint32_t unpack_u32(struct unpack *unpack);
uint64_t unpack_u64(struct unpack *unpack);
int64_t unpack_i64(struct unpack *unpack);
struct slice unpack_slice(struct unpack *unpack); /* borrows from the walked slice */
struct slice unpack_bytes(struct unpack *unpack, size_t size);

/* True when every take succeeded and nothing is left. */
bool unpack_done(const struct unpack *unpack);

/* For fixed-size keys built in place. */
void put_u64(uint8_t target[8], uint64_t number);
uint64_t get_u64(const uint8_t source[8]);

#endif
