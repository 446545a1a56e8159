/*
 * Goal: what the bench of schemas measures is what it says it is.
 * Method: each case's whole instance is found valid and its broken one not,
 * under the vocabulary of our own schemas.
 */
#include "benchmark/schema_cases.h"
#include "schema/schema.h"

#include "cmocka_all.h"

enum { LARGE_BYTES = 190 * 1000, LARGE_BYTES_MAX = 215 * 1000 };

static bool validate(const struct schema *schema, struct schema_run *run,
                     struct slice text)
{
    struct json_problem problem;
    bool valid = false;
    struct json *json = json_create(&JSON_LIMITS_DEFAULT);
    assert_non_null(json);
    assert_int_equal(json_parse(json, text, &problem), ERR_OK);
    assert_int_equal(schema_validate(schema, run, json, json_root(json), true, &valid),
                     ERR_OK);
    json_destroy(json);
    return valid;
}

static void a_case_is_valid_and_its_broken_twin_is_not(void **state)
{
    (void)state;
    struct schema_cases cases;
    struct schema_problem problem = { "", "" };
    struct schema_run *run = schema_run_create();
    assert_non_null(run);
    assert_int_equal(schema_cases_init(&cases), ERR_OK);
    for (size_t i = 0; i < cases.count; i++) {
        struct schema *schema = NULL;
        if (schema_compile(NULL, buffer_slice(&cases.items[i].schema),
                           (enum schema_vocabulary)(SCHEMA_STRICT | SCHEMA_FORMATS),
                           &schema, &problem) != ERR_OK)
            fail_msg("%s: %s: %s", cases.items[i].name, problem.pointer, problem.reason);
        if (!validate(schema, run, buffer_slice(&cases.items[i].instance)))
            fail_msg("%s is not valid", cases.items[i].name);
        if (validate(schema, run, buffer_slice(&cases.items[i].broken)))
            fail_msg("%s is valid though broken", cases.items[i].name);
        assert_true(schema_violation_count(run) > 0);
        schema_destroy(schema);
    }
    schema_cases_finish(&cases);
    schema_run_destroy(run);
}

static void the_large_one_is_large(void **state)
{
    (void)state;
    struct schema_cases cases;
    assert_int_equal(schema_cases_init(&cases), ERR_OK);
    assert_true(cases.count > 1);
    assert_in_range(cases.items[cases.count - 1].instance.size, LARGE_BYTES,
                    LARGE_BYTES_MAX);
    schema_cases_finish(&cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_is_valid_and_its_broken_twin_is_not),
        cmocka_unit_test(the_large_one_is_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
