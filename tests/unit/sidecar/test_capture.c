#include "cmocka_all.h"

#include "sidecar/capture.h"

#include <string.h>

static void all_of_what_fits_is_kept(void **state)
{
    (void)state;
    struct capture capture;
    struct buffer text;
    assert_int_equal(capture_init(&capture, 16), ERR_OK);
    buffer_init(&text, 1024);
    assert_true(capture_is_empty(&capture));
    for (const char *part = "0123456789abcdef"; *part != '\0'; part++)
        capture_append(&capture, slice_make(part, 1));
    capture_read(&capture, &text);
    assert_true(slice_equal_text(buffer_slice(&text), "0123456789abcdef"));
    assert_false(capture_is_cut(&capture));
    buffer_finish(&text);
    capture_finish(&capture);
}

/* Whatever the pieces it comes in, the same is kept. */
static void head_and_tail_are_kept_and_the_gap_is_counted(void **state)
{
    (void)state;
    char all[1000];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)('a' + i % 26);
    for (size_t piece = 1; piece <= sizeof all; piece++) {
        struct capture capture;
        struct buffer text;
        assert_int_equal(capture_init(&capture, 100), ERR_OK);
        buffer_init(&text, 1024);
        for (size_t at = 0; at < sizeof all; at += piece)
            capture_append(
                &capture,
                slice_make(all + at, at + piece > sizeof all ? sizeof all - at : piece));
        capture_read(&capture, &text);
        struct slice got = buffer_slice(&text);
        assert_true(capture_is_cut(&capture));
        assert_memory_equal(got.data, all, 49);
        assert_memory_equal(got.data + got.size - 49, all + sizeof all - 49, 49);
        assert_non_null(memmem(got.data, got.size, "[... 902 bytes left out ...]", 28));
        buffer_finish(&text);
        capture_finish(&capture);
    }
}

static void the_tail_alone_does_not_span_a_gap(void **state)
{
    (void)state;
    struct capture capture;
    struct buffer text;
    assert_int_equal(capture_init(&capture, 8), ERR_OK);
    buffer_init(&text, 1024);
    capture_append(&capture, SLICE_OF("abcdef"));
    capture_read_tail(&capture, 5, &text);
    assert_true(slice_equal_text(buffer_slice(&text), "bcdef"));
    buffer_clear(&text);
    capture_append(&capture, SLICE_OF("ghijk"));
    capture_read_tail(&capture, 8, &text);
    assert_true(slice_equal_text(buffer_slice(&text), "hijk"));
    buffer_finish(&text);
    capture_finish(&capture);
}

static void a_character_is_never_cut(void **state)
{
    (void)state;
    struct slice text = SLICE("a\xc3\xa9\xe2\x82\xac"); /* a, e acute, euro */
    assert_int_equal(text_head(text, 6).size, 6);
    assert_int_equal(text_head(text, 5).size, 3);
    assert_int_equal(text_head(text, 2).size, 1);
    assert_int_equal(text_head(text, 0).size, 0);
    assert_int_equal(text_tail(text, 6).size, 6);
    assert_int_equal(text_tail(text, 4).size, 3);
    assert_int_equal(text_tail(text, 2).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_what_fits_is_kept),
        cmocka_unit_test(head_and_tail_are_kept_and_the_gap_is_counted),
        cmocka_unit_test(the_tail_alone_does_not_span_a_gap),
        cmocka_unit_test(a_character_is_never_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
