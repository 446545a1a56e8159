/* Goal: an answer's bytes are what RFC 9110 and RFC 9457 ask for, and texts go in once. */
#include "net/answer.h"

#include "cmocka_all.h"

#include <string.h>

static char text[4096];

static void make(struct answer_style style, struct answer_facts facts)
{
    struct answer answer = { 0 };
    assert_int_equal(answer_make(&style, &facts, &answer), ERR_OK);
    assert_true(answer.size < sizeof text);
    memcpy(text, answer.bytes + ANSWER_HEADROOM, answer.size);
    text[answer.size] = '\0';
    answer_finish(&answer);
}

static bool has(const char *part)
{
    return strstr(text, part) != NULL;
}

static void an_answer_says_its_length_and_that_it_is_json(void **state)
{
    (void)state;
    make((struct answer_style){ .keep = true },
         (struct answer_facts){ .status = 200, .body = SLICE("{\"a\":1}") });
    assert_int_equal(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
    assert_true(has("Content-Type: application/json; charset=utf-8\r\n"));
    assert_true(has("Content-Length: 7\r\n"));
    assert_true(has("Cache-Control: no-store\r\n"));
    assert_true(has("X-Content-Type-Options: nosniff\r\n"));
    assert_false(has("Connection"));
    assert_false(has("Server"));
    assert_true(has("\r\n\r\n{\"a\":1}"));
}

static void a_head_has_no_body_but_its_length(void **state)
{
    (void)state;
    make((struct answer_style){ .head_only = true },
         (struct answer_facts){ .status = 200, .body = SLICE("{\"a\":1}") });
    assert_true(has("Content-Length: 7\r\n"));
    assert_true(has("Connection: close\r\n"));
    assert_string_equal(text + strlen(text) - 4, "\r\n\r\n");
}

static void an_error_is_a_problem_document_when_asked_for(void **state)
{
    (void)state;
    const struct answer_facts facts = { .status = 404,
                                        .body = SLICE("{\"error\":\"task_not_found\"}") };
    make((struct answer_style){ .problem = true }, facts);
    assert_true(has("Content-Type: application/problem+json"));
    assert_true(has("\"type\":\"urn:drover:error:task_not_found\""));
    assert_true(has("\"title\":\"There is no such task.\""));
    assert_true(has("\"status\":404,\"error\":\"task_not_found\"}"));
    make((struct answer_style){ 0 }, facts);
    assert_true(has("Content-Type: application/json"));
    assert_true(has("\r\n\r\n{\"error\":\"task_not_found\"}"));
}

static void what_to_do_next_is_in_the_head(void **state)
{
    (void)state;
    make((struct answer_style){ 0 }, (struct answer_facts){ .status = 429,
                                                            .body = SLICE("{}"),
                                                            .retry_after_ms = 1001 });
    assert_true(has("Retry-After: 2\r\n"));
    make((struct answer_style){ 0 },
         (struct answer_facts){ .status = 401, .body = SLICE("{}"), .replayed = true });
    assert_true(has("WWW-Authenticate: Bearer\r\n"));
    assert_true(has("Idempotency-Replayed: true\r\n"));
}

static void assert_filled(const char *body, const char *expected)
{
    const struct answer_member members[] = { { "token", SLICE("T") },
                                             { "url", SLICE("U") } };
    struct buffer buffer;
    buffer_init(&buffer, 4096);
    answer_fill(&buffer, slice_from_text(body), members, 2);
    assert_false(buffer_failed(&buffer));
    assert_true(slice_equal_text(buffer_slice(&buffer), expected));
    buffer_finish(&buffer);
}

static void texts_go_where_they_stand_empty_or_in_front(void **state)
{
    (void)state;
    assert_filled("{\"a\":1,\"token\":\"\",\"url\":\"\",\"b\":2}",
                  "{\"a\":1,\"token\":\"T\",\"url\":\"U\",\"b\":2}");
    assert_filled("{\"url\":\"\",\"token\":\"\"}", "{\"url\":\"U\",\"token\":\"T\"}");
    assert_filled("{\"token\":\"\"}", "{\"url\":\"U\",\"token\":\"T\"}");
    assert_filled("{\"a\":1}", "{\"token\":\"T\",\"url\":\"U\",\"a\":1}");
    assert_filled("{\"a\":\"\\\"token\\\":\\\"\\\"\"}",
                  "{\"token\":\"T\",\"url\":\"U\",\"a\":\"\\\"token\\\":\\\"\\\"\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_says_its_length_and_that_it_is_json),
        cmocka_unit_test(a_head_has_no_body_but_its_length),
        cmocka_unit_test(an_error_is_a_problem_document_when_asked_for),
        cmocka_unit_test(what_to_do_next_is_in_the_head),
        cmocka_unit_test(texts_go_where_they_stand_empty_or_in_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
