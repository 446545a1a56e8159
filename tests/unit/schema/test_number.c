/*
 * Goal: comparison and division of numbers as written are exact.
 * Method: tables of texts; the whole numbers against the machine's own arithmetic.
 */
#include "schema/number.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"

static struct decimal decimal(const char *text)
{
    return decimal_read(slice_from_text(text));
}

static int compare(const char *one, const char *other)
{
    struct decimal left = decimal(one);
    struct decimal right = decimal(other);
    return decimal_compare(&left, &right);
}

static bool multiple(const char *one, const char *divisor)
{
    struct decimal left = decimal(one);
    struct decimal right = decimal(divisor);
    return decimal_is_multiple(&left, &right);
}

static void equal_numbers_compare_equal_however_written(void **state)
{
    (void)state;
    static const char *const ROWS[][2] = {
        { "0", "-0" },       { "0", "0.000" },       { "0e5", "-0.0e-7" },
        { "1", "1.0" },      { "100", "1e2" },       { "100", "1E+2" },
        { "0.001", "1e-3" }, { "12.50", "1250e-2" }, { "-7", "-0.7e1" },
        { "10", "1.00e1" },  { "0.0012", "1.2e-3" }, { "1000", "1000.00" },
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        assert_int_equal(compare(ROWS[i][0], ROWS[i][1]), 0);
        struct json_node one = { .kind = JSON_NUMBER,
                                 .raw = slice_from_text(ROWS[i][0]) };
        struct json_node other = { .kind = JSON_NUMBER,
                                   .raw = slice_from_text(ROWS[i][1]) };
        assert_true(number_hash(&one) == number_hash(&other));
        assert_int_equal(number_compare(&one, &other), 0);
    }
}

static void numbers_stand_in_their_order(void **state)
{
    (void)state;
    static const char *const RISING[] = {
        "-1e1000000",
        "-123456789012345678901234567891",
        "-123456789012345678901234567890.5",
        "-2",
        "-1.5",
        "-1",
        "-1e-400",
        "0",
        "1e-400",
        "0.00099",
        "0.001",
        "0.1",
        "0.10001",
        "1",
        "1.0000000000000000000000001",
        "9",
        "9.5",
        "10",
        "99",
        "100.1",
        "9223372036854775807",
        "9223372036854775808",
        "1e400",
        "1.1e400",
    };
    size_t count = sizeof RISING / sizeof RISING[0];
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            assert_int_equal(compare(RISING[i], RISING[j]), (i > j) - (i < j));
}

static void whole_numbers_are_told_by_value(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool whole;
    } ROWS[] = {
        { "0", true },       { "-0.0", true },     { "1.0", true },
        { "1.5", false },    { "15e-1", false },   { "150e-1", true },
        { "1.55e1", false }, { "1.55e2", true },   { "1e-1", false },
        { "1e400", true },   { "12300e-2", true }, { "12300e-3", false },
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct decimal number = decimal(ROWS[i].text);
        assert_int_equal(decimal_is_whole(&number), ROWS[i].whole);
    }
}

static void multiples_are_exact(void **state)
{
    (void)state;
    assert_true(multiple("0", "3"));
    assert_true(multiple("0.3", "0.1"));
    assert_true(multiple("-0.3", "0.1"));
    assert_true(multiple("1.1", "0.1"));
    assert_false(multiple("0.35", "0.1"));
    assert_true(multiple("4.5", "1.5"));
    assert_false(multiple("35", "1.5"));
    assert_true(multiple("0.0075", "0.0001"));
    assert_false(multiple("0.00751", "0.0001"));
    assert_true(multiple("1e308", "0.5"));
    assert_false(multiple("1e308", "0.123456789"));
    assert_true(multiple("1e1000000", "1024"));
    assert_false(multiple("1e9", "1024"));
    assert_true(multiple("123456789012345678901234567890", "10"));
    assert_true(multiple("9999999999999999999", "9999999999999999999"));
    assert_true(multiple("19999999999999999998", "9999999999999999999"));
    assert_false(multiple("9999999999999999998", "9999999999999999999"));
    assert_true(multiple("1000", "1e3"));
    assert_false(multiple("1001", "1e3"));
}

static void small_multiples_agree_with_the_machine(void **state)
{
    (void)state;
    for (int one = -60; one <= 60; one++) {
        for (int divisor = 1; divisor <= 60; divisor++) {
            char left[16];
            char right[16];
            snprintf(left, sizeof left, "%d.0", one);
            snprintf(right, sizeof right, "%de0", divisor);
            assert_int_equal(multiple(left, right), one % divisor == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_numbers_compare_equal_however_written),
        cmocka_unit_test(numbers_stand_in_their_order),
        cmocka_unit_test(whole_numbers_are_told_by_value),
        cmocka_unit_test(multiples_are_exact),
        cmocka_unit_test(small_multiples_agree_with_the_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
