/*
 * Goal: what is packed unpacks the same, sorts as its numbers do, and a short record is
 * noticed wherever it was cut.
 * Method: one record of every kind of field, cut at every byte.
 */
#include "base/pack.h"

#include "cmocka_all.h"

static struct buffer buffer;

static int buffer_start(void **state)
{
    (void)state;
    buffer_init(&buffer, 4096);
    return 0;
}

static int buffer_stop(void **state)
{
    (void)state;
    buffer_finish(&buffer);
    return 0;
}

static void record_pack(void)
{
    pack_u8(&buffer, 0xab);
    pack_u16(&buffer, 0xabcd);
    pack_u32(&buffer, 0xabcdef01);
    pack_u64(&buffer, 0xabcdef0123456789);
    pack_i64(&buffer, -2);
    pack_slice(&buffer, SLICE_OF("a\0b"));
    pack_slice(&buffer, SLICE_OF(""));
    pack_slice(&buffer, (struct slice){ NULL, 0 });
}

static void every_field_comes_back(void **state)
{
    (void)state;
    record_pack();
    struct unpack unpack = unpack_start(buffer_slice(&buffer));
    assert_int_equal(unpack_u8(&unpack), 0xab);
    assert_int_equal(unpack_u16(&unpack), 0xabcd);
    assert_int_equal(unpack_u32(&unpack), 0xabcdef01);
    assert_true(unpack_u64(&unpack) == 0xabcdef0123456789);
    assert_int_equal(unpack_i64(&unpack), -2);
    assert_true(slice_equal(unpack_slice(&unpack), SLICE_OF("a\0b")));
    struct slice empty = unpack_slice(&unpack);
    assert_true(slice_is_present(empty));
    assert_int_equal(empty.size, 0);
    assert_false(unpack_done(&unpack));
    assert_false(slice_is_present(unpack_slice(&unpack)));
    assert_true(unpack_done(&unpack));
}

static void numbers_are_big_endian(void **state)
{
    (void)state;
    pack_u16(&buffer, 0x0102);
    pack_u32(&buffer, 0x03040506);
    pack_u64(&buffer, 0x0708090a0b0c0d0e);
    assert_true(slice_equal(buffer_slice(&buffer),
                            SLICE_OF("\1\2\3\4\5\6\7\10\11\12\13\14\15\16")));
}

static void signed_numbers_sort_as_bytes(void **state)
{
    (void)state;
    static const int64_t RISING[] = { INT64_MIN, INT64_MIN + 1, -256, -1,       0,
                                      1,         255,           256,  INT64_MAX };
    size_t count = sizeof RISING / sizeof RISING[0];
    for (size_t i = 0; i < count; i++)
        pack_i64(&buffer, RISING[i]);
    for (size_t i = 0; i + 1 < count; i++)
        assert_true(slice_compare(slice_make(buffer.data + 8 * i, 8),
                                  slice_make(buffer.data + 8 * (i + 1), 8)) < 0);
    struct unpack unpack = unpack_start(buffer_slice(&buffer));
    for (size_t i = 0; i < count; i++)
        assert_true(unpack_i64(&unpack) == RISING[i]);
}

static bool record_unpack(struct slice record)
{
    struct unpack unpack = unpack_start(record);
    unpack_u8(&unpack);
    unpack_u16(&unpack);
    unpack_u32(&unpack);
    unpack_u64(&unpack);
    unpack_i64(&unpack);
    unpack_slice(&unpack);
    unpack_slice(&unpack);
    unpack_slice(&unpack);
    return unpack_done(&unpack);
}

static void a_record_cut_anywhere_is_noticed(void **state)
{
    (void)state;
    record_pack();
    size_t size = buffer.size;
    for (size_t cut = 0; cut < size; cut++)
        assert_false(record_unpack(slice_make(buffer.data, cut)));
    assert_true(record_unpack(buffer_slice(&buffer)));
    pack_u8(&buffer, 0);
    assert_false(record_unpack(buffer_slice(&buffer))); /* nor may anything be left */
}

static void after_the_end_only_zeros_come(void **state)
{
    (void)state;
    pack_u16(&buffer, 0xffff);
    struct unpack unpack = unpack_start(buffer_slice(&buffer));
    assert_int_equal(unpack_u32(&unpack), 0);
    assert_int_equal(unpack_u8(&unpack), 0); /* though a byte would be there */
    assert_int_equal(unpack_i64(&unpack), 0);
    assert_int_equal(unpack_slice(&unpack).size, 0);
    assert_int_equal(unpack_bytes(&unpack, 1).size, 0);
    assert_false(unpack_done(&unpack));
}

static void a_size_beyond_the_record_is_noticed(void **state)
{
    (void)state;
    pack_u32(&buffer, 0xfffffffe);
    pack_u8(&buffer, 'x');
    struct unpack unpack = unpack_start(buffer_slice(&buffer));
    assert_int_equal(unpack_slice(&unpack).size, 0);
    assert_false(unpack_done(&unpack));
}

static void keys_are_put_and_got_in_place(void **state)
{
    (void)state;
    uint8_t bytes[8];
    put_u64(bytes, 0x0102030405060708);
    assert_memory_equal(bytes, "\1\2\3\4\5\6\7\10", 8);
    assert_true(get_u64(bytes) == 0x0102030405060708);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, buffer_start, buffer_stop)
    const struct CMUnitTest tests[] = {
        TEST(every_field_comes_back),        TEST(numbers_are_big_endian),
        TEST(signed_numbers_sort_as_bytes),  TEST(a_record_cut_anywhere_is_noticed),
        TEST(after_the_end_only_zeros_come), TEST(a_size_beyond_the_record_is_noticed),
        TEST(keys_are_put_and_got_in_place),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
