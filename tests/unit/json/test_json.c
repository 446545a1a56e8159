/*
 * Goal: what is JSON is read exactly, what is not is refused at the byte that is wrong.
 * Method: one tape with small limits per test; every text is copied to a heap block of
 * its exact size, so that a sanitizer sees any step past its end.
 */
#include "json/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

static const struct json_limits SMALL = {
    .bytes_max = 4096,
    .nodes_max = 600,
    .depth_max = 4,
    .string_bytes_max = 64,
    .key_bytes_max = 8,
};

static char *exact;

static enum err parse_bytes(struct json *json, struct slice text,
                            struct json_problem *problem)
{
    free(exact);
    exact = malloc(text.size == 0 ? 1 : text.size);
    assert_non_null(exact);
    memcpy(exact, text.data, text.size);
    return json_parse(json, slice_make(exact, text.size), problem);
}

static struct json *tape_make(void)
{
    struct json *json = json_create(&SMALL);
    assert_non_null(json);
    return json;
}

static int tape_drop(void **state)
{
    (void)state;
    free(exact);
    exact = NULL;
    return 0;
}

static void accept(struct json *json, const char *text)
{
    struct json_problem problem = { 0, "" };
    enum err err = parse_bytes(json, slice_from_text(text), &problem);
    if (err != ERR_OK)
        fail_msg("%s: refused at %zu: %s", text, problem.offset, problem.reason);
}

static void refuse(struct slice text, enum err want, size_t offset)
{
    struct json *json = tape_make();
    struct json_problem problem = { 0, NULL };
    assert_int_equal(parse_bytes(json, text, &problem), want);
    if (problem.offset != offset)
        fail_msg("%.*s: offset %zu (%s), not %zu", (int)text.size, text.data,
                 problem.offset, problem.reason, offset);
    assert_non_null(problem.reason);
    assert_null(json_root(json));
    json_destroy(json);
}

#define REFUSE(text, offset) refuse(SLICE_OF(text), ERR_INVALID, offset)

static void every_kind_of_value_is_told_apart(void **state)
{
    (void)state;
    struct json *json = tape_make();
    accept(json, " [null, false, true, -12, \"x\", [], {}] ");
    uint32_t count;
    const struct json_node *nodes = json_nodes(json, &count);
    assert_int_equal(count, 8);
    assert_int_equal(nodes[0].kind, JSON_ARRAY);
    assert_int_equal(nodes[0].count, 7);
    assert_int_equal(nodes[0].after, 8);
    for (uint32_t i = 1; i < count; i++) {
        static const enum json_kind KINDS[] = { JSON_NULL,   JSON_FALSE,  JSON_TRUE,
                                                JSON_NUMBER, JSON_STRING, JSON_ARRAY,
                                                JSON_OBJECT };
        assert_int_equal(nodes[i].kind, KINDS[i - 1]);
    }
    assert_true(nodes[4].integer);
    assert_int_equal(nodes[4].value.number, -12);
    json_destroy(json);
}

static void raw_bytes_are_kept_as_they_came(void **state)
{
    (void)state;
    struct json *json = tape_make();
    accept(json, "{\"a\" : { \"b\":[1, 2.50e1 ] } ,\"c\":\"\\u0041\"}");
    const struct json_node *a = json_member(json, json_root(json), SLICE_OF("a"));
    assert_non_null(a);
    assert_true(slice_equal_text(a->raw, "{ \"b\":[1, 2.50e1 ] }"));
    const struct json_node *b = json_member(json, a, SLICE_OF("b"));
    assert_true(slice_equal_text(b->raw, "[1, 2.50e1 ]"));
    const struct json_node *number = json_after(json, b, json_child(json, b));
    assert_true(slice_equal_text(number->raw, "2.50e1"));
    assert_false(number->integer);
    assert_null(json_after(json, b, number));
    const struct json_node *c = json_member(json, json_root(json), SLICE_OF("c"));
    assert_true(slice_equal_text(c->raw, "\"\\u0041\""));
    assert_true(slice_equal_text(c->value.text, "A"));
    json_destroy(json);
}

static void plain_strings_point_into_the_text(void **state)
{
    (void)state;
    struct json *json = tape_make();
    accept(json, "\"no escape here\"");
    const struct json_node *root = json_root(json);
    assert_ptr_equal(root->value.text.data, exact + 1);
    assert_ptr_equal(root->raw.data, exact);
    json_destroy(json);
}

static void escapes_and_surrogate_pairs_are_decoded(void **state)
{
    (void)state;
    struct json *json = tape_make();
    accept(json,
           "\"\\\"\\\\\\/\\b\\f\\n\\r\\t|\\u00e9|\\u20AC|\\uD83D\\ude00|\\u0000|z\"");
    assert_true(slice_equal(
        json_root(json)->value.text,
        SLICE_OF("\"\\/\b\f\n\r\t|\xc3\xa9|\xe2\x82\xac|\xf0\x9f\x98\x80|\0|z")));
    json_destroy(json);
}

static void members_are_walked_in_order_and_found_by_name(void **state)
{
    (void)state;
    struct json *json = tape_make();
    accept(json, "{\"a\":{\"x\":0},\"\":2,\"b\\u0062\":3}");
    const struct json_node *root = json_root(json);
    const struct json_node *key = json_child(json, root);
    assert_true(slice_equal_text(key->value.text, "a"));
    const struct json_node *value = json_after(json, root, key);
    assert_int_equal(value->kind, JSON_OBJECT);
    key = json_after(json, root, value);
    assert_true(slice_equal_text(key->value.text, ""));
    assert_int_equal(json_member(json, root, SLICE_OF("bb"))->value.number, 3);
    assert_int_equal(json_member(json, root, SLICE_OF(""))->value.number, 2);
    assert_null(json_member(json, root, SLICE_OF("x")));
    assert_null(json_member(json, json_child(json, root), SLICE_OF("a")));
    assert_null(json_child(json, json_member(json, root, SLICE_OF(""))));
    json_destroy(json);
}

static void integers_are_told_to_the_last_bit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool integer;
        int64_t number;
    } ROWS[] = {
        { "0", true, 0 },
        { "-0", true, 0 },
        { "9223372036854775807", true, INT64_MAX },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775808", true, INT64_MIN },
        { "-9223372036854775809", false, 0 },
        { "99999999999999999999999", false, 0 },
        { "1.0", false, 0 },
        { "1e2", false, 0 },
        { "-1E-2", false, 0 },
        { "0.0e+0", false, 0 },
    };
    struct json *json = tape_make();
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        accept(json, ROWS[i].text);
        const struct json_node *root = json_root(json);
        assert_int_equal(root->integer, ROWS[i].integer);
        assert_true(slice_equal_text(root->raw, ROWS[i].text));
        if (root->integer)
            assert_true(root->value.number == ROWS[i].number);
    }
    json_destroy(json);
}

static void broken_text_is_refused_at_the_wrong_byte(void **state)
{
    (void)state;
    REFUSE("", 0);
    REFUSE("  ", 2);
    REFUSE("\xef\xbb\xbf{}", 0);
    REFUSE("nul", 0);
    REFUSE("truE", 0);
    REFUSE("nulll", 4);
    REFUSE("1 2", 2);
    REFUSE("{} x", 3);
    REFUSE("[1,]", 3);
    REFUSE("[,1]", 1);
    REFUSE("[1 2]", 3);
    REFUSE("[1", 2);
    REFUSE("[1}", 2);
    REFUSE("{\"a\":1,}", 7);
    REFUSE("{\"a\" 1}", 5);
    REFUSE("{\"a\":}", 5);
    REFUSE("{a:1}", 1);
    REFUSE("{1:1}", 1);
    REFUSE("{\"a\"", 4);
    REFUSE("]", 0);
    REFUSE("'a'", 0);
    REFUSE("NaN", 0);
    REFUSE("// x\n1", 0);
    REFUSE("\x0b"
           "1",
           0);
}

static void broken_numbers_are_refused_at_the_wrong_byte(void **state)
{
    (void)state;
    REFUSE("-", 1);
    REFUSE("+1", 0);
    REFUSE("01", 1);
    REFUSE("-01", 2);
    REFUSE("1.", 2);
    REFUSE(".5", 0);
    REFUSE("1.e1", 2);
    REFUSE("1e", 2);
    REFUSE("1e+", 3);
    REFUSE("0x10", 1);
    REFUSE("-Infinity", 1);
}

static void broken_strings_are_refused_at_the_wrong_byte(void **state)
{
    (void)state;
    REFUSE("\"abc", 4);
    REFUSE("\"abcdefghijk", 12);
    REFUSE("\"a\\", 3);
    REFUSE("\"a\\x\"", 2);
    REFUSE("\"\\u12g4\"", 1);
    REFUSE("\"\\u12", 1);
    REFUSE("\"a\nb\"", 2);
    REFUSE("\"12345678\x1f\"", 9);
}

static void nul_bytes_are_refused_wherever_they_stand(void **state)
{
    (void)state;
    REFUSE("\0", 0);
    REFUSE("1\0", 1);
    REFUSE("\"a\0b\"", 2);
    REFUSE("\"a\\\0b\"", 2);
    REFUSE("[\0]", 1);
    REFUSE("{\"a\"\0:1}", 4);
}

static void lone_surrogates_are_refused(void **state)
{
    (void)state;
    REFUSE("\"x\\ud800\"", 2);
    REFUSE("\"x\\udc00\"", 2);
    REFUSE("\"\\ud800\\u0041\"", 1);
    REFUSE("\"\\ud800\\ud800\"", 1);
    REFUSE("\"\\udc00\\ud800\"", 1);
    REFUSE("\"\\ud83d\\ude0", 1);
    REFUSE("\"\xed\xa0\x80\"", 1);
}

static void malformed_utf8_is_refused(void **state)
{
    (void)state;
    REFUSE("\"\x80\"", 1);
    REFUSE("\"\xc0\x80\"", 1);
    REFUSE("\"\xc1\xbf\"", 1);
    REFUSE("\"\xe0\x9f\xbf\"", 1);
    REFUSE("\"\xf0\x8f\xbf\xbf\"", 1);
    REFUSE("\"\xf4\x90\x80\x80\"", 1);
    REFUSE("\"\xf5\x80\x80\x80\"", 1);
    REFUSE("\"\xff\"", 1);
    REFUSE("\"12345678\xc3\"", 9);
    REFUSE("\"\xe2\x82\"", 1);
}

static void truncated_utf8_is_refused_at_its_first_byte(void **state)
{
    (void)state;
    REFUSE("\"\xc3", 1);
    REFUSE("\"\xe2\x82", 1);
    REFUSE("\"\xf0\x9f\x98", 1);
}

static void the_edges_of_unicode_are_accepted(void **state)
{
    (void)state;
    struct json *json = tape_make();
    accept(json, "\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"
                 "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"");
    assert_int_equal(json_root(json)->value.text.size, 25);
    json_destroy(json);
}

static void a_key_may_stand_once(void **state)
{
    (void)state;
    REFUSE("{\"a\":1,\"b\":2,\"a\":3}", 13);
    REFUSE("{\"a\":1,\"\\u0061\":3}", 7);
    REFUSE("{\"\":1,\"\":3}", 6);
    REFUSE("[{\"x\":{\"a\":1,\"a\":2}}]", 13);
    struct json *json = tape_make();
    accept(json, "[{\"a\":1,\"b\":{\"a\":2}},{\"a\":3,\"A\":4}]");
    json_destroy(json);
}

static void a_key_may_stand_once_in_a_big_object_too(void **state)
{
    (void)state;
    struct json *json = tape_make();
    for (size_t count = 2; count <= 200; count++) {
        char text[4096] = "{";
        for (size_t i = 0; i < count; i++) {
            size_t size = strlen(text);
            snprintf(text + size, sizeof text - size, "\"k%zu\":%zu,", i, i);
        }
        size_t offset = strlen(text);
        snprintf(text + offset, sizeof text - offset, "\"k%zu\":0}", count / 2);
        refuse(slice_from_text(text), ERR_INVALID, offset);
        snprintf(text + offset, sizeof text - offset, "\"q\":0}");
        accept(json, text);
        assert_int_equal(json_root(json)->count, count + 1);
    }
    json_destroy(json);
}

static void the_text_may_not_pass_its_limit(void **state)
{
    (void)state;
    struct json *json = tape_make();
    char text[4098];
    memset(text, ' ', sizeof text);
    text[0] = '1';
    struct json_problem problem;
    assert_int_equal(parse_bytes(json, slice_make(text, 4096), &problem), ERR_OK);
    assert_int_equal(parse_bytes(json, slice_make(text, 4097), &problem), ERR_LIMIT);
    assert_int_equal(problem.offset, 4096);
    json_destroy(json);
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    struct json *json = tape_make();
    accept(json, "[[{\"a\":[]}]]");
    refuse(SLICE_OF("[[{\"a\":[{}]}]]"), ERR_LIMIT, 8);
    refuse(SLICE_OF("[[[[[[[[[[[["), ERR_LIMIT, 4);
    json_destroy(json);
}

static void the_count_of_values_has_a_limit(void **state)
{
    (void)state;
    struct json *json = tape_make();
    char text[2000] = "[1";
    size_t size = 2;
    for (int i = 1; i < 599; i++) {
        memcpy(text + size, ",1", 2);
        size += 2;
    }
    memcpy(text + size, "]", 2);
    accept(json, text);
    assert_int_equal(json_root(json)->count, 599);
    memcpy(text + size, ",1]", 4);
    refuse(slice_from_text(text), ERR_LIMIT, size + 1);
    json_destroy(json);
}

static void strings_and_keys_have_limits(void **state)
{
    (void)state;
    struct json *json = tape_make();
    char text[128];
    snprintf(text, sizeof text, "\"%064d\"", 0);
    accept(json, text);
    snprintf(text, sizeof text, "\"%065d\"", 0);
    refuse(slice_from_text(text), ERR_LIMIT, 0);
    accept(json, "{\"12345678\":1}");
    refuse(SLICE_OF("{\"123456789\":1}"), ERR_LIMIT, 1);
    accept(json, "{\"\\u0031\\u0032345678\":1}"); /* counted without its escapes */
    json_destroy(json);
}

static void a_tape_is_used_again_after_anything(void **state)
{
    (void)state;
    struct json *json = tape_make();
    struct json_problem problem;
    accept(json, "[\"\\n\",\"\\t\"]");
    assert_int_equal(parse_bytes(json, SLICE_OF("[[["), &problem), ERR_INVALID);
    assert_null(json_root(json));
    accept(json, "{\"a\":\"\\u0062\",\"longer\":\"\\u0063 and more text than before\"}");
    assert_true(slice_equal_text(
        json_member(json, json_root(json), SLICE_OF("a"))->value.text, "b"));
    accept(json, "7");
    assert_int_equal(json_root(json)->value.number, 7);
    json_destroy(json);
}

static void every_prefix_of_a_text_is_refused(void **state)
{
    (void)state;
    struct json *json = tape_make();
    struct slice text =
        SLICE_OF("{\"a\":[1.5e3,\"\\ud83d\\ude00\xc3\xa9\",null],\"b\":{}}");
    struct json_problem problem;
    for (size_t size = 0; size < text.size; size++) {
        assert_int_equal(parse_bytes(json, slice_make(text.data, size), &problem),
                         ERR_INVALID);
        assert_true(problem.offset <= size);
    }
    assert_int_equal(parse_bytes(json, text, &problem), ERR_OK);
    json_destroy(json);
}

static void the_default_limits_hold_a_big_body(void **state)
{
    (void)state;
    struct json *json = json_create(&JSON_LIMITS_DEFAULT);
    assert_non_null(json);
    struct json_problem problem;
    size_t size = 1024 * 1024 + 2;
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, 'x', size);
    text[0] = '"';
    text[size - 1] = '"';
    assert_int_equal(json_parse(json, slice_make(text, size), &problem), ERR_OK);
    text[size - 1] = 'x';
    text[size] = '"';
    assert_int_equal(json_parse(json, slice_make(text, size + 1), &problem), ERR_LIMIT);
    free(text);
    json_destroy(json);
    json_destroy(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tape_drop)
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_value_is_told_apart),
        TEST(raw_bytes_are_kept_as_they_came),
        TEST(plain_strings_point_into_the_text),
        TEST(escapes_and_surrogate_pairs_are_decoded),
        TEST(members_are_walked_in_order_and_found_by_name),
        TEST(integers_are_told_to_the_last_bit),
        TEST(broken_text_is_refused_at_the_wrong_byte),
        TEST(broken_numbers_are_refused_at_the_wrong_byte),
        TEST(broken_strings_are_refused_at_the_wrong_byte),
        TEST(nul_bytes_are_refused_wherever_they_stand),
        TEST(lone_surrogates_are_refused),
        TEST(malformed_utf8_is_refused),
        TEST(truncated_utf8_is_refused_at_its_first_byte),
        TEST(the_edges_of_unicode_are_accepted),
        TEST(a_key_may_stand_once),
        TEST(a_key_may_stand_once_in_a_big_object_too),
        TEST(the_text_may_not_pass_its_limit),
        TEST(nesting_has_a_limit),
        TEST(the_count_of_values_has_a_limit),
        TEST(strings_and_keys_have_limits),
        TEST(a_tape_is_used_again_after_anything),
        TEST(every_prefix_of_a_text_is_refused),
        TEST(the_default_limits_hold_a_big_body),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
