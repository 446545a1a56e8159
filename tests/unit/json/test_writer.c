/*
 * Goal: whatever is written reads back as what was meant.
 * Method: exact texts for the forms, the reader for the meaning.
 */
#include "json/writer.h"

#include "json/json.h"

#include <string.h>

#include "cmocka_all.h"

static struct buffer buffer;
static struct json_writer writer;

static int writer_start(void **state)
{
    (void)state;
    buffer_init(&buffer, 4096);
    json_writer_init(&writer, &buffer);
    return 0;
}

static int writer_stop(void **state)
{
    (void)state;
    buffer_finish(&buffer);
    return 0;
}

static void assert_written(const char *text)
{
    assert_false(buffer_failed(&buffer));
    buffer_append_byte(&buffer, '\0');
    assert_string_equal(buffer.data, text);
}

static void commas_and_colons_come_by_themselves(void **state)
{
    (void)state;
    json_object_begin(&writer);
    json_key_text(&writer, "a");
    json_array_begin(&writer);
    json_i64(&writer, INT64_MIN);
    json_u64(&writer, UINT64_MAX);
    json_array_begin(&writer);
    json_array_end(&writer);
    json_null(&writer);
    json_array_end(&writer);
    json_key_text(&writer, "b");
    json_object_begin(&writer);
    json_object_end(&writer);
    json_key_text(&writer, "c");
    json_bool(&writer, true);
    json_key_text(&writer, "d");
    json_raw(&writer, SLICE_OF("{ \"as\": \"it is\" }"));
    json_key_text(&writer, "e");
    json_string_text(&writer, "x");
    json_object_end(&writer);
    assert_written("{\"a\":[-9223372036854775808,18446744073709551615,[],null],\"b\":{},"
                   "\"c\":true,\"d\":{ \"as\": \"it is\" },\"e\":\"x\"}");
}

static void what_must_be_escaped_is_escaped(void **state)
{
    (void)state;
    json_string(&writer, SLICE_OF("\"\\/\b\f\n\r\t\x01\x1f\x7f\0z"));
    assert_written("\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000z\"");
}

static void keys_are_escaped_too(void **state)
{
    (void)state;
    json_object_begin(&writer);
    json_key(&writer, SLICE_OF("a\"\n"));
    json_bool(&writer, false);
    json_object_end(&writer);
    assert_written("{\"a\\\"\\n\":false}");
}

static void invalid_utf8_becomes_the_replacement_character(void **state)
{
    (void)state;
    json_string(&writer, SLICE_OF("a\xff"
                                  "b\xc3\xa9\xed\xa0\x80\xe2\x82"));
    assert_written("\"a\xef\xbf\xbd"
                   "b\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                   "\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void every_byte_reads_back_or_is_replaced(void **state)
{
    (void)state;
    struct json *json = json_create(&JSON_LIMITS_DEFAULT);
    assert_non_null(json);
    for (int byte = 0; byte < 256; byte++) {
        char text[3] = { 'x', (char)byte, 'y' };
        buffer_clear(&buffer);
        json_writer_init(&writer, &buffer);
        json_string(&writer, slice_make(text, sizeof text));
        struct json_problem problem;
        assert_int_equal(json_parse(json, buffer_slice(&buffer), &problem), ERR_OK);
        struct slice back = json_root(json)->value.text;
        if (byte < 0x80)
            assert_true(slice_equal(back, slice_make(text, sizeof text)));
        else
            assert_true(slice_equal_text(back, "x\xef\xbf\xbdy"));
    }
    json_destroy(json);
}

static void a_full_buffer_is_remembered(void **state)
{
    (void)state;
    struct buffer tiny;
    buffer_init(&tiny, 8);
    json_writer_init(&writer, &tiny);
    json_array_begin(&writer);
    json_string_text(&writer, "far too long");
    json_array_end(&writer);
    assert_true(buffer_failed(&tiny));
    buffer_finish(&tiny);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, writer_start, writer_stop)
    const struct CMUnitTest tests[] = {
        TEST(commas_and_colons_come_by_themselves),
        TEST(what_must_be_escaped_is_escaped),
        TEST(keys_are_escaped_too),
        TEST(invalid_utf8_becomes_the_replacement_character),
        TEST(every_byte_reads_back_or_is_replaced),
        TEST(a_full_buffer_is_remembered),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
