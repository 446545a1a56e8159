#include "base/hash.h"

#include <string.h>

/* Reflected polynomial 0x1EDC6F41, four bits at a time. */
static const uint32_t CRC_NIBBLES[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
    0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
    0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t crc_plain(uint32_t crc, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ CRC_NIBBLES[crc & 15];
        crc = crc >> 4 ^ CRC_NIBBLES[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_native(uint32_t crc,
                                                             const uint8_t *bytes,
                                                             size_t size)
{
    uint64_t wide = crc;
    for (; size >= 8; bytes += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; size > 0; bytes++, size--)
        crc = __builtin_ia32_crc32qi(crc, *bytes);
    return crc;
}

static uint32_t crc_best(uint32_t crc, const uint8_t *bytes, size_t size)
{
    return __builtin_cpu_supports("sse4.2") ? crc_native(crc, bytes, size)
                                            : crc_plain(crc, bytes, size);
}
#else
static uint32_t crc_best(uint32_t crc, const uint8_t *bytes, size_t size)
{
    return crc_plain(crc, bytes, size);
}
#endif

uint32_t crc32c_update(uint32_t crc, struct slice bytes)
{
    return ~crc_best(~crc, (const uint8_t *)bytes.data, bytes.size);
}

static uint64_t rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t word_little(const char *bytes, size_t size)
{
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)(uint8_t)bytes[i] << (8 * i);
    return word;
}

uint64_t siphash(struct siphash_key key, struct slice bytes)
{
    uint64_t v[4] = {
        key.words[0] ^ 0x736f6d6570736575U,
        key.words[1] ^ 0x646f72616e646f6dU,
        key.words[0] ^ 0x6c7967656e657261U,
        key.words[1] ^ 0x7465646279746573U,
    };
    size_t whole = bytes.size / 8 * 8;

    for (size_t at = 0; at < whole; at += 8) {
        uint64_t word = word_little(bytes.data + at, 8);
        v[3] ^= word;
        sip_round(v);
        sip_round(v);
        v[0] ^= word;
    }

    uint64_t last = (uint64_t)bytes.size << 56;
    if (bytes.size > whole)
        last |= word_little(bytes.data + whole, bytes.size - whole);
    v[3] ^= last;
    sip_round(v);
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void hex_encode(char *target, const void *bytes, size_t size)
{
    static const char DIGITS[] = "0123456789abcdef";
    const uint8_t *source = bytes;
    for (size_t i = 0; i < size; i++) {
        target[2 * i] = DIGITS[source[i] >> 4];
        target[2 * i + 1] = DIGITS[source[i] & 15];
    }
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool hex_decode(void *target, size_t size, struct slice text)
{
    if (text.size / 2 != size || text.size % 2 != 0)
        return false;
    uint8_t *bytes = target;
    for (size_t i = 0; i < size; i++) {
        int high = hex_value(text.data[2 * i]);
        int low = hex_value(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
