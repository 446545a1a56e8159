#include "cmocka_all.h"

#include "cli/screen.h"

static void shows(struct slice text, bool lines, const char *wanted)
{
    struct buffer shown;
    buffer_init(&shown, 4096);
    text_escape(text, lines, "  ", &shown);
    assert_true(slice_equal_text(buffer_slice(&shown), wanted));
    buffer_finish(&shown);
}

static void harmless_text_stays_as_it_is(void **state)
{
    (void)state;
    shows(SLICE_OF("plain, \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x90\x95"), false,
          "plain, \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x90\x95");
}

static void what_a_terminal_obeys_is_shown(void **state)
{
    (void)state;
    shows(SLICE_OF("\x1b[31m\a\r\n\t\x7f"), false,
          "\\u{1b}[31m\\u{7}\\u{d}\\u{a}\\u{9}\\u{7f}");
    shows(slice_make("a\0b", 3), false, "a\\u{0}b");
    shows(SLICE_OF("\xc2\x9b\x33J"), false, "\\u{9b}3J");
    shows(SLICE_OF("\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf"), false,
          "\\u{202e}\\u{2066}\\u{200b}\\u{feff}");
}

static void what_is_no_text_is_shown(void **state)
{
    (void)state;
    shows(SLICE_OF("\xff\xc3"), false, "\\xff\\xc3");
    shows(SLICE_OF("\xc0\xaf"), false, "\\xc0\\xaf");
    shows(SLICE_OF("\xed\xa0\x80"), false, "\\xed\\xa0\\x80");
    shows(SLICE_OF("\x9b\x31m"), false, "\\x9b1m");
}

static void lines_stay_lines_where_they_may(void **state)
{
    (void)state;
    shows(SLICE_OF("a\nb\x1b\n"), true, "a\n  b\\u{1b}\n  ");
}

static void columns_are_characters(void **state)
{
    (void)state;
    assert_int_equal(text_columns(SLICE_OF("a\xc3\xa9\xe2\x82\xac")), 3);
    assert_int_equal(text_columns(SLICE_OF("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(harmless_text_stays_as_it_is),
        cmocka_unit_test(what_a_terminal_obeys_is_shown),
        cmocka_unit_test(what_is_no_text_is_shown),
        cmocka_unit_test(lines_stay_lines_where_they_may),
        cmocka_unit_test(columns_are_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
