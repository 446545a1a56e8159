/*
 * Goal: references resolve as RFC 3986 says.
 * Method: the examples of its section 5.4, and the bases schemas really have.
 */
#include "schema/uri.h"

#include "cmocka_all.h"

static void assert_resolved(const char *base, const char *reference, const char *want)
{
    struct buffer uri;
    buffer_init(&uri, 1024);
    uri_resolve(&uri, slice_from_text(base), slice_from_text(reference));
    if (!slice_equal_text(buffer_slice(&uri), want))
        fail_msg("%s at %s is %.*s", reference, base, (int)uri.size, uri.data);
    buffer_finish(&uri);
}

static void the_examples_of_the_standard_resolve(void **state)
{
    (void)state;
    static const char *const ROWS[][2] = {
        { "g:h", "g:h" },
        { "g", "http://a/b/c/g" },
        { "./g", "http://a/b/c/g" },
        { "g/", "http://a/b/c/g/" },
        { "/g", "http://a/g" },
        { "//g", "http://g" },
        { "?y", "http://a/b/c/d;p?y" },
        { "g?y", "http://a/b/c/g?y" },
        { "#s", "http://a/b/c/d;p?q" },
        { "g#s", "http://a/b/c/g" },
        { ";x", "http://a/b/c/;x" },
        { "", "http://a/b/c/d;p?q" },
        { ".", "http://a/b/c/" },
        { "./", "http://a/b/c/" },
        { "..", "http://a/b/" },
        { "../g", "http://a/b/g" },
        { "../..", "http://a/" },
        { "../../g", "http://a/g" },
        { "../../../g", "http://a/g" },
        { "/./g", "http://a/g" },
        { "/../g", "http://a/g" },
        { "g.", "http://a/b/c/g." },
        { "..g", "http://a/b/c/..g" },
        { "./../g", "http://a/b/g" },
        { "g/./h", "http://a/b/c/g/h" },
        { "g/../h", "http://a/b/c/h" },
        { "g;x=1/../y", "http://a/b/c/y" },
        { "g?y/../x", "http://a/b/c/g?y/../x" },
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        assert_resolved("http://a/b/c/d;p?q", ROWS[i][0], ROWS[i][1]);
}

static void other_bases_resolve_too(void **state)
{
    (void)state;
    assert_resolved("http://example.com", "a/b", "http://example.com/a/b");
    assert_resolved("urn:uuid:1-2", "#x", "urn:uuid:1-2");
    assert_resolved("schema:/", "common.json", "schema:/common.json");
    assert_resolved("schema:/messages/a.json", "../common.json#/x",
                    "schema:/common.json");
    assert_resolved("schema:/", "../../common.json", "schema:/common.json");
}

static void the_fragment_is_cut_off(void **state)
{
    (void)state;
    assert_true(slice_equal_text(uri_fragment(SLICE_OF("a#b#c")), "b#c"));
    assert_true(slice_equal_text(uri_before_fragment(SLICE_OF("a#b")), "a"));
    assert_false(slice_is_present(uri_fragment(SLICE_OF("a"))));
    assert_true(slice_is_present(uri_fragment(SLICE_OF("a#"))));
    assert_true(uri_is_absolute(SLICE_OF("urn:x")));
    assert_false(uri_is_absolute(SLICE_OF("./urn:x")));
    assert_false(uri_is_absolute(SLICE_OF("1a:b")));
}

static void what_is_too_long_fails_the_buffer(void **state)
{
    (void)state;
    struct buffer uri;
    buffer_init(&uri, 10);
    uri_resolve(&uri, SLICE_OF("http://a/b"), SLICE_OF("cdefg"));
    assert_true(buffer_failed(&uri));
    buffer_finish(&uri);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_standard_resolve),
        cmocka_unit_test(other_bases_resolve_too),
        cmocka_unit_test(the_fragment_is_cut_off),
        cmocka_unit_test(what_is_too_long_fails_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
