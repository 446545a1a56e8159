/*
 * Goal: a buffer grows to its bound, never past it, and remembers the first failure.
 * Method: bounds below, at and above what is written.
 */
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

static void bytes_stand_in_the_order_they_came(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 4096);
    assert_true(slice_equal_text(buffer_slice(&buffer), ""));
    assert_true(slice_is_present(buffer_slice(&buffer)));
    buffer_append_text(&buffer, "a");
    buffer_append_byte(&buffer, '\0');
    buffer_append_slice(&buffer, SLICE_OF("bc"));
    buffer_append(&buffer, NULL, 0);
    assert_true(slice_equal(buffer_slice(&buffer), SLICE_OF("a\0bc")));
    buffer_finish(&buffer);
    assert_int_equal(buffer.size, 0);
}

static void numbers_are_written_to_their_ends(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 4096);
    buffer_append_u64(&buffer, 0);
    buffer_append_byte(&buffer, ' ');
    buffer_append_u64(&buffer, UINT64_MAX);
    buffer_append_byte(&buffer, ' ');
    buffer_append_i64(&buffer, INT64_MIN);
    buffer_append_byte(&buffer, ' ');
    buffer_append_i64(&buffer, INT64_MAX);
    assert_true(slice_equal_text(
        buffer_slice(&buffer),
        "0 18446744073709551615 -9223372036854775808 9223372036854775807"));
    buffer_finish(&buffer);
}

static void the_bound_is_reached_and_not_passed(void **state)
{
    (void)state;
    static const size_t BOUNDS[] = { 0, 1, 8, 255, 256, 257, 1000, 5000 };
    for (size_t i = 0; i < sizeof BOUNDS / sizeof BOUNDS[0]; i++) {
        struct buffer buffer;
        buffer_init(&buffer, BOUNDS[i]);
        for (size_t j = 0; j < BOUNDS[i]; j++)
            buffer_append_byte(&buffer, 'x');
        assert_false(buffer_failed(&buffer));
        assert_int_equal(buffer.size, BOUNDS[i]);
        buffer_append_byte(&buffer, 'x');
        assert_true(buffer_failed(&buffer));
        assert_int_equal(buffer.size, BOUNDS[i]);
        buffer_finish(&buffer);
    }
}

static void a_failure_sticks_until_cleared(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 10);
    buffer_append_text(&buffer, "12345678901");
    buffer_append_text(&buffer, "1"); /* would fit */
    assert_true(buffer_failed(&buffer));
    assert_int_equal(buffer.size, 0);
    assert_null(buffer_extend(&buffer, 1));
    buffer_clear(&buffer);
    assert_false(buffer_failed(&buffer));
    buffer_append_text(&buffer, "1");
    assert_true(slice_equal_text(buffer_slice(&buffer), "1"));
    assert_null(buffer_extend(&buffer, SIZE_MAX));
    assert_true(buffer_failed(&buffer));
    buffer_finish(&buffer);
}

static void extended_bytes_are_the_callers_to_fill(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100000);
    for (int i = 0; i < 1000; i++) {
        char *bytes = buffer_extend(&buffer, 7);
        assert_non_null(bytes);
        memset(bytes, 'a' + i % 26, 7);
    }
    assert_int_equal(buffer.size, 7000);
    for (size_t i = 0; i < 7000; i++)
        assert_int_equal(buffer.data[i], 'a' + (int)(i / 7 % 26));
    buffer_finish(&buffer);
}

static void released_bytes_belong_to_the_caller(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    buffer_append_text(&buffer, "mine");
    size_t size;
    char *bytes = buffer_release(&buffer, &size);
    assert_int_equal(size, 4);
    assert_memory_equal(bytes, "mine", 4);
    assert_int_equal(buffer.size, 0);
    buffer_append_text(&buffer, "anew");
    assert_memory_equal(bytes, "mine", 4);
    free(bytes);
    buffer_finish(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_stand_in_the_order_they_came),
        cmocka_unit_test(numbers_are_written_to_their_ends),
        cmocka_unit_test(the_bound_is_reached_and_not_passed),
        cmocka_unit_test(a_failure_sticks_until_cleared),
        cmocka_unit_test(extended_bytes_are_the_callers_to_fill),
        cmocka_unit_test(released_bytes_belong_to_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
