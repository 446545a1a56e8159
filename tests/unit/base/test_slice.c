/*
 * Goal: borrowed bytes compare, cut and parse at every edge.
 * Method: small literals; the absent slice next to the empty one.
 */
#include "base/slice.h"

#include "cmocka_all.h"

static const struct slice ABSENT = { NULL, 0 };

static void absent_and_empty_are_equal_but_told_apart(void **state)
{
    (void)state;
    assert_false(slice_is_present(ABSENT));
    assert_false(slice_is_present(slice_from_text(NULL)));
    assert_true(slice_is_present(SLICE_OF("")));
    assert_true(slice_equal(ABSENT, SLICE_OF("")));
    assert_true(slice_equal_text(ABSENT, ""));
    assert_int_equal(slice_compare(ABSENT, SLICE_OF("")), 0);
    assert_int_equal(slice_find(ABSENT, 'x'), 0);
    assert_true(slice_starts_with(ABSENT, SLICE_OF("")));
    assert_true(slice_starts_with(SLICE_OF("a"), ABSENT));
}

static void equality_is_of_bytes(void **state)
{
    (void)state;
    assert_true(slice_equal(SLICE_OF("a\0b"), slice_make("a\0b", 3)));
    assert_false(slice_equal(SLICE_OF("a\0b"), SLICE_OF("a\0c")));
    assert_false(slice_equal(SLICE_OF("ab"), SLICE_OF("abc")));
    assert_true(slice_equal_text(SLICE_OF("ab"), "ab"));
    assert_false(slice_equal_text(SLICE_OF("ab\0"), "ab"));
}

static void the_shorter_stands_before_the_longer(void **state)
{
    (void)state;
    static const struct slice RISING[] = { SLICE(""),     SLICE("\0"),   SLICE("a"),
                                           SLICE("a\0"),  SLICE("aa"),   SLICE("b"),
                                           SLICE("\x7f"), SLICE("\x80"), SLICE("\xff") };
    for (int i = 0; i < 9; i++)
        for (int j = 0; j < 9; j++) {
            int order = slice_compare(RISING[i], RISING[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
}

static void a_prefix_starts_its_slice(void **state)
{
    (void)state;
    assert_true(slice_starts_with(SLICE_OF("abc"), SLICE_OF("ab")));
    assert_true(slice_starts_with(SLICE_OF("abc"), SLICE_OF("abc")));
    assert_false(slice_starts_with(SLICE_OF("ab"), SLICE_OF("abc")));
    assert_false(slice_starts_with(SLICE_OF("xbc"), SLICE_OF("ab")));
}

static void a_byte_is_found_or_the_end_is_told(void **state)
{
    (void)state;
    assert_int_equal(slice_find(SLICE_OF("abca"), 'a'), 0);
    assert_int_equal(slice_find(SLICE_OF("abca"), 'c'), 2);
    assert_int_equal(slice_find(SLICE_OF("abca"), 'x'), 4);
    assert_int_equal(slice_find(slice_make("abc", 2), 'c'), 2);
}

static void skipping_past_the_end_leaves_nothing(void **state)
{
    (void)state;
    assert_true(slice_equal_text(slice_skip(SLICE_OF("abc"), 1), "bc"));
    assert_int_equal(slice_skip(SLICE_OF("abc"), 3).size, 0);
    assert_int_equal(slice_skip(SLICE_OF("abc"), 99).size, 0);
}

static void numbers_parse_whole_or_not_at_all(void **state)
{
    (void)state;
    static const char *const BROKEN[] = {
        "", "-", "+1", " 1", "1 ", "1x", "--1", "0x1", "1.0", "18446744073709551616"
    };
    uint64_t number = 7;
    int64_t other = 7;
    for (size_t i = 0; i < sizeof BROKEN / sizeof BROKEN[0]; i++) {
        assert_false(slice_parse_u64(slice_from_text(BROKEN[i]), &number));
        assert_false(slice_parse_i64(slice_from_text(BROKEN[i]), &other));
    }
    assert_false(slice_parse_u64(SLICE_OF("-1"), &number));
    assert_false(slice_parse_i64(SLICE_OF("9223372036854775808"), &other));
    assert_false(slice_parse_i64(SLICE_OF("-9223372036854775809"), &other));
    assert_int_equal(number, 7);
    assert_int_equal(other, 7);
}

static void numbers_parse_up_to_their_ends(void **state)
{
    (void)state;
    uint64_t number;
    int64_t other;
    assert_true(slice_parse_u64(SLICE_OF("18446744073709551615"), &number));
    assert_true(number == UINT64_MAX);
    assert_true(slice_parse_u64(SLICE_OF("007"), &number));
    assert_true(number == 7);
    assert_true(slice_parse_i64(SLICE_OF("9223372036854775807"), &other));
    assert_true(other == INT64_MAX);
    assert_true(slice_parse_i64(SLICE_OF("-9223372036854775808"), &other));
    assert_true(other == INT64_MIN);
    assert_true(slice_parse_i64(SLICE_OF("-0"), &other));
    assert_true(other == 0);
}

static void blanks_are_trimmed_at_the_ends_alone(void **state)
{
    (void)state;
    assert_true(slice_equal_text(slice_trim(SLICE_OF(" \t a b\t ")), "a b"));
    assert_true(slice_equal_text(slice_trim(SLICE_OF("ab")), "ab"));
    assert_int_equal(slice_trim(SLICE_OF(" \t ")).size, 0);
    assert_int_equal(slice_trim(SLICE_OF("")).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_and_empty_are_equal_but_told_apart),
        cmocka_unit_test(equality_is_of_bytes),
        cmocka_unit_test(the_shorter_stands_before_the_longer),
        cmocka_unit_test(a_prefix_starts_its_slice),
        cmocka_unit_test(a_byte_is_found_or_the_end_is_told),
        cmocka_unit_test(skipping_past_the_end_leaves_nothing),
        cmocka_unit_test(numbers_parse_whole_or_not_at_all),
        cmocka_unit_test(numbers_parse_up_to_their_ends),
        cmocka_unit_test(blanks_are_trimmed_at_the_ends_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
