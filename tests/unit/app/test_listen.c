/*
 * Goal: a place to listen is understood as people write it, and nothing else passes.
 */
#include "app/listen.h"

#include "cmocka_all.h"

static void usual_places_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *address;
        uint16_t port;
        bool loopback;
    } PLACES[] = {
        { "127.0.0.1:4000", "127.0.0.1", 4000, true },
        { "localhost:0", "127.0.0.1", 0, true },
        { "127.9.9.9:65535", "127.9.9.9", 65535, true },
        { "0.0.0.0:1", "0.0.0.0", 1, false },
        { "10.0.0.7:4000", "10.0.0.7", 4000, false },
        { "[::1]:4000", "::1", 4000, true },
        { "[::]:4000", "::", 4000, false },
    };
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        struct listen listen;
        assert_true(listen_parse(slice_from_text(PLACES[i].text), &listen));
        assert_string_equal(listen.address, PLACES[i].address);
        assert_int_equal(listen.port, PLACES[i].port);
        assert_int_equal(listen.loopback, PLACES[i].loopback);
    }
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "",           "4000",      ":4000",        "127.0.0.1",    "127.0.0.1:",
        "::1:4000",   "[::1]",     "[::1:4000",    "[]:4000",      "127.0.0.1:65536",
        "1.2.3:4000", "host:4000", "127.0.0.1:-1", "127.0.0.1:+1", "[127.0.0.1:4000",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct listen listen = { .port = 7 };
        assert_false(listen_parse(slice_from_text(TEXTS[i]), &listen));
        assert_int_equal(listen.port, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_places_are_understood),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
