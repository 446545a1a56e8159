#include "cmocka_all.h"

#include "sidecar/output.h"

#include <string.h>

static void said(struct output *output, const char *text, size_t piece)
{
    assert_int_equal(output_init(output, 128), ERR_OK);
    size_t size = strlen(text);
    for (size_t at = 0; at < size; at += piece)
        output_append(output,
                      slice_make(text + at, at + piece > size ? size - at : piece));
    output_end(output);
}

static void text_is(const struct output *output, const char *wanted)
{
    struct buffer text;
    buffer_init(&text, 4096);
    capture_read(&output->text, &text);
    assert_int_equal(text.size, strlen(wanted));
    assert_true(slice_equal_text(buffer_slice(&text), wanted));
    buffer_finish(&text);
}

static void the_last_result_counts_whatever_the_pieces(void **state)
{
    (void)state;
    static const char TEXT[] =
        "{\"status\":\"failed\"}\nwords\n"
        " {\"status\":\"success\",\"n\":1.50}\r\n{\"status\":\"odd\"}";
    for (size_t piece = 1; piece < sizeof TEXT; piece++) {
        struct output output;
        said(&output, TEXT, piece);
        assert_true(slice_equal_text(buffer_slice(&output.result),
                                     "{\"status\":\"success\",\"n\":1.50}"));
        text_is(&output, TEXT);
        output_finish(&output);
    }
}

static void progress_is_taken_out_of_the_text(void **state)
{
    (void)state;
    struct output output;
    said(&output, "a\n{\"progress\": 40, \"note\": \"half\"}\nb\n", 7);
    assert_true(output.progress_fresh);
    assert_int_equal(output.progress, 40);
    assert_true(slice_equal_text(buffer_slice(&output.note), "half"));
    text_is(&output, "a\nb\n");
    output_finish(&output);
}

static void what_only_looks_like_progress_is_text(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "{\"progress\": 101}\n",
        "{\"progress\": -1}\n",
        "{\"progress\": 4.5}\n",
        "{\"progress\": \"4\"}\n",
        "{\"progress\": 4\n",
        "[{\"progress\": 4}]\n",
        "x {\"progress\": 4}\n",
        "{\"progress\": 4} x\n",
        "{\"progress\": 4, \"progress\": 5}\n",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        struct output output;
        said(&output, TEXTS[i], 100);
        assert_false(output.progress_fresh);
        assert_int_equal(output.result.size, 0);
        text_is(&output, TEXTS[i]);
        output_finish(&output);
    }
}

static void blocked_is_taken_out_of_the_text(void **state)
{
    (void)state;
    struct output output;
    said(&output, "a\n{\"blocked\": \"why?\"}\n", 3);
    assert_true(output.blocked_fresh);
    assert_true(output.blocked);
    assert_true(slice_equal_text(buffer_slice(&output.blocked_reason), "why?"));
    text_is(&output, "a\n");
    output_finish(&output);

    said(&output, "{\"blocked\": \"why?\"}\n{\"blocked\": true}\n", 100);
    assert_true(output.blocked);
    assert_int_equal(output.blocked_reason.size, 0);
    output_finish(&output);

    said(&output, "{\"blocked\": true}\n{\"blocked\": false}\n", 100);
    assert_true(output.blocked_fresh);
    assert_false(output.blocked);
    text_is(&output, "");
    output_finish(&output);

    said(&output, "{\"blocked\": null}\n{\"blocked\": 1}\n", 100);
    assert_false(output.blocked_fresh);
    text_is(&output, "{\"blocked\": null}\n{\"blocked\": 1}\n");
    output_finish(&output);
}

static void a_line_over_its_bound_is_text(void **state)
{
    (void)state;
    struct output output;
    static const char TEXT[] =
        "{\"status\":\"success\",\"x\":\"0123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890"
        "12345678901234567890\"}\n{\"status\":\"failed\"}\n";
    said(&output, TEXT, 10);
    assert_true(
        slice_equal_text(buffer_slice(&output.result), "{\"status\":\"failed\"}"));
    assert_true(capture_is_cut(&output.text));
    output_finish(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_result_counts_whatever_the_pieces),
        cmocka_unit_test(progress_is_taken_out_of_the_text),
        cmocka_unit_test(what_only_looks_like_progress_is_text),
        cmocka_unit_test(blocked_is_taken_out_of_the_text),
        cmocka_unit_test(a_line_over_its_bound_is_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
