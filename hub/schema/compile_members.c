#include "schema/compile.h"

#include <string.h>

/* So many required names are looked up one by one; for more, members are walked once. */
enum { LOOKUPS_MAX = 4 };

static uint32_t count_of(const struct json_node *value)
{
    return value == NULL ? 0 : value->count;
}

bool property_add(const struct subject *subject, struct members *members,
                  struct slice name, struct property **ret_property)
{
    struct property *properties = (struct property *)members->properties;
    uint32_t hint = 0;
    struct property *found = (struct property *)members_find(members, name, &hint);
    if (found != NULL) {
        *ret_property = found;
        return true;
    }

    uint32_t *slots = (uint32_t *)members->slots;
    uint32_t at = name_hash(name) & members->slot_mask;
    while (slots[at] != RULE_NONE)
        at = (at + 1) & members->slot_mask;
    slots[at] = members->property_count;
    struct property *added = &properties[members->property_count++];
    added->rule = RULE_NONE;
    *ret_property = added;
    return compile_copy(subject->compile, name, &added->name);
}

bool properties_init(const struct subject *subject, struct members *members,
                     uint32_t count)
{
    uint32_t slot_count = 4;
    while (slot_count < count * 2)
        slot_count *= 2;
    uint32_t *slots = compile_take(subject->compile, slot_count, sizeof *slots);
    members->properties =
        compile_take(subject->compile, count, sizeof *members->properties);
    if (slots == NULL || members->properties == NULL)
        return false;
    memset(slots, 0xff, slot_count * sizeof *slots);
    members->slots = slots;
    members->slot_mask = slot_count - 1;
    return true;
}

static bool properties_compile(const struct subject *subject, struct members *members,
                               const struct json_node *properties,
                               const struct json_node *required)
{
    if (!properties_init(subject, members, count_of(properties) + count_of(required)))
        return false;

    struct property *property;
    const struct json_node *nodes = subject->document->nodes;
    uint32_t key = properties == NULL ? 0 : subject_index(subject, properties) + 1;
    for (uint32_t i = 0; i < count_of(properties); i++) {
        if (!property_add(subject, members, nodes[key].value.text, &property))
            return false;
        property->rule = rule_of(subject->compile, subject->document, key + 1);
        if (property->rule == RULE_NONE)
            return false;
        key = nodes[key + 1].after;
    }
    for (uint32_t i = 0; i < count_of(required); i++) {
        if (!property_add(subject, members, required[1 + i].value.text, &property))
            return false;
        if (property->required)
            return subject_fail(subject, required, "required names a member twice");
        property->required = true;
    }
    members->required_count = count_of(required);
    return true;
}

static bool name_patterns_compile(const struct subject *subject, struct members *members,
                                  const struct json_node *patterns)
{
    if (patterns == NULL)
        return true;
    struct name_pattern *rows =
        compile_take(subject->compile, patterns->count, sizeof *rows);
    if (rows == NULL)
        return false;
    const struct json_node *nodes = subject->document->nodes;
    uint32_t key = subject_index(subject, patterns) + 1;
    for (uint32_t i = 0; i < patterns->count; i++) {
        struct slice text = nodes[key].value.text;
        if (!compile_copy(subject->compile, text, &rows[i].text) ||
            !pattern_add(subject, &nodes[key + 1], text, &rows[i].pattern))
            return false;
        rows[i].rule = rule_of(subject->compile, subject->document, key + 1);
        if (rows[i].rule == RULE_NONE)
            return false;
        key = nodes[key + 1].after;
    }
    members->patterns = rows;
    members->pattern_count = patterns->count;
    return true;
}

/* RULE_NONE without failure when the keyword is absent. */
static bool single_compile(const struct subject *subject, enum keyword keyword,
                           uint32_t *ret_rule)
{
    const struct json_node *value = subject_keyword(subject, keyword);
    *ret_rule = RULE_NONE;
    if (value == NULL)
        return true;
    *ret_rule =
        rule_of(subject->compile, subject->document, subject_index(subject, value));
    return *ret_rule != RULE_NONE;
}

static bool walk_compile(const struct subject *subject)
{
    const struct json_node *properties = subject_keyword(subject, KEYWORD_PROPERTIES);
    const struct json_node *patterns =
        subject_keyword(subject, KEYWORD_PATTERN_PROPERTIES);
    const struct json_node *required = subject_keyword(subject, KEYWORD_REQUIRED);
    struct members *members = compile_take(subject->compile, 1, sizeof *members);
    if (members == NULL ||
        !single_compile(subject, KEYWORD_ADDITIONAL_PROPERTIES, &members->additional) ||
        !single_compile(subject, KEYWORD_PROPERTY_NAMES, &members->names))
        return false;
    members->walks = properties != NULL || patterns != NULL ||
                     members->additional != RULE_NONE || members->names != RULE_NONE ||
                     count_of(required) > LOOKUPS_MAX;
    if (!members->walks && count_of(required) == 0)
        return true;
    if (!properties_compile(subject, members, properties, required) ||
        !name_patterns_compile(subject, members, patterns))
        return false;

    struct check *check =
        subject_check(subject, GROUP_OBJECT, CHECK_MEMBERS, KEYWORD_PROPERTIES);
    if (check == NULL)
        return false;
    check->data = members;
    return true;
}

static bool names_copy(const struct subject *subject, const struct json_node *value,
                       struct dependency *dependency)
{
    const struct json_node *nodes = subject->document->nodes;
    if (value->kind != JSON_ARRAY)
        return subject_fail(subject, value, "must be an array of strings");
    struct slice *names = compile_take(subject->compile, value->count, sizeof *names);
    if (names == NULL)
        return false;
    uint32_t item = subject_index(subject, value) + 1;
    for (uint32_t i = 0; i < value->count; i++, item = nodes[item].after) {
        if (nodes[item].kind != JSON_STRING)
            return subject_fail(subject, &nodes[item], "must be a string");
        if (!compile_copy(subject->compile, nodes[item].value.text, &names[i]))
            return false;
    }
    dependency->names = names;
    dependency->count = value->count;
    return true;
}

static bool dependencies_compile(const struct subject *subject, enum keyword keyword,
                                 enum check_code code)
{
    const struct json_node *value = subject_keyword(subject, keyword);
    if (value == NULL || value->count == 0)
        return true;
    struct dependency *rows = compile_take(subject->compile, value->count, sizeof *rows);
    if (rows == NULL)
        return false;
    const struct json_node *nodes = subject->document->nodes;
    uint32_t key = subject_index(subject, value) + 1;
    for (uint32_t i = 0; i < value->count; i++) {
        if (!compile_copy(subject->compile, nodes[key].value.text, &rows[i].name))
            return false;
        if (code == CHECK_DEPENDENT_REQUIRED) {
            if (!names_copy(subject, &nodes[key + 1], &rows[i]))
                return false;
        } else {
            rows[i].rule = rule_of(subject->compile, subject->document, key + 1);
            if (rows[i].rule == RULE_NONE)
                return false;
        }
        key = nodes[key + 1].after;
    }
    struct check *check = subject_check(subject, GROUP_OBJECT, code, keyword);
    if (check == NULL)
        return false;
    check->data = rows;
    check->b = value->count;
    return true;
}

bool members_compile(const struct subject *subject)
{
    if (!walk_compile(subject) ||
        !dependencies_compile(subject, KEYWORD_DEPENDENT_REQUIRED,
                              CHECK_DEPENDENT_REQUIRED) ||
        !dependencies_compile(subject, KEYWORD_DEPENDENT_SCHEMAS,
                              CHECK_DEPENDENT_SCHEMAS))
        return false;

    uint32_t rule;
    if (!single_compile(subject, KEYWORD_UNEVALUATED_PROPERTIES, &rule))
        return false;
    if (rule == RULE_NONE)
        return true;
    struct check *check =
        subject_check(subject, GROUP_OBJECT, CHECK_UNEVALUATED_PROPERTIES,
                      KEYWORD_UNEVALUATED_PROPERTIES);
    if (check == NULL)
        return false;
    check->a = rule;
    ((struct rule *)subject->compile->rules.items)[subject->rule].watches_members = true;
    return true;
}
