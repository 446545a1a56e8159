/*
 * Instances against schemas that are sound: every message's own, and a few that use what
 * those do not. The first byte chooses the schema, the rest is the instance. The verdict
 * is the same whoever asks and however often, and what is said of it is well formed.
 */
#include "base/ensure.h"
#include "json/writer.h"
#include "message/row.h"
#include "schema/schema.h"

#include <string.h>

enum { SCHEMAS_MAX = 1024, STEPS_MAX = 20000, DEPTH_MAX = 256 };
#define OUTPUT_BYTES_MAX ((size_t)4 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const TEXTS[] = {
    "{\"$dynamicRef\":\"#n\",\"$defs\":{\"t\":{\"$dynamicAnchor\":\"n\",\"properties\":"
    "{\"next\":{\"$dynamicRef\":\"#n\"},\"value\":{\"type\":[\"integer\",\"null\"]}},"
    "\"unevaluatedProperties\":false}}}",
    "{\"if\":{\"required\":[\"a\"]},\"then\":{\"properties\":{\"a\":{\"const\":[1,{\"b\":"
    "2.5}]}}},\"else\":{\"maxProperties\":2},\"dependentSchemas\":{\"c\":{\"minProperties\""
    ":3}},\"dependentRequired\":{\"d\":[\"e\"]},\"propertyNames\":{\"maxLength\":8}}",
    "{\"prefixItems\":[{\"type\":\"string\",\"pattern\":\"^(a|b)+$\"},true],\"contains\":{"
    "\"multipleOf\":0.01},\"minContains\":1,\"maxContains\":3,\"unevaluatedItems\":{\"type\""
    ":\"number\",\"exclusiveMaximum\":1e20},\"uniqueItems\":true}",
    "{\"oneOf\":[{\"format\":\"date-time\"},{\"format\":\"uri-reference\"},{\"format\":"
    "\"ipv6\"},{\"format\":\"idn-email\"},{\"format\":\"regex\"}],\"not\":{\"enum\":[\"\","
    "null,0]}}",
    "{\"patternProperties\":{\"^\\\\p{L}\":{\"minimum\":-0.0},\"[0-9]$\":{\"items\":{"
    "\"maxItems\":1}}},\"additionalProperties\":{\"anyOf\":[{\"maxLength\":3},{\"minItems\""
    ":1}]}}",
    "{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}",
};

struct bench {
    struct schema *schemas[SCHEMAS_MAX];
    size_t count;
    struct json *json;
    struct json *output;
    struct schema_run *warm; /* has seen every input before */
};

static void text_add(struct bench *bench, struct slice text,
                     enum schema_vocabulary vocabulary)
{
    struct schema_problem problem;
    if (!slice_is_present(text))
        return;
    ENSURE(bench->count < SCHEMAS_MAX);
    ENSURE(schema_compile(NULL, text, vocabulary, &bench->schemas[bench->count++],
                          &problem) == ERR_OK);
}

static struct schema_run *run_make(void)
{
    struct schema_run *run = schema_run_create();
    ENSURE(run != NULL);
    schema_run_limit(run, STEPS_MAX, DEPTH_MAX);
    return run;
}

static void bench_make(struct bench *bench)
{
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        text_add(bench, slice_from_text(TEXTS[i]), SCHEMA_FORMATS);
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        text_add(bench, MESSAGE_ROWS[i].schema, SCHEMA_STRICT);
        text_add(bench, MESSAGE_ROWS[i].schema_query, SCHEMA_STRICT);
    }
    bench->json = json_create(&JSON_LIMITS_DEFAULT);
    bench->output = json_create(&JSON_LIMITS_DEFAULT);
    bench->warm = run_make();
    ENSURE(bench->json != NULL && bench->output != NULL);
}

/* What is told can be read, and agrees with the verdict. */
static void output_check(struct bench *bench, const struct schema_run *run, bool valid)
{
    struct buffer text;
    struct json_writer writer;
    struct json_problem problem;
    buffer_init(&text, OUTPUT_BYTES_MAX);
    json_writer_init(&writer, &text);
    schema_output_basic(run, valid, &writer);
    ENSURE(!buffer_failed(&text));
    ENSURE(json_parse(bench->output, buffer_slice(&text), &problem) == ERR_OK);
    const struct json_node *said =
        json_member(bench->output, json_root(bench->output), SLICE_OF("valid"));
    ENSURE(said != NULL && (said->kind == JSON_TRUE) == valid);
    buffer_finish(&text);
}

static void violations_check(const struct schema_run *run)
{
    for (size_t i = 0; i < schema_violation_count(run); i++) {
        const struct schema_violation *broken = schema_violation_at(run, i);
        struct slice at = broken->instance_location;
        ENSURE(broken->value != NULL && broken->keyword_location.size > 0);
        ENSURE(at.size == 0 || at.data[0] == '/');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bench bench;
    struct json_problem problem;
    if (bench.count == 0)
        bench_make(&bench);
    if (size == 0)
        return 0;
    const struct schema *schema = bench.schemas[data[0] % bench.count];
    if (json_parse(bench.json, slice_make(data + 1, size - 1), &problem) != ERR_OK)
        return 0;
    const struct json_node *root = json_root(bench.json);
    struct schema_run *fresh = run_make();
    bool first = false;
    bool second = false;
    enum err quiet = schema_validate(schema, bench.warm, bench.json, root, false, &first);
    enum err told = schema_validate(schema, fresh, bench.json, root, true, &second);
    if (quiet == ERR_OK && told == ERR_OK) {
        ENSURE(first == second);
        violations_check(fresh);
        output_check(&bench, fresh, second);
    }
    /* To tell what is wrong takes more steps, never fewer. */
    ENSURE(quiet == ERR_OK || told != ERR_OK || !second);
    schema_run_destroy(fresh);
    return 0;
}
