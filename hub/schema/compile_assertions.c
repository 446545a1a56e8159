#include "schema/compile.h"

#include "schema/format.h"

static const struct {
    struct slice name;
    uint8_t bits;
} TYPES[] = {
    { SLICE("null"), TYPE_NULL },       { SLICE("boolean"), TYPE_BOOLEAN },
    { SLICE("integer"), TYPE_INTEGER }, { SLICE("number"), TYPE_NUMBER | TYPE_INTEGER },
    { SLICE("string"), TYPE_STRING },   { SLICE("array"), TYPE_ARRAY },
    { SLICE("object"), TYPE_OBJECT },
};

static uint8_t type_bits(const struct json_node *value)
{
    if (value->kind != JSON_STRING)
        return 0;
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++)
        if (slice_equal(TYPES[i].name, value->value.text))
            return TYPES[i].bits;
    return 0;
}

static bool type_compile(const struct subject *subject)
{
    const struct json_node *value = subject_keyword(subject, KEYWORD_TYPE);
    if (value == NULL)
        return true;

    uint8_t types = 0;
    const struct json_node *item = value->kind == JSON_ARRAY ? value + 1 : value;
    uint32_t count = value->kind == JSON_ARRAY ? value->count : 1;
    for (uint32_t i = 0; i < count; i++, item++) {
        uint8_t bits = type_bits(item);
        if (bits == 0)
            return subject_fail(subject, item, "not the name of a type");
        types |= bits;
    }
    if (types == 0)
        return subject_fail(subject, value, "type names no type");
    ((struct rule *)subject->compile->rules.items)[subject->rule].types = types;
    return true;
}

/* Copies a value and all inside it into the schema. */
static bool constant_copy(const struct subject *subject, const struct json_node *value,
                          uint32_t *ret_constant)
{
    struct compile *compile = subject->compile;
    struct slice text;
    if (!compile_copy(compile, value->raw, &text))
        return false;

    uint32_t from = subject_index(subject, value);
    uint32_t base = compile->constants.count;
    for (uint32_t i = from; i < value->after; i++) {
        struct json_node *copy = compile_push(compile, &compile->constants);
        if (copy == NULL)
            return false;
        *copy = subject->document->nodes[i];
        copy->after = copy->after - from + base;
        const char *start = copy->raw.data;
        copy->raw.data = text.data + (start - value->raw.data);
        if (copy->kind != JSON_STRING)
            continue;
        if (copy->value.text.data == start + 1)
            copy->value.text.data = copy->raw.data + 1;
        else if (!compile_copy(compile, copy->value.text, &copy->value.text))
            return false;
    }
    *ret_constant = base;
    return true;
}

/* Many strings are looked up in a table instead of one after the other. */
static bool strings_compile(const struct subject *subject, const struct json_node *value,
                            struct check *check)
{
    enum { STRINGS_FEW = 8 };
    const struct json_node *nodes = subject->document->nodes;
    struct property *unused;
    if (value->kind != JSON_ARRAY || value->count <= STRINGS_FEW)
        return true;
    struct members *table = compile_take(subject->compile, 1, sizeof *table);
    if (table == NULL || !properties_init(subject, table, value->count))
        return false;
    uint32_t item = subject_index(subject, value) + 1;
    for (uint32_t i = 0; i < value->count; i++, item = nodes[item].after)
        if (nodes[item].kind == JSON_STRING &&
            !property_add(subject, table, nodes[item].value.text, &unused))
            return false;
    check->data = table;
    return true;
}

static bool constants_compile(const struct subject *subject)
{
    static const struct {
        enum keyword keyword;
        enum check_code code;
    } ROWS[] = { { KEYWORD_CONST, CHECK_CONST }, { KEYWORD_ENUM, CHECK_ENUM } };

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const struct json_node *value = subject_keyword(subject, ROWS[i].keyword);
        if (value == NULL)
            continue;
        struct check *check =
            subject_check(subject, GROUP_ANY, ROWS[i].code, ROWS[i].keyword);
        if (check == NULL || !constant_copy(subject, value, &check->a))
            return false;
        if (ROWS[i].code == CHECK_ENUM && !strings_compile(subject, value, check))
            return false;
    }
    return true;
}

static bool bound_compile(const struct subject *subject, enum keyword keyword,
                          enum check_code code)
{
    const struct json_node *value = subject_keyword(subject, keyword);
    if (value == NULL)
        return true;
    struct bound *bound = compile_take(subject->compile, 1, sizeof *bound);
    if (bound == NULL)
        return false;
    bound->node = *value;
    if (!compile_copy(subject->compile, value->raw, &bound->node.raw))
        return false;
    bound->decimal = decimal_read(bound->node.raw);
    if (code == CHECK_MULTIPLE_OF) {
        if (bound->decimal.count == 0 || bound->decimal.negative)
            return subject_fail(subject, value, "multipleOf must be above zero");
        if (bound->decimal.count > DECIMAL_DIVISOR_DIGITS)
            return subject_fail(subject, value, "multipleOf has too many digits");
    }
    struct check *check = subject_check(subject, GROUP_NUMBER, code, keyword);
    if (check == NULL)
        return false;
    check->data = bound;
    return true;
}

static bool numbers_compile(const struct subject *subject)
{
    return bound_compile(subject, KEYWORD_MINIMUM, CHECK_MINIMUM) &&
           bound_compile(subject, KEYWORD_EXCLUSIVE_MINIMUM, CHECK_EXCLUSIVE_MINIMUM) &&
           bound_compile(subject, KEYWORD_MAXIMUM, CHECK_MAXIMUM) &&
           bound_compile(subject, KEYWORD_EXCLUSIVE_MAXIMUM, CHECK_EXCLUSIVE_MAXIMUM) &&
           bound_compile(subject, KEYWORD_MULTIPLE_OF, CHECK_MULTIPLE_OF);
}

static bool counts_compile(const struct subject *subject)
{
    static const struct {
        enum keyword keyword;
        enum check_code code;
        enum group group;
    } ROWS[] = {
        { KEYWORD_MIN_LENGTH, CHECK_MIN_LENGTH, GROUP_STRING },
        { KEYWORD_MAX_LENGTH, CHECK_MAX_LENGTH, GROUP_STRING },
        { KEYWORD_MIN_ITEMS, CHECK_MIN_ITEMS, GROUP_ARRAY },
        { KEYWORD_MAX_ITEMS, CHECK_MAX_ITEMS, GROUP_ARRAY },
        { KEYWORD_MIN_PROPERTIES, CHECK_MIN_PROPERTIES, GROUP_OBJECT },
        { KEYWORD_MAX_PROPERTIES, CHECK_MAX_PROPERTIES, GROUP_OBJECT },
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const struct json_node *value = subject_keyword(subject, ROWS[i].keyword);
        if (value == NULL)
            continue;
        struct check *check =
            subject_check(subject, ROWS[i].group, ROWS[i].code, ROWS[i].keyword);
        if (check == NULL)
            return false;
        check->a = shape_count(value);
    }
    return true;
}

/* Takes the pattern. */
static bool pattern_keep(struct compile *compile, struct pattern *pattern)
{
    struct pattern **place = compile_push(compile, &compile->patterns);
    if (place == NULL) {
        pattern_destroy(pattern);
        return false;
    }
    *place = pattern;
    return true;
}

bool pattern_add(const struct subject *subject, const struct json_node *value,
                 struct slice text, const struct pattern **ret_pattern)
{
    struct compile *compile = subject->compile;
    const char *reason = "the pattern is too long";
    struct pattern *pattern = NULL;
    enum err err = ERR_LIMIT;
    if (text.size <= compile->library->limits.pattern_bytes_max)
        err = pattern_compile(text, &pattern, &reason);
    if (err != ERR_OK)
        return compile_fail(compile, err, subject->document,
                            subject_index(subject, value), "%s", reason);
    *ret_pattern = pattern;
    return pattern_keep(compile, pattern);
}

/* The rule for labels, compiled at the first need. */
static bool label_add(const struct subject *subject, const struct json_node *value,
                      const void **ret_pattern)
{
    struct compile *compile = subject->compile;
    const char *reason;
    if (compile->label == NULL) {
        struct pattern *pattern = NULL;
        enum err err = pattern_compile_native(FORMAT_LABEL_PATTERN, &pattern, &reason);
        if (err != ERR_OK)
            return compile_fail(compile, err, subject->document,
                                subject_index(subject, value), "%s", reason);
        if (!pattern_keep(compile, pattern))
            return false;
        compile->label = pattern;
    }
    *ret_pattern = compile->label;
    return true;
}

static bool pattern_keyword_compile(const struct subject *subject)
{
    const struct json_node *value = subject_keyword(subject, KEYWORD_PATTERN);
    if (value == NULL)
        return true;
    const struct pattern *pattern = NULL;
    if (!pattern_add(subject, value, value->value.text, &pattern))
        return false;
    struct check *check =
        subject_check(subject, GROUP_STRING, CHECK_PATTERN, KEYWORD_PATTERN);
    if (check == NULL)
        return false;
    check->data = pattern;
    return true;
}

static bool format_compile(const struct subject *subject)
{
    const struct json_node *value = subject_keyword(subject, KEYWORD_FORMAT);
    bool asked = subject->compile->formats ||
                 (subject->vocabularies & VOCABULARY_FORMAT_ASSERTION) != 0;
    if (value == NULL || !asked)
        return true;
    enum format format = format_find(value->value.text);
    if (format == FORMAT_UNKNOWN && subject->compile->strict)
        return subject_fail(subject, value, "unknown format");
    if (format == FORMAT_UNKNOWN)
        return true;
    struct check *check =
        subject_check(subject, GROUP_STRING, CHECK_FORMAT, KEYWORD_FORMAT);
    if (check == NULL)
        return false;
    check->a = (uint32_t)format;
    return !format_needs_label(format) || label_add(subject, value, &check->data);
}

bool assertions_compile(const struct subject *subject)
{
    return type_compile(subject) && constants_compile(subject) &&
           numbers_compile(subject) && counts_compile(subject) &&
           pattern_keyword_compile(subject) && format_compile(subject);
}
