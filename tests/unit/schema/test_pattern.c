/*
 * Goal: an expression means what ECMA-262 says, or is refused.
 * Method: rows of expression, subject and verdict; what only PCRE2 knows is refused.
 */
#include "schema/pattern.h"

#include "cmocka_all.h"

static struct pattern_scratch *scratch;

static int scratch_start(void **state)
{
    (void)state;
    scratch = pattern_scratch_create();
    return scratch == NULL;
}

static int scratch_stop(void **state)
{
    (void)state;
    pattern_scratch_destroy(scratch);
    return 0;
}

static bool matches(const char *text, struct slice subject)
{
    struct pattern *pattern = NULL;
    const char *reason = "";
    bool result = false;
    if (pattern_compile(slice_from_text(text), &pattern, &reason) != ERR_OK)
        fail_msg("%s: %s", text, reason);
    assert_int_equal(pattern_match(pattern, scratch, subject, &result), ERR_OK);
    pattern_destroy(pattern);
    return result;
}

#define MATCHES(text, subject) assert_true(matches(text, SLICE_OF(subject)))
#define DIFFERS(text, subject) assert_false(matches(text, SLICE_OF(subject)))

static void refuse(const char *text)
{
    struct pattern *pattern = NULL;
    const char *reason = NULL;
    if (pattern_compile(slice_from_text(text), &pattern, &reason) == ERR_OK)
        fail_msg("%s was not refused", text);
    assert_non_null(reason);
}

static void expressions_are_not_anchored(void **state)
{
    (void)state;
    MATCHES("b", "abc");
    DIFFERS("^b", "abc");
    MATCHES("", "abc");
    MATCHES("^$", "");
}

static void the_end_is_the_very_end(void **state)
{
    (void)state;
    DIFFERS("^abc$", "abc\n");
    DIFFERS("^a$", "a\nb");
}

static void a_dot_stops_at_every_line_end(void **state)
{
    (void)state;
    MATCHES("^.$", "\xf0\x9f\x98\x80");
    MATCHES("^.$", "\0");
    DIFFERS("^.$", "\n");
    DIFFERS("^.$", "\r");
    DIFFERS("^.$", "\xe2\x80\xa8");
    DIFFERS("^.$", "\xe2\x80\xa9");
}

static void digits_and_words_are_ascii(void **state)
{
    (void)state;
    DIFFERS("\\d", "\xe0\xa7\xaa");
    MATCHES("^\\D$", "\xe0\xa7\xaa");
    DIFFERS("\\w", "\xc3\xa9");
    MATCHES("^\\W$", "\xc3\xa9");
    MATCHES("^[\\w-]+$", "a-b_9");
}

static void white_space_is_all_of_unicode(void **state)
{
    (void)state;
    MATCHES("^\\s+$", " \t\n\v\f\r\xc2\xa0\xe2\x80\x83\xef\xbb\xbf\xe2\x80\xa9");
    DIFFERS("\\S", " \t\xc2\xa0\xef\xbb\xbf");
    MATCHES("^\\S$", "\xe2\x80\x8b");
    MATCHES("^[\\S]$", "x");
    DIFFERS("[^\\s]", "\xc2\xa0");
    DIFFERS("[\\S]", "\xe3\x80\x80");
}

static void escapes_name_code_points(void **state)
{
    (void)state;
    MATCHES("^\\u00e9\\x41\\u{1F600}\\ud83d\\ude00\\cA\\0\\t\\v$",
            "\xc3\xa9"
            "A\xf0\x9f\x98\x80\xf0\x9f\x98\x80\x01\0\t\v");
    MATCHES("^\\^\\$\\\\\\.\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|\\/\\-$", "^$\\.*+?()[]{}|/-");
    MATCHES("^[\\b]$", "\b");
    MATCHES("\\bx\\b", "a x b");
    DIFFERS("\\Bx", "x");
}

static void properties_have_long_and_short_names(void **state)
{
    (void)state;
    MATCHES("^\\p{L}\\p{Letter}\\p{Lu}\\p{Uppercase_Letter}$", "a\xc3\xa9"
                                                               "A\xc3\x89");
    MATCHES("^\\p{Script=Greek}\\p{sc=Grek}\\p{scx=Greek}$", "\xce\xb1\xce\xb2\xce\xb3");
    DIFFERS("\\P{gc=digit}", "0");
    MATCHES("^[\\p{L}\\d]+$", "\xc3\xa9"
                              "9");
    MATCHES("^\\p{Any}\\P{Assigned}?$", "x");
    refuse("\\p{Klingon}");
    refuse("\\p{Script=Klingon}");
    refuse("\\p{x=y}");
    refuse("\\pL");
}

static void classes_hold_what_pcre2_would_read_otherwise(void **state)
{
    (void)state;
    MATCHES("^[[:alpha:]]$", "a]");
    DIFFERS("^[[:alpha:]]$", "b");
    MATCHES("^[a^]$", "^");
    DIFFERS("[]", "a");
    MATCHES("^[^]$", "\n");
    MATCHES("^[^^]$", "a");
    MATCHES("^[&&~~-]$", "~");
}

static void references_and_groups_work(void **state)
{
    (void)state;
    MATCHES("^(a)(?:b)(?<n>c)\\1\\k<n>$", "abcac");
    MATCHES("^(?:(a)|b)\\1$", "b"); /* a group that took no part is empty */
    MATCHES("^a(?=b)b(?!c)(?<=b)(?<!a)", "abd");
    refuse("(a)\\2");
    refuse("\\k<n>");
}

static void braces_are_literal_where_they_count_nothing(void **state)
{
    (void)state;
    MATCHES("^a{2}b{1,}c{1,2}?$", "aabcc");
    MATCHES("^{a}$", "{a}");
    MATCHES("^x{,5}$", "x{,5}");
    MATCHES("^]$", "]");
}

static void what_only_pcre2_knows_is_refused(void **state)
{
    (void)state;
    static const char *const ROWS[] = {
        "\\a",     "\\A",     "\\Z",       "\\z",     "\\Qa\\E",  "\\R",
        "\\h",     "\\K",     "\\G",       "\\X",     "\\N",      "\\e",
        "\\07",    "(?i)a",   "(?#x)",     "(?>a)",   "(?P<n>a)", "(?|a)",
        "(?R)",    "(?1)",    "(*ACCEPT)", "(*UTF)a", "a++",      "a?+",
        "a**",     "a{2}+",   "\\g{1}",    "\\o{7}",  "\\x{41}",  "\\x4",
        "\\u00g0", "\\ud800", "\\c1",      "(?'n'a)", "\\_a\\y",  "\\u{110000}",
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        refuse(ROWS[i]);
}

static void broken_expressions_are_refused(void **state)
{
    (void)state;
    static const char *const ROWS[] = { "(",  ")",  "a(b",   "[a",  "*a",     "^*",
                                        "|+", "\\", "[b-a]", "(?<", "(?<1>)", "a{3,2}" };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        refuse(ROWS[i]);
}

static void looking_behind_at_any_length_is_valid_but_not_run(void **state)
{
    (void)state;
    refuse("(?<=a+)b");
    assert_true(pattern_is_valid(SLICE_OF("(?<=a+)b")));
    assert_true(pattern_is_valid(SLICE_OF("a")));
    assert_false(pattern_is_valid(SLICE_OF("a(")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_are_not_anchored),
        cmocka_unit_test(the_end_is_the_very_end),
        cmocka_unit_test(a_dot_stops_at_every_line_end),
        cmocka_unit_test(digits_and_words_are_ascii),
        cmocka_unit_test(white_space_is_all_of_unicode),
        cmocka_unit_test(escapes_name_code_points),
        cmocka_unit_test(properties_have_long_and_short_names),
        cmocka_unit_test(classes_hold_what_pcre2_would_read_otherwise),
        cmocka_unit_test(references_and_groups_work),
        cmocka_unit_test(braces_are_literal_where_they_count_nothing),
        cmocka_unit_test(what_only_pcre2_knows_is_refused),
        cmocka_unit_test(broken_expressions_are_refused),
        cmocka_unit_test(looking_behind_at_any_length_is_valid_but_not_run),
    };
    return cmocka_run_group_tests(tests, scratch_start, scratch_stop);
}
