/* A line of schema, then an instance: both must get an answer, and the same one twice. */
#include "schema/schema.h"

#include "base/ensure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void instance_try(const struct schema *schema, struct json *json)
{
    struct schema_run *run = schema_run_create();
    ENSURE(run != NULL);
    schema_run_limit(run, 20000, 256);
    bool valid = false;
    bool again = false;
    enum err err = schema_validate(schema, run, json, json_root(json), true, &valid);
    if (err == ERR_OK) {
        ENSURE(!valid || schema_violation_count(run) == 0);
        for (size_t i = 0; i < schema_violation_count(run); i++)
            ENSURE(schema_violation_at(run, i)->value != NULL);
        ENSURE(schema_validate(schema, run, json, json_root(json), false, &again) ==
               ERR_OK);
        ENSURE(valid == again);
    }
    schema_run_destroy(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = { (const char *)data, size };
    size_t line = slice_find(input, '\n');
    struct slice text = { input.data, line };
    struct schema_problem problem;
    struct schema *schema = NULL;
    enum schema_vocabulary vocabulary =
        (enum schema_vocabulary)(size % 2 == 0 ? SCHEMA_FORMATS : SCHEMA_STRICT);

    if (schema_compile(NULL, text, vocabulary, &schema, &problem) != ERR_OK)
        return 0;
    struct json *json = json_create(&JSON_LIMITS_DEFAULT);
    struct json_problem json_problem;
    ENSURE(json != NULL);
    if (json_parse(json, slice_skip(input, line + 1), &json_problem) == ERR_OK)
        instance_try(schema, json);
    json_destroy(json);
    schema_destroy(schema);
    return 0;
}
