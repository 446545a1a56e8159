/*
 * Goal: a text made once is sent once to whoever keeps it, and to nobody else's harm: what
 * stands in If-None-Match is a stranger's.
 */
#include "net/document.h"

#include "cmocka_all.h"

static struct answer_facts ask(enum message_type type, struct slice tags)
{
    struct exchange exchange = { .type = type, .tags_known = tags };
    struct answer_facts facts = { 0 };
    assert_true(document_answer(&exchange, &facts));
    assert_true(slice_equal(facts.etag, DOCUMENTS_DIGEST));
    return facts;
}

static void who_asks_for_the_first_time_gets_the_text(void **state)
{
    (void)state;
    static const enum message_type TYPES[] = { MESSAGE_GET_SCHEMAS, MESSAGE_GET_OPENAPI,
                                               MESSAGE_GET_ASYNCAPI };
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        struct answer_facts facts = ask(TYPES[i], (struct slice){ 0 });
        assert_int_equal(facts.status, 200);
        assert_true(slice_equal(facts.body, MESSAGE_ROWS[TYPES[i]].document));
    }
}

static void who_has_it_is_told_so_in_any_of_the_forms(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *after;
        bool known;
    } CASES[] = {
        { "\"", "\"", true },
        { "W/\"", "\"", true },
        { " \t\"", "\"\t ", true },
        { "\"a\", \"", "\", \"b\"", true },
        { "\"a\",W/\"b\",,W/\"", "\"", true },
        { "*,\"", "", true },
        { "", "", false },
        { "\"", "", false },
        { "\"", "0\"", false },
        { "w/\"", "\"", false },
        { "W/W/\"", "\"", false },
        { "\"W/", "\"", false },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char text[256];
        int size =
            snprintf(text, sizeof text, "%s%.*s%s", CASES[i].before,
                     (int)DOCUMENTS_DIGEST.size, DOCUMENTS_DIGEST.data, CASES[i].after);
        assert_in_range(size, 1, sizeof text - 1);
        struct answer_facts facts =
            ask(MESSAGE_GET_OPENAPI, slice_make(text, (size_t)size));
        if ((facts.status == 304) != CASES[i].known)
            fail_msg("%s", text);
        assert_int_equal(facts.body.size == 0, CASES[i].known);
    }
}

static void a_stranger_s_text_is_no_tag(void **state)
{
    (void)state;
    static const char *const TEXTS[] = { "",   ",",    ",,,", "\"", "\"\"",
                                         "W/", "W/\"", " ",   "W",  "\"*\"" };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        assert_int_equal(ask(MESSAGE_GET_ASYNCAPI, slice_from_text(TEXTS[i])).status,
                         200);
}

static void other_routes_are_no_documents(void **state)
{
    (void)state;
    struct exchange exchange = { .type = MESSAGE_GET_LIVEZ, .tags_known = SLICE_OF("*") };
    struct answer_facts facts = { 0 };
    assert_false(document_answer(&exchange, &facts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asks_for_the_first_time_gets_the_text),
        cmocka_unit_test(who_has_it_is_told_so_in_any_of_the_forms),
        cmocka_unit_test(a_stranger_s_text_is_no_tag),
        cmocka_unit_test(other_routes_are_no_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
