/*
 * hash.h - checksums and hashes of bytes.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/slice.h"

/* CRC32C (Castagnoli, RFC 3720 appendix B.4). Start with 0; feed parts in order. */
uint32_t crc32c_update(uint32_t crc, struct slice bytes);

/* SipHash-2-4 (Aumasson and Bernstein, 2012): 64 bits under a 128-bit key. Tables whose
 * keys come from clients use a random key; rows use a fixed one. */
struct siphash_key {
    uint64_t words[2];
};

uint64_t siphash(struct siphash_key key, struct slice bytes);

/* Lower-case hex, 2 * size characters, no NUL. */
void hex_encode(char *target, const void *bytes, size_t size);

/* False unless text is exactly 2 * size hex digits (either case). */
bool hex_decode(void *target, size_t size, struct slice text);

#endif
