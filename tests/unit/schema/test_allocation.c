/*
 * Goal: once warm, reading and validating what is valid asks nobody for memory.
 * Method: every call for memory of the whole program is counted, those of PCRE2 and libc
 * included: under a sanitizer by its hooks, else by standing in for malloc and its kin.
 */
#include "schema/schema.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

static atomic_ulong allocations;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

#ifdef SANITIZED

int __sanitizer_install_malloc_and_free_hooks(void (*taken)(const volatile void *,
                                                            size_t),
                                              void (*freed)(const volatile void *));

static void taken(const volatile void *memory, size_t bytes)
{
    (void)memory;
    (void)bytes;
    atomic_fetch_add(&allocations, 1);
}

static void freed(const volatile void *memory)
{
    (void)memory;
}

static void counting_start(void)
{
    assert_true(__sanitizer_install_malloc_and_free_hooks(taken, freed) > 0);
}

#else

/* What glibc's own go by. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_memalign(alignment, bytes);
}

static void counting_start(void)
{
}

#endif

/* Keywords of every kind, among them branches that fail on the way to a valid whole. Not
 * the format `regex`, which has PCRE2 compile what it is shown. */
static const char SCHEMA_TEXT[] =
    "{'$id': 'https://example.com/all', '$dynamicAnchor': 'item', 'type': 'object',"
    " 'required': ['kind', 'name'], 'maxProperties': 40,"
    " 'propertyNames': {'pattern': '^[a-z_0-9]+$'},"
    " 'properties': {"
    "  'kind': {'enum': ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l']},"
    "  'name': {'type': 'string', 'minLength': 2, 'maxLength': 3000,"
    "           'pattern': '^(\\\\p{L}|[0-9 ])+$'},"
    "  'price': {'type': 'number', 'exclusiveMinimum': 0, 'multipleOf': 0.01},"
    "  'many': {'type': 'array', 'uniqueItems': true, 'items': {'maximum': 5000}},"
    "  'deep': {'uniqueItems': true},"
    "  'pair': {'prefixItems': [{'type': 'string'}, {'type': 'integer'}],"
    "           'items': false, 'contains': {'const': 7}},"
    "  'open': {'prefixItems': [true], 'contains': {'type': 'null'},"
    "           'unevaluatedItems': {'type': 'boolean'}},"
    "  'child': {'$dynamicRef': '#item'},"
    "  'when': {'format': 'date-time'}, 'host': {'format': 'hostname'},"
    "  'mail': {'format': 'email'}, 'link': {'format': 'uri'},"
    "  'id': {'format': 'uuid'}},"
    " 'patternProperties': {'^x_': {'anyOf': [{'type': 'null'}, {'minItems': 3},"
    "                                         {'type': 'string'}]}},"
    " 'dependentRequired': {'price': ['kind']},"
    " 'dependentSchemas': {'pair': {'properties': {'kind': {'not': {'const': 'b'}}}}},"
    " 'oneOf': [{'properties': {'kind': {'const': 'b'}}, 'required': ['none']},"
    "           {'properties': {'kind': {'const': 'c'}}, 'required': ['none']},"
    "           {'required': ['kind']}],"
    " 'if': {'required': ['price']}, 'then': {'minProperties': 3},"
    " 'else': {'maxProperties': 2}, 'unevaluatedProperties': {'type': 'null'}}";

static const char INSTANCE_HEAD[] =
    "{'kind': 'a', 'name': 'Gr\\u00fc\\u00dfe 12', 'price': 1234567890123456789012.25,"
    " 'deep': [{'a': [1, 2, {'b': null}]}, {'a': [1, 2, {'b': 0}]}, 1, 1.5, 'x'],"
    " 'pair': ['a', 7], 'open': [1, null, true], 'x_one': 'text', 'x_two': 5,"
    " 'when': '2026-11-21T10:00:00.5Z', 'host': 'xn--ihqwcrb4cv8a8dqg056pqjye.example',"
    " 'mail': 'ada@example.com', 'link': 'https://example.com/a?b#c',"
    " 'id': '123e4567-e89b-12d3-a456-426614174000', 'other': null,"
    " 'child': {'kind': 'l', 'name': 'ab'}, 'many': [0";

enum { MANY = 3000, TEXT_BYTES = 64 * 1024 };

struct bench {
    struct schema *schema;
    struct schema_run *run;
    struct json *json;
    char text[TEXT_BYTES];
    size_t size;
};

/* JSON written with ' for ". */
static void quotes_turn(char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\'')
            *text = '"';
}

static void bench_init(struct bench *bench)
{
    struct schema_problem problem = { "", "" };
    char schema[sizeof SCHEMA_TEXT];
    memcpy(schema, SCHEMA_TEXT, sizeof schema);
    quotes_turn(schema);
    bench->schema = NULL;
    if (schema_compile(NULL, slice_from_text(schema), SCHEMA_FORMATS, &bench->schema,
                       &problem) != ERR_OK)
        fail_msg("%s: %s", problem.pointer, problem.reason);
    bench->run = schema_run_create();
    bench->json = json_create(&JSON_LIMITS_DEFAULT);
    assert_non_null(bench->run);
    assert_non_null(bench->json);

    int size = snprintf(bench->text, sizeof bench->text, "%s", INSTANCE_HEAD);
    for (int i = 1; i < MANY; i++)
        size += snprintf(bench->text + size, sizeof bench->text - (size_t)size, ",%d", i);
    size += snprintf(bench->text + size, sizeof bench->text - (size_t)size, "]}");
    quotes_turn(bench->text);
    bench->size = (size_t)size;
}

static void bench_finish(struct bench *bench)
{
    json_destroy(bench->json);
    schema_run_destroy(bench->run);
    schema_destroy(bench->schema);
}

static bool round_run(struct bench *bench, bool collect)
{
    struct json_problem problem;
    bool valid = false;
    assert_int_equal(
        json_parse(bench->json, slice_make(bench->text, bench->size), &problem), ERR_OK);
    assert_int_equal(schema_validate(bench->schema, bench->run, bench->json,
                                     json_root(bench->json), collect, &valid),
                     ERR_OK);
    for (size_t i = 0; !valid && i < schema_violation_count(bench->run); i++) {
        const struct schema_violation *violation = schema_violation_at(bench->run, i);
        print_message("%.*s: %.*s\n", (int)violation->keyword_location.size,
                      violation->keyword_location.data, (int)violation->detail.size,
                      violation->detail.data);
    }
    return valid;
}

static void a_valid_instance_costs_no_memory_once_warm(void **state)
{
    (void)state;
    static struct bench bench;
    bench_init(&bench);
    assert_true(round_run(&bench, true));

    unsigned long before = atomic_load(&allocations);
    bool valid = true;
    for (int i = 0; i < 100; i++)
        valid = round_run(&bench, i % 2 == 0) && valid;
    unsigned long after = atomic_load(&allocations);
    assert_true(valid);
    assert_int_equal(after - before, 0);
    bench_finish(&bench);
}

static void a_small_instance_needs_no_warming(void **state)
{
    (void)state;
    static struct bench bench;
    bench_init(&bench);
    bench.size = (size_t)snprintf(bench.text, sizeof bench.text,
                                  "{\"kind\":\"a\",\"name\":\"ab\"}");
    struct json_problem problem;
    assert_int_equal(json_parse(bench.json, slice_make(bench.text, bench.size), &problem),
                     ERR_OK);

    unsigned long before = atomic_load(&allocations);
    bool valid = false;
    enum err err = schema_validate(bench.schema, bench.run, bench.json,
                                   json_root(bench.json), true, &valid);
    unsigned long after = atomic_load(&allocations);
    assert_int_equal(err, ERR_OK);
    assert_true(valid);
    assert_int_equal(after - before, 0);
    bench_finish(&bench);
}

/* Else the two above would prove nothing. */
static void the_count_sees_who_asks_for_memory(void **state)
{
    (void)state;
    static struct bench bench;
    unsigned long before = atomic_load(&allocations);
    bench_init(&bench);
    assert_true(atomic_load(&allocations) - before > 10);
    assert_true(round_run(&bench, true));

    /* What is explained is written down. */
    char *kind = strstr(bench.text, "\"kind\": \"a\"");
    assert_non_null(kind);
    memcpy(kind, "\"kind\": \"z\"", sizeof "\"kind\": \"z\"" - 1);
    before = atomic_load(&allocations);
    bool valid = round_run(&bench, true);
    assert_false(valid);
    assert_true(atomic_load(&allocations) > before);
    bench_finish(&bench);
}

int main(void)
{
    counting_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_valid_instance_costs_no_memory_once_warm),
        cmocka_unit_test(a_small_instance_needs_no_warming),
        cmocka_unit_test(the_count_sees_who_asks_for_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
