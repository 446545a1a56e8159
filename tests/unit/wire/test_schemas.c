/*
 * Goal: what schemas/ shows is what the hub takes and says: every example passes its own
 * schema and comes back out as it went in.
 */
#include "support/wire/bench.h"

#include "schema/schema.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"

enum { FILE_BYTES_MAX = 64 * 1024 };

static struct slice text_of_file(struct bench *bench, const char *folder,
                                 struct slice name)
{
    char path[512];
    snprintf(path, sizeof path, DROVER_SOURCE_DIR "/schemas/%s/%.*s.json", folder,
             (int)name.size, name.data);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s cannot be read", path);
    char *bytes = arena_take(&bench->arena, FILE_BYTES_MAX);
    assert_non_null(bytes);
    size_t size = fread(bytes, 1, FILE_BYTES_MAX, file);
    assert_true(size > 0 && size < FILE_BYTES_MAX);
    fclose(file);
    return slice_make(bytes, size);
}

/* Members may stand in another order in the example, so a second trip is compared. */
static void comes_back(struct bench *bench, struct slice name,
                       bool (*read)(struct bench *, const char *))
{
    char first[FILE_BYTES_MAX];
    const char *text = bench_text(bench, &bench->message);
    assert_true(strlen(text) < sizeof first);
    memcpy(first, text, strlen(text) + 1);
    if (!read(bench, first))
        fail_msg("%.*s does not take back %s", (int)name.size, name.data, first);
    assert_string_equal(bench_text(bench, &bench->message), first);
}

static void frames_of(struct bench *bench, const struct message_row *row,
                      struct json *json)
{
    struct json_problem problem;
    bool (*read)(struct bench *, const char *) =
        row->direction == DIRECTION_SOCKET_IN ? bench_inbound : bench_outbound;
    const char *folder =
        row->direction == DIRECTION_SOCKET_IN ? "socket/in" : "socket/out";
    struct slice text = text_of_file(bench, folder, row->name);
    assert_int_equal(json_parse(json, text, &problem), ERR_OK);
    const struct json_node *examples =
        json_member(json, json_root(json), SLICE_OF("examples"));
    assert_non_null(examples);
    assert_true(examples->count > 0);
    for (const struct json_node *node = json_child(json, examples); node != NULL;
         node = json_after(json, examples, node)) {
        struct slice example = arena_copy(&bench->arena, node->raw);
        if (!read(bench, example.data))
            fail_msg("%s is refused: %s", example.data, bench_refusal_text(bench, false));
        comes_back(bench, row->name, read);
    }
}

static void every_frame_shown_is_one_the_hub_takes_or_says(void **state)
{
    struct bench *bench = *state;
    struct json *json = json_create(&JSON_LIMITS_DEFAULT);
    assert_non_null(json);
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        const struct message_row *row = &MESSAGE_ROWS[i];
        arena_clear(&bench->arena);
        if (row->direction == DIRECTION_SOCKET_IN ||
            row->direction == DIRECTION_SOCKET_OUT)
            frames_of(bench, row, json);
    }
    json_destroy(json);
}

static enum message_type answer_of(enum message_type route)
{
    /* A route's answer is the row behind it. */
    assert_int_equal(MESSAGE_ROWS[route + 1].direction, DIRECTION_HTTP_ANSWER);
    return (enum message_type)(route + 1);
}

/* Without an example the pattern itself will do for a value: it is a short text. */
static size_t path_of(const struct message_row *row, struct wire_parameter *parameters)
{
    size_t count;
    bool other;
    wire_route(row->method, row->path, parameters, 4, &count, &other);
    return count;
}

static void exchange(struct bench *bench, enum message_type route,
                     const struct json *json, const struct json_node *example)
{
    const struct json_node *request = json_member(json, example, SLICE_OF("request"));
    const struct json_node *answer = json_member(json, example, SLICE_OF("answer"));
    struct wire_parameter parameters[4];
    const struct json_node *path = json_member(json, example, SLICE_OF("path"));
    size_t count = path_of(&MESSAGE_ROWS[route], parameters);
    for (size_t i = 0; i < count && path != NULL; i++) {
        const struct json_node *value = json_member(json, path, parameters[i].name);
        assert_non_null(value);
        parameters[i].value = value->value.text;
    }
    struct slice body = request == NULL ? (struct slice){ 0 } : request->raw;
    if (!wire_parse_request(bench->reader, route, parameters, count, body, &bench->arena,
                            &bench->message, &bench->refusal))
        fail_msg("%.*s is refused: %s", (int)body.size, body.data,
                 bench_refusal_text(bench, true));
    assert_non_null(answer);
    if (!wire_parse_answer(bench->reader, answer_of(route), answer->raw, &bench->arena,
                           &bench->message, &bench->refusal))
        fail_msg("%.*s is no answer: %s", (int)answer->raw.size, answer->raw.data,
                 bench_refusal_text(bench, true));
}

static void every_request_and_answer_shown_is_valid(void **state)
{
    struct bench *bench = *state;
    struct json *json = json_create(&JSON_LIMITS_DEFAULT);
    assert_non_null(json);
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        const struct message_row *row = &MESSAGE_ROWS[i];
        struct json_problem problem;
        if (row->direction != DIRECTION_HTTP_REQUEST)
            continue;
        arena_clear(&bench->arena);
        struct slice text = text_of_file(bench, "http", row->name);
        assert_int_equal(json_parse(json, text, &problem), ERR_OK);
        const struct json_node *examples =
            json_member(json, json_root(json), SLICE_OF("examples"));
        assert_non_null(examples);
        assert_true(examples->count > 0);
        for (const struct json_node *node = json_child(json, examples); node != NULL;
             node = json_after(json, examples, node))
            exchange(bench, (enum message_type)i, json, node);
    }
    json_destroy(json);
}

static void a_document_is_what_its_route_says_it_answers(void **state)
{
    struct bench *bench = *state;
    size_t found = 0;
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        struct slice document = MESSAGE_ROWS[i].document;
        if (!slice_is_present(document))
            continue;
        found++;
        arena_clear(&bench->arena);
        assert_int_equal(MESSAGE_ROWS[i].kind, KIND_DOOR);
        if (!wire_parse_answer(bench->reader, answer_of((enum message_type)i), document,
                               &bench->arena, &bench->message, &bench->refusal))
            fail_msg("%.*s: %s", (int)MESSAGE_ROWS[i].name.size,
                     MESSAGE_ROWS[i].name.data, bench_refusal_text(bench, true));
    }
    assert_int_equal(found, 3);
    assert_int_equal(DOCUMENTS_DIGEST.size, 2 * DIGEST_BYTES);
}

static void the_settings_schema_takes_its_example_and_nothing_unknown(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } CASES[] = {
        { "{}", true },
        { "{\"listen\":\"127.0.0.1:4000\",\"log_level\":\"notice\"}", true },
        { "{\"lisen\":\"127.0.0.1:4000\"}", false },
        { "{\"lease_ms\":0}", false },
        { "{\"log_level\":\"loud\"}", false },
        { "{\"open_registration\":1}", false },
    };
    struct schema *schema = NULL;
    struct schema_problem problem;
    assert_int_equal(
        schema_compile(NULL, SETTINGS_SCHEMA, SCHEMA_STRICT, &schema, &problem), ERR_OK);
    struct schema_run *run = schema_run_create();
    struct json *json = json_create(&JSON_LIMITS_DEFAULT);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct json_problem broken;
        bool valid = !CASES[i].valid;
        assert_int_equal(json_parse(json, slice_from_text(CASES[i].text), &broken),
                         ERR_OK);
        assert_int_equal(
            schema_validate(schema, run, json, json_root(json), true, &valid), ERR_OK);
        if (valid != CASES[i].valid)
            fail_msg("%s", CASES[i].text);
    }
    json_destroy(json);
    schema_run_destroy(run);
    schema_destroy(schema);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_frame_shown_is_one_the_hub_takes_or_says),
        TEST(every_request_and_answer_shown_is_valid),
        TEST(a_document_is_what_its_route_says_it_answers),
        TEST(the_settings_schema_takes_its_example_and_nothing_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
