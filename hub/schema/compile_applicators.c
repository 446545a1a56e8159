#include "schema/compile.h"

static uint32_t rule_at(const struct subject *subject, const struct json_node *value)
{
    return rule_of(subject->compile, subject->document, subject_index(subject, value));
}

/* The rules of an array of schemas. */
static bool rules_at(const struct subject *subject, const struct json_node *array,
                     struct check *check)
{
    uint32_t *rules = compile_take(subject->compile, array->count, sizeof *rules);
    if (rules == NULL)
        return false;
    uint32_t item = subject_index(subject, array) + 1;
    for (uint32_t i = 0; i < array->count; i++) {
        rules[i] = rule_of(subject->compile, subject->document, item);
        if (rules[i] == RULE_NONE)
            return false;
        item = subject->document->nodes[item].after;
    }
    check->data = rules;
    check->b = array->count;
    return true;
}

static bool list_compile(const struct subject *subject, enum keyword keyword,
                         enum check_code code)
{
    const struct json_node *value = subject_keyword(subject, keyword);
    if (value == NULL)
        return true;
    struct check *check = subject_check(subject, GROUP_ANY, code, keyword);
    return check != NULL && rules_at(subject, value, check);
}

static bool condition_compile(const struct subject *subject)
{
    const struct json_node *condition = subject_keyword(subject, KEYWORD_IF);
    const struct json_node *then = subject_keyword(subject, KEYWORD_THEN);
    const struct json_node *otherwise = subject_keyword(subject, KEYWORD_ELSE);
    if (condition == NULL)
        return true;
    struct check *check = subject_check(subject, GROUP_ANY, CHECK_IF, KEYWORD_IF);
    if (check == NULL)
        return false;
    check->a = rule_at(subject, condition);
    check->b = then == NULL ? RULE_ALWAYS : rule_at(subject, then);
    check->c = otherwise == NULL ? RULE_ALWAYS : rule_at(subject, otherwise);
    return check->a != RULE_NONE && check->b != RULE_NONE && check->c != RULE_NONE;
}

bool applicators_compile(const struct subject *subject)
{
    if (!list_compile(subject, KEYWORD_ALL_OF, CHECK_ALL_OF) ||
        !list_compile(subject, KEYWORD_ANY_OF, CHECK_ANY_OF) ||
        !list_compile(subject, KEYWORD_ONE_OF, CHECK_ONE_OF) ||
        !condition_compile(subject))
        return false;

    const struct json_node *value = subject_keyword(subject, KEYWORD_NOT);
    if (value == NULL)
        return true;
    struct check *check = subject_check(subject, GROUP_ANY, CHECK_NOT, KEYWORD_NOT);
    if (check == NULL)
        return false;
    check->a = rule_at(subject, value);
    return check->a != RULE_NONE;
}

/* The keyword's one schema as a check of arrays; *ret_check is NULL when absent. */
static bool array_schema_compile(const struct subject *subject, enum keyword keyword,
                                 enum check_code code, struct check **ret_check)
{
    const struct json_node *value = subject_keyword(subject, keyword);
    *ret_check = NULL;
    if (value == NULL)
        return true;
    struct check *check = subject_check(subject, GROUP_ARRAY, code, keyword);
    if (check == NULL)
        return false;
    check->a = rule_at(subject, value);
    *ret_check = check;
    return check->a != RULE_NONE;
}

bool items_compile(const struct subject *subject)
{
    const struct json_node *unique = subject_keyword(subject, KEYWORD_UNIQUE_ITEMS);
    if (unique != NULL && unique->kind == JSON_TRUE &&
        subject_check(subject, GROUP_ARRAY, CHECK_UNIQUE_ITEMS, KEYWORD_UNIQUE_ITEMS) ==
            NULL)
        return false;

    const struct json_node *prefix = subject_keyword(subject, KEYWORD_PREFIX_ITEMS);
    if (prefix != NULL) {
        struct check *check =
            subject_check(subject, GROUP_ARRAY, CHECK_PREFIX_ITEMS, KEYWORD_PREFIX_ITEMS);
        if (check == NULL || !rules_at(subject, prefix, check))
            return false;
    }

    struct check *check;
    if (!array_schema_compile(subject, KEYWORD_ITEMS, CHECK_ITEMS, &check))
        return false;
    if (check != NULL)
        check->b = prefix == NULL ? 0 : prefix->count;

    if (!array_schema_compile(subject, KEYWORD_CONTAINS, CHECK_CONTAINS, &check))
        return false;
    if (check != NULL) {
        const struct json_node *least = subject_keyword(subject, KEYWORD_MIN_CONTAINS);
        const struct json_node *most = subject_keyword(subject, KEYWORD_MAX_CONTAINS);
        check->b = least == NULL ? 1 : shape_count(least);
        check->c = most == NULL ? UINT32_MAX : shape_count(most);
    }

    if (!array_schema_compile(subject, KEYWORD_UNEVALUATED_ITEMS, CHECK_UNEVALUATED_ITEMS,
                              &check))
        return false;
    if (check != NULL)
        ((struct rule *)subject->compile->rules.items)[subject->rule].watches_items =
            true;
    return true;
}
