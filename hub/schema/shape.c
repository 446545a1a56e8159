#include "schema/compile.h"

static bool is_count(const struct json_node *value)
{
    if (value->kind != JSON_NUMBER)
        return false;
    struct decimal decimal = decimal_read(value->raw);
    return !decimal.negative && decimal_is_whole(&decimal);
}

/* Counts above what a tape can hold all mean the same. */
uint32_t shape_count(const struct json_node *value)
{
    if (value->integer)
        return value->value.number < UINT32_MAX - 1 ? (uint32_t)value->value.number
                                                    : UINT32_MAX - 1;
    struct decimal decimal = decimal_read(value->raw);
    if (decimal.point > 9)
        return UINT32_MAX - 1;
    uint32_t count = 0;
    const char *at = decimal.digits;
    for (int64_t i = 0; i < decimal.point; i++) {
        uint32_t digit = 0;
        if (i < (int64_t)decimal.count) {
            at += *at == '.';
            digit = (uint32_t)(*at++ - '0');
        }
        count = count * 10 + digit;
    }
    return count;
}

static bool is_schema(const struct json_node *value)
{
    return value->kind == JSON_OBJECT || value->kind == JSON_TRUE ||
           value->kind == JSON_FALSE;
}

/* That they differ is seen where their table is made. */
static bool all_strings(const struct json_node *nodes, uint32_t array)
{
    for (uint32_t i = array + 1; i < nodes[array].after; i++)
        if (nodes[i].kind != JSON_STRING)
            return false;
    return true;
}

static bool holds_schemas(const struct json_node *nodes, uint32_t holder)
{
    bool map = nodes[holder].kind == JSON_OBJECT;
    uint32_t child = holder + 1;
    for (uint32_t i = 0; i < nodes[holder].count; i++) {
        if (map)
            child++;
        if (!is_schema(&nodes[child]))
            return false;
        child = nodes[child].after;
    }
    return true;
}

static const char *shape_reason(enum keyword_shape shape, const struct json_node *nodes,
                                uint32_t node)
{
    enum json_kind kind = (enum json_kind)nodes[node].kind;
    switch (shape) {
    case SHAPE_ANY:
        return NULL;
    case SHAPE_STRING:
        return kind == JSON_STRING ? NULL : "must be a string";
    case SHAPE_BOOLEAN:
        return kind == JSON_TRUE || kind == JSON_FALSE ? NULL : "must be true or false";
    case SHAPE_NUMBER:
        return kind == JSON_NUMBER ? NULL : "must be a number";
    case SHAPE_COUNT:
        return is_count(&nodes[node]) ? NULL : "must be a whole number, zero or more";
    case SHAPE_ARRAY:
        return kind == JSON_ARRAY ? NULL : "must be an array";
    case SHAPE_OBJECT:
        return kind == JSON_OBJECT ? NULL : "must be an object";
    case SHAPE_STRINGS:
        return kind == JSON_ARRAY && all_strings(nodes, node)
                   ? NULL
                   : "must be an array of strings";
    case SHAPE_SCHEMA:
        return is_schema(&nodes[node]) ? NULL : "must be a schema";
    case SHAPE_SCHEMAS:
        return kind == JSON_ARRAY && nodes[node].count > 0 && holds_schemas(nodes, node)
                   ? NULL
                   : "must be an array of schemas, one or more";
    case SHAPE_SCHEMA_MAP:
        return kind == JSON_OBJECT && holds_schemas(nodes, node)
                   ? NULL
                   : "must be an object of schemas";
    }
    return "has no known shape";
}

bool shape_check(const struct subject *subject, enum keyword keyword,
                 const struct json_node *value)
{
    const char *reason = shape_reason(KEYWORDS[keyword].shape, subject->document->nodes,
                                      subject_index(subject, value));
    if (reason == NULL)
        return true;
    return compile_fail(subject->compile, ERR_INVALID, subject->document,
                        subject_index(subject, value), "%s %s",
                        KEYWORDS[keyword].name.data, reason);
}
