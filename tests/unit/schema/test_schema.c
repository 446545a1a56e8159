/*
 * Goal: what a schema means, what is refused at compile time, and what is told about an
 * instance that breaks it.
 * Method: schemas and instances as texts; the public suite (test_suite.c) has the breadth.
 */
#include "schema/schema.h"

#include "json/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

static struct schema_set *set;
static struct schema_run *run;
static struct schema *schema;
static struct json *json;
static char *instance_text;

static int schema_start(void **state)
{
    (void)state;
    set = schema_set_create();
    run = schema_run_create();
    json = json_create(&JSON_LIMITS_DEFAULT);
    return set == NULL || run == NULL || json == NULL;
}

static int schema_stop(void **state)
{
    (void)state;
    schema_destroy(schema);
    schema = NULL;
    schema_run_destroy(run);
    schema_set_destroy(set);
    json_destroy(json);
    free(instance_text);
    instance_text = NULL;
    return 0;
}

static void compile_as(enum schema_vocabulary vocabulary, const char *text)
{
    struct schema_problem problem = { "", "" };
    schema_destroy(schema);
    schema = NULL;
    enum err err =
        schema_compile(set, slice_from_text(text), vocabulary, &schema, &problem);
    if (err != ERR_OK)
        fail_msg("%s: %s: %s", text, problem.pointer, problem.reason);
}

static void compile(const char *text)
{
    compile_as(SCHEMA_STANDARD, text);
}

static void refuse_as(enum schema_vocabulary vocabulary, const char *text, enum err want,
                      const char *pointer)
{
    struct schema_problem problem = { "?", "" };
    struct schema *unwanted = NULL;
    enum err err =
        schema_compile(set, slice_from_text(text), vocabulary, &unwanted, &problem);
    schema_destroy(unwanted);
    if (err != want)
        fail_msg("%s: %s (%s), not %s", text, err_name(err), problem.reason,
                 err_name(want));
    assert_string_equal(problem.pointer, pointer);
    assert_true(problem.reason[0] != '\0');
}

static void refuse(const char *text, const char *pointer)
{
    refuse_as(SCHEMA_STANDARD, text, ERR_INVALID, pointer);
}

static enum err verdict(const char *text, bool *ret_valid)
{
    struct json_problem problem;
    free(instance_text);
    instance_text = strdup(text);
    assert_non_null(instance_text);
    assert_int_equal(json_parse(json, slice_from_text(instance_text), &problem), ERR_OK);
    return schema_validate(schema, run, json, json_root(json), true, ret_valid);
}

static bool valid(const char *text)
{
    bool result = false;
    assert_int_equal(verdict(text, &result), ERR_OK);
    assert_int_equal(schema_violation_count(run) > 0, !result);
    return result;
}

/* The instance is invalid, and the violation at `index` says so. */
static void assert_violation(size_t index, const char *keyword, const char *instance,
                             const char *location, const char *detail)
{
    assert_true(index < schema_violation_count(run));
    const struct schema_violation *found = schema_violation_at(run, index);
    if (!slice_equal_text(found->keyword, keyword) ||
        !slice_equal_text(found->instance_location, instance) ||
        !slice_equal_text(found->keyword_location, location))
        fail_msg("%.*s at %.*s by %.*s", (int)found->keyword.size, found->keyword.data,
                 (int)found->instance_location.size, found->instance_location.data,
                 (int)found->keyword_location.size, found->keyword_location.data);
    if (detail != NULL)
        assert_true(slice_equal_text(found->detail, detail));
}

static void a_violation_says_where_and_which(void **state)
{
    (void)state;
    compile("{\"properties\":{\"a/b~\":{\"items\":{\"type\":\"string\"}}},"
            "\"required\":[\"x\",\"y\"],\"minProperties\":1}");
    assert_true(valid("{\"x\":1,\"y\":2,\"a/b~\":[\"s\"]}"));
    assert_false(valid("{\"a/b~\":[\"s\",1,\"t\",null],\"y\":0}"));
    assert_int_equal(schema_violation_count(run), 3);
    assert_violation(0, "type", "/a~1b~0/1", "/properties/a~1b~0/items/type", NULL);
    assert_violation(1, "type", "/a~1b~0/3", "/properties/a~1b~0/items/type", NULL);
    assert_violation(2, "required", "", "/required", "x");
    assert_int_equal(schema_violation_at(run, 1)->value->kind, JSON_NULL);
    assert_false(valid("{}"));
    assert_violation(0, "minProperties", "", "/minProperties", NULL);
    assert_violation(1, "required", "", "/required", "x");
    assert_violation(2, "required", "", "/required", "y");
}

static void locations_go_through_references(void **state)
{
    (void)state;
    compile("{\"$ref\":\"#/$defs/list\",\"$defs\":{\"list\":{\"prefixItems\":[true,"
            "{\"$ref\":\"#/$defs/word\"}]},\"word\":{\"minLength\":2}}}");
    assert_false(valid("[0,\"x\"]"));
    assert_violation(0, "minLength", "/1", "/$ref/prefixItems/1/$ref/minLength", NULL);
}

static void a_false_schema_is_told_by_the_keyword_that_holds_it(void **state)
{
    (void)state;
    compile("{\"properties\":{\"a\":true},\"additionalProperties\":false}");
    assert_false(valid("{\"a\":1,\"b\":2}"));
    assert_violation(0, "additionalProperties", "/b", "/additionalProperties", NULL);
}

static void a_failed_choice_tells_its_branches_too(void **state)
{
    (void)state;
    compile("{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\",\"minimum\":5}]}");
    assert_false(valid("3"));
    assert_violation(0, "oneOf", "", "/oneOf", NULL);
    assert_violation(1, "type", "", "/oneOf/0/type", NULL);
    assert_violation(2, "minimum", "", "/oneOf/1/minimum", NULL);
    assert_true(valid("5"));
    assert_true(valid("\"x\""));
}

static void what_must_not_match_says_nothing_inside(void **state)
{
    (void)state;
    compile("{\"not\":{\"not\":{\"type\":\"string\"}},\"contains\":{\"const\":1},"
            "\"if\":{\"const\":0},\"else\":{\"type\":[\"string\",\"array\"]}}");
    assert_false(valid("7"));
    assert_int_equal(schema_violation_count(run), 2);
    assert_violation(0, "type", "", "/else/type", NULL);
    assert_violation(1, "not", "", "/not", NULL);
}

static void violations_stop_at_their_limit(void **state)
{
    (void)state;
    char text[1024] = "[";
    compile("{\"items\":{\"type\":\"null\"}}");
    for (size_t i = 0; i < SCHEMA_VIOLATIONS_MAX + 10; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s1",
                 i == 0 ? "" : ",");
    snprintf(text + strlen(text), sizeof text - strlen(text), "]");
    assert_false(valid(text));
    assert_int_equal(schema_violation_count(run), SCHEMA_VIOLATIONS_MAX);
    assert_violation(SCHEMA_VIOLATIONS_MAX - 1, "type", "/31", "/items/type", NULL);
}

static void a_part_of_an_instance_is_validated_alone(void **state)
{
    (void)state;
    compile("{\"properties\":{\"n\":{\"maximum\":3}}}");
    assert_true(valid("{\"outer\":[{\"n\":4}],\"n\":1}"));
    const struct json_node *outer = json_member(json, json_root(json), SLICE_OF("outer"));
    bool result = true;
    assert_int_equal(
        schema_validate(schema, run, json, json_child(json, outer), true, &result),
        ERR_OK);
    assert_false(result);
    assert_violation(0, "maximum", "/n", "/properties/n/maximum", NULL);
    assert_int_equal(
        schema_validate(schema, run, json, json_child(json, outer), false, &result),
        ERR_OK);
    assert_false(result);
    assert_int_equal(schema_violation_count(run), 0);
}

static void numbers_are_exact(void **state)
{
    (void)state;
    compile("{\"maximum\":9007199254740993,\"multipleOf\":0.1}");
    assert_true(valid("9007199254740993"));
    assert_true(valid("9007199254740992.9"));
    assert_false(valid("9007199254740993.1"));
    assert_false(valid("9007199254740994"));
    assert_true(valid("0.3"));
    assert_false(valid("0.35"));
    assert_true(valid("-1e-1"));
    assert_true(valid("-1e300"));
    assert_false(valid("1e300"));
    compile("{\"const\":1e2}");
    assert_true(valid("100"));
    assert_true(valid("100.0"));
    assert_true(valid("10.0E+1"));
    assert_false(valid("100.00000000000000000000000000001"));
    compile("{\"type\":\"integer\"}");
    assert_true(valid("1.0"));
    assert_true(valid("-0"));
    assert_true(valid("12345678901234567890123"));
    assert_true(valid("1.5e1"));
    assert_false(valid("1.55e1"));
    compile("{\"enum\":[0,false]}");
    assert_true(valid("-0.0"));
    assert_true(valid("false"));
    assert_false(valid("null"));
}

static void large_arrays_are_checked_for_equal_items(void **state)
{
    (void)state;
    char *text = malloc(200000);
    assert_non_null(text);
    compile("{\"uniqueItems\":true}");
    for (int twin = 0; twin < 2; twin++) {
        size_t size = (size_t)snprintf(text, 200000, "[");
        for (int i = 0; i < 5000; i++)
            size += (size_t)snprintf(text + size, 200000 - size,
                                     "{\"a\":%d,\"b\":[\"x\"]},", i);
        snprintf(text + size, 200000 - size, "{\"b\":[\"x\"],\"a\":%s}]",
                 twin ? "25e1" : "-1");
        assert_int_equal(valid(text), !twin);
    }
    free(text);
}

static void unevaluated_members_of_large_objects_are_found(void **state)
{
    (void)state;
    char *text = malloc(400000);
    assert_non_null(text);
    compile("{\"allOf\":[{\"patternProperties\":{\"^k\":true}}],"
            "\"unevaluatedProperties\":false}");
    size_t size = (size_t)snprintf(text, 400000, "{");
    for (int i = 0; i < 20000; i++)
        size += (size_t)snprintf(text + size, 400000 - size, "\"k%d\":0,", i);
    size_t end = size;
    snprintf(text + end, 400000 - end, "\"k\":0}");
    assert_true(valid(text));
    snprintf(text + end, 400000 - end, "\"stranger\":0}");
    assert_false(valid(text));
    assert_violation(0, "unevaluatedProperties", "/stranger", "/unevaluatedProperties",
                     NULL);
    free(text);
}

static void malformed_schemas_are_refused_where_they_are(void **state)
{
    (void)state;
    refuse("7", "");
    refuse("{\"type\":\"text\"}", "/type");
    refuse("{\"type\":[\"string\",4]}", "/type/1");
    refuse("{\"type\":[]}", "/type");
    refuse("{\"properties\":{\"a\":{\"items\":{\"minLength\":-1}}}}",
           "/properties/a/items/minLength");
    refuse("{\"maxItems\":1.5}", "/maxItems");
    refuse("{\"required\":[\"a\",\"a\"]}", "/required");
    refuse("{\"required\":[1]}", "/required");
    refuse("{\"items\":[{}]}", "/items");
    refuse("{\"allOf\":[]}", "/allOf");
    refuse("{\"anyOf\":[1]}", "/anyOf");
    refuse("{\"multipleOf\":0}", "/multipleOf");
    refuse("{\"multipleOf\":-2}", "/multipleOf");
    refuse("{\"multipleOf\":1.0000000000000000000000000001}", "/multipleOf");
    refuse("{\"pattern\":\"(\"}", "/pattern");
    refuse("{\"patternProperties\":{\"[\":{}}}", "/patternProperties/[");
    refuse("{\"dependentRequired\":{\"a\":\"b\"}}", "/dependentRequired/a");
    refuse("{\"$id\":\"http://x/#here\"}", "/$id");
    refuse("{\"$anchor\":\"1st\"}", "/$anchor");
    refuse("{\"uniqueItems\":1}", "/uniqueItems");
    refuse("{\"title\":1}", "/title");
}

static void references_must_lead_somewhere(void **state)
{
    (void)state;
    refuse("{\"$ref\":\"#/$defs/none\"}", "/$ref");
    refuse("{\"items\":{\"$ref\":\"#none\"}}", "/items/$ref");
    refuse("{\"$ref\":\"other.json\"}", "/$ref");
    refuse("{\"$ref\":\"http://nowhere.example/x\"}", "/$ref");
    refuse("{\"$ref\":\"#/%zz\"}", "/$ref");
    refuse("{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}", "/$schema");
}

static void our_own_vocabulary_refuses_what_it_does_not_know(void **state)
{
    (void)state;
    compile_as(SCHEMA_STRICT, "{\"x-tier\":\"normal\",\"properties\":{\"tpye\":{}}}");
    refuse_as(SCHEMA_STRICT, "{\"tpye\":\"string\"}", ERR_INVALID, "/tpye");
    refuse_as(SCHEMA_STRICT, "{\"items\":{\"maxLenght\":1}}", ERR_INVALID,
              "/items/maxLenght");
    refuse_as(SCHEMA_STRICT, "{\"$defs\":{\"unused\":{\"dependencies\":{}}}}",
              ERR_INVALID, "/$defs/unused/dependencies");
    compile("{\"tpye\":\"string\"}");
    assert_true(valid("1"));
}

static void formats_are_asserted_only_when_asked(void **state)
{
    (void)state;
    compile("{\"format\":\"date\"}");
    assert_true(valid("\"yesterday\""));
    compile_as((enum schema_vocabulary)(SCHEMA_STRICT | SCHEMA_FORMATS),
               "{\"format\":\"date\"}");
    assert_false(valid("\"yesterday\""));
    assert_violation(0, "format", "", "/format", NULL);
    assert_true(valid("\"2024-02-29\""));
    assert_true(valid("5"));
    refuse_as((enum schema_vocabulary)(SCHEMA_STRICT | SCHEMA_FORMATS),
              "{\"format\":\"dtae\"}", ERR_INVALID, "/format");
    compile_as(SCHEMA_FORMATS, "{\"format\":\"dtae\"}");
    assert_true(valid("\"x\""));
}

static void set_add(const char *uri, const char *text)
{
    struct schema_problem problem = { "", "" };
    enum err err =
        schema_set_add(set, slice_from_text(uri), slice_from_text(text), &problem);
    if (err != ERR_OK)
        fail_msg("%s: %s", uri, problem.reason);
}

static void documents_refer_to_each_other_by_relative_path(void **state)
{
    (void)state;
    set_add("common.json", "{\"$defs\":{\"id\":{\"type\":\"string\",\"minLength\":3}}}");
    set_add("messages/task.json", "{\"properties\":{\"id\":{\"$ref\":"
                                  "\"../common.json#/$defs/id\"},"
                                  "\"next\":{\"$ref\":\"note.json\"}}}");
    set_add("messages/note.json",
            "{\"$id\":\"http://x.example/note\",\"type\":\"null\"}");
    compile("{\"$ref\":\"messages/task.json\"}");
    assert_true(valid("{\"id\":\"abc\",\"next\":null}"));
    assert_false(valid("{\"id\":\"ab\"}"));
    assert_violation(0, "minLength", "/id", "/$ref/properties/id/$ref/minLength", NULL);
    assert_false(valid("{\"next\":0}"));
    compile("{\"$ref\":\"../common.json#/$defs/id\"}"); /* above the root is the root */
    assert_false(valid("\"ab\""));
    compile("{\"$ref\":\"http://x.example/note\"}");
    assert_false(valid("\"ab\""));
}

static void a_document_of_the_set_is_compiled_by_name(void **state)
{
    (void)state;
    struct schema_problem problem;
    set_add("deep/er/a.json", "{\"items\":{\"$ref\":\"b.json\"}}");
    set_add("deep/er/b.json", "{\"type\":\"boolean\"}");
    assert_int_equal(schema_compile_named(set, SLICE_OF("deep/er/a.json"), SCHEMA_STRICT,
                                          &schema, &problem),
                     ERR_OK);
    schema_set_destroy(set); /* a compiled schema stands alone */
    set = NULL;
    assert_true(valid("[true]"));
    assert_false(valid("[1]"));
    set = schema_set_create();
    assert_int_equal(schema_compile_named(set, SLICE_OF("deep/er/a.json"), SCHEMA_STRICT,
                                          &schema, &problem),
                     ERR_NOT_FOUND);
}

static void a_name_is_given_once(void **state)
{
    (void)state;
    struct schema_problem problem;
    set_add("a.json", "true");
    assert_int_equal(schema_set_add(set, SLICE_OF("a.json"), SLICE_OF("false"), &problem),
                     ERR_EXISTS);
    assert_int_equal(schema_set_add(set, SLICE_OF("b.json"), SLICE_OF("{"), &problem),
                     ERR_INVALID);
    compile("{\"$ref\":\"a.json\"}");
    assert_true(valid("1"));
}

static void a_schema_validates_against_its_metaschema(void **state)
{
    (void)state;
    compile("{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}");
    assert_true(valid("{\"type\":\"object\",\"properties\":{\"a\":{\"minimum\":1}}}"));
    assert_false(valid("{\"properties\":{\"a\":{\"minimum\":\"1\"}}}"));
}

static void endless_references_are_stopped(void **state)
{
    (void)state;
    bool result;
    compile("{\"$ref\":\"#\"}");
    assert_int_equal(verdict("1", &result), ERR_LIMIT);
    compile("{\"not\":{\"$ref\":\"#\"}}");
    assert_int_equal(verdict("1", &result), ERR_LIMIT);
    compile("{\"anyOf\":[{\"$ref\":\"#/$defs/a\"},true],"
            "\"$defs\":{\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/a\"}]}}}");
    assert_int_equal(verdict("1", &result), ERR_LIMIT);
}

static void the_step_budget_ends_what_costs_too_much(void **state)
{
    (void)state;
    bool result;
    compile("{\"items\":{\"type\":\"integer\"}}");
    schema_run_limit(run, 8, 64);
    assert_int_equal(verdict("[1,2,3]", &result), ERR_OK);
    assert_int_equal(verdict("[1,2,3,4,5,6,7,8,9]", &result), ERR_LIMIT);
    assert_int_equal(verdict("[1,2,3]", &result), ERR_OK); /* each starts anew */
}

static void expensive_patterns_are_ended(void **state)
{
    (void)state;
    bool result;
    compile("{\"pattern\":\"^(a+)+$\"}");
    assert_int_equal(
        verdict("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"", &result),
        ERR_LIMIT);
}

static void schemas_have_limits(void **state)
{
    (void)state;
    struct schema_limits limits = SCHEMA_LIMITS_DEFAULT;
    limits.text_bytes_max = 64;
    limits.nodes_max = 12;
    limits.depth_max = 4;
    limits.program_max = 5;
    limits.pattern_bytes_max = 8;
    schema_set_limit(set, &limits);
    compile("{\"pattern\":\"12345678\"}");
    refuse_as(SCHEMA_STANDARD, "{\"pattern\":\"123456789\"}", ERR_LIMIT, "/pattern");
    refuse_as(SCHEMA_STANDARD, "{\"enum\":[1,2,3,4,5,6,7,8,9,0,1,2,3]}", ERR_LIMIT, "");
    refuse_as(SCHEMA_STANDARD, "{\"not\":{\"not\":{\"not\":{\"not\":{}}}}}", ERR_LIMIT,
              "");
    refuse_as(SCHEMA_STANDARD, "{\"allOf\":[{},{},{},{}]}", ERR_LIMIT, "");
    refuse_as(SCHEMA_STANDARD,
              "{                                                                  }",
              ERR_LIMIT, "");
}

static void looking_up_many_names_is_bounded(void **state)
{
    (void)state;
    enum { ROOM = 512 * 1024, NAMES = 2000, MEMBERS = 20000 };
    char *text = malloc(ROOM);
    assert_non_null(text);
    size_t size = (size_t)snprintf(text, ROOM, "{\"dependentRequired\":{");
    for (int i = 0; i < NAMES; i++)
        size += (size_t)snprintf(text + size, ROOM - size, "%s\"x%d\":[]",
                                 i == 0 ? "" : ",", i);
    snprintf(text + size, ROOM - size, "}}");
    compile(text);
    size = (size_t)snprintf(text, ROOM, "{");
    for (int i = 0; i < MEMBERS; i++)
        size += (size_t)snprintf(text + size, ROOM - size, "%s\"y%d\":0",
                                 i == 0 ? "" : ",", i);
    snprintf(text + size, ROOM - size, "}");
    bool result;
    assert_int_equal(verdict(text, &result), ERR_LIMIT);
    free(text);
}

static void many_required_names_are_found_in_one_walk(void **state)
{
    (void)state;
    compile("{\"required\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]}");
    assert_true(valid("{\"f\":1,\"e\":1,\"d\":1,\"c\":1,\"b\":1,\"a\":1,\"g\":1}"));
    assert_false(valid("{\"f\":1,\"e\":1,\"d\":1,\"c\":1,\"a\":1,\"g\":1}"));
    assert_int_equal(schema_violation_count(run), 1);
    assert_violation(0, "required", "", "/required", "b");
}

static void the_basic_output_is_the_standards(void **state)
{
    (void)state;
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, 4096);
    compile("{\"items\":{\"required\":[\"a\"]}}");
    assert_false(valid("[{\"a\":1},{}]"));
    json_writer_init(&writer, &text);
    schema_output_basic(run, false, &writer);
    assert_true(slice_equal_text(
        buffer_slice(&text),
        "{\"valid\":false,\"errors\":[{\"valid\":false,\"keywordLocation\":"
        "\"/items/required\",\"instanceLocation\":\"/1\",\"error\":\"a\"}]}"));
    buffer_clear(&text);
    json_writer_init(&writer, &text);
    assert_true(valid("[{\"a\":1}]"));
    schema_output_basic(run, true, &writer);
    assert_true(slice_equal_text(buffer_slice(&text), "{\"valid\":true}"));
    buffer_finish(&text);
}

static void long_enums_are_looked_up_whatever_they_hold(void **state)
{
    (void)state;
    compile(
        "{\"enum\":[\"a\",\"b\",\"c\",\"\\u0064\",\"e\",\"e\",1,[2],null,\"\",\"longer than "
        "sixteen bytes\"]}");
    assert_true(valid("\"a\""));
    assert_true(valid("\"d\""));
    assert_true(valid("\"e\""));
    assert_true(valid("\"\""));
    assert_true(valid("\"longer than sixteen bytes\""));
    assert_false(valid("\"longer than sixteen bytez\""));
    assert_false(valid("\"f\""));
    assert_true(valid("1.0"));
    assert_true(valid("[2]"));
    assert_true(valid("null"));
    assert_false(valid("2"));
}

static void broken_json_is_no_schema(void **state)
{
    (void)state;
    refuse("{\"a\":}", "");
    refuse("", "");
    refuse("{\"a\":1,\"a\":2}", "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, schema_start, schema_stop)
    const struct CMUnitTest tests[] = {
        TEST(a_violation_says_where_and_which),
        TEST(locations_go_through_references),
        TEST(a_false_schema_is_told_by_the_keyword_that_holds_it),
        TEST(a_failed_choice_tells_its_branches_too),
        TEST(what_must_not_match_says_nothing_inside),
        TEST(violations_stop_at_their_limit),
        TEST(a_part_of_an_instance_is_validated_alone),
        TEST(numbers_are_exact),
        TEST(large_arrays_are_checked_for_equal_items),
        TEST(unevaluated_members_of_large_objects_are_found),
        TEST(malformed_schemas_are_refused_where_they_are),
        TEST(references_must_lead_somewhere),
        TEST(our_own_vocabulary_refuses_what_it_does_not_know),
        TEST(formats_are_asserted_only_when_asked),
        TEST(documents_refer_to_each_other_by_relative_path),
        TEST(a_document_of_the_set_is_compiled_by_name),
        TEST(a_name_is_given_once),
        TEST(a_schema_validates_against_its_metaschema),
        TEST(endless_references_are_stopped),
        TEST(the_step_budget_ends_what_costs_too_much),
        TEST(expensive_patterns_are_ended),
        TEST(schemas_have_limits),
        TEST(looking_up_many_names_is_bounded),
        TEST(many_required_names_are_found_in_one_walk),
        TEST(the_basic_output_is_the_standards),
        TEST(long_enums_are_looked_up_whatever_they_hold),
        TEST(broken_json_is_no_schema),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
