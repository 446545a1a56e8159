/*
 * Goal: the checksums and hashes are the published ones.
 * Method: the vectors of RFC 3720 (B.4) and of the SipHash paper's reference, and parts
 * fed one by one.
 */
#include "base/hash.h"

#include <string.h>

#include "cmocka_all.h"

static void crc32c_gives_the_published_sums(void **state)
{
    (void)state;
    uint8_t bytes[32];
    assert_int_equal(crc32c_update(0, SLICE_OF("123456789")), 0xe3069283);
    assert_int_equal(crc32c_update(0, SLICE_OF("")), 0);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c_update(0, slice_make(bytes, 32)), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c_update(0, slice_make(bytes, 32)), 0x62a8ab43);
    for (size_t i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(crc32c_update(0, slice_make(bytes, 32)), 0x46dd794e);
    for (size_t i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(31 - i);
    assert_int_equal(crc32c_update(0, slice_make(bytes, 32)), 0x113fdb5c);
}

static void crc32c_of_parts_is_that_of_the_whole(void **state)
{
    (void)state;
    struct slice text = SLICE_OF("the quick brown fox jumps over the lazy dog");
    uint32_t whole = crc32c_update(0, text);
    for (size_t cut = 0; cut <= text.size; cut++) {
        uint32_t front = crc32c_update(0, slice_make(text.data, cut));
        assert_int_equal(crc32c_update(front, slice_skip(text, cut)), whole);
    }
}

static void siphash_gives_the_published_values(void **state)
{
    (void)state;
    static const struct siphash_key KEY = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
    uint8_t bytes[15];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    assert_true(siphash(KEY, slice_make(bytes, 0)) == 0x726fdb47dd0e0e31);
    assert_true(siphash(KEY, slice_make(bytes, 1)) == 0x74f839c593dc67fd);
    assert_true(siphash(KEY, slice_make(bytes, 8)) == 0x93f5f5799a932462);
    assert_true(siphash(KEY, slice_make(bytes, 15)) == 0xa129ca6149be45e5);
}

static void siphash_depends_on_all_of_its_key(void **state)
{
    (void)state;
    uint64_t plain = siphash((struct siphash_key){ { 0, 0 } }, SLICE_OF("x"));
    for (int bit = 0; bit < 64; bit++) {
        struct siphash_key front = { { (uint64_t)1 << bit, 0 } };
        struct siphash_key back = { { 0, (uint64_t)1 << bit } };
        assert_true(siphash(front, SLICE_OF("x")) != plain);
        assert_true(siphash(back, SLICE_OF("x")) != plain);
    }
}

static void hex_goes_there_and_back(void **state)
{
    (void)state;
    uint8_t bytes[256];
    uint8_t back[256];
    char text[512];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    hex_encode(text, bytes, sizeof bytes);
    assert_memory_equal(text, "000102", 6);
    assert_memory_equal(text + 508, "feff", 4);
    assert_true(hex_decode(back, sizeof back, slice_make(text, sizeof text)));
    assert_memory_equal(bytes, back, sizeof bytes);
    assert_true(hex_decode(back, 2, SLICE_OF("AbCd")));
    assert_memory_equal(back, "\xab\xcd", 2);
}

static void what_is_not_hex_is_refused(void **state)
{
    (void)state;
    uint8_t back[4];
    assert_false(hex_decode(back, 2, SLICE_OF("abc")));
    assert_false(hex_decode(back, 2, SLICE_OF("abcde")));
    assert_false(hex_decode(back, 2, SLICE_OF("abcg")));
    assert_false(hex_decode(back, 2, SLICE_OF("ab d")));
    assert_false(hex_decode(back, 2, SLICE_OF("ab\0d")));
    assert_true(hex_decode(back, 0, SLICE_OF("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_gives_the_published_sums),
        cmocka_unit_test(crc32c_of_parts_is_that_of_the_whole),
        cmocka_unit_test(siphash_gives_the_published_values),
        cmocka_unit_test(siphash_depends_on_all_of_its_key),
        cmocka_unit_test(hex_goes_there_and_back),
        cmocka_unit_test(what_is_not_hex_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
