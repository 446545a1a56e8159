#include "schema/run.h"

static bool enum_holds(const struct turn *turn, const struct check *check)
{
    const struct json_node *constants = turn->run->schema->constants;
    const struct json_node *node = turn->node;
    uint32_t item = check->a + 1;
    uint32_t hint = UINT32_MAX;
    bool text = node->kind == JSON_STRING;
    if (text && check->data != NULL)
        return members_find(check->data, node->value.text, &hint) != NULL;
    if (!run_spend(turn->run, constants[check->a].count / 8))
        return false;
    for (uint32_t i = 0; i < constants[check->a].count; i++) {
        bool same = constants[item].kind == node->kind;
        if (same && text)
            same = name_equal(constants[item].value.text, node->value.text);
        else if (same)
            same = value_equal(turn->run, turn->run->nodes,
                               (uint32_t)(node - turn->run->nodes), constants, item);
        if (same)
            return true;
        item = constants[item].after;
    }
    return false;
}

/* The outermost resource on the way here that has such an anchor decides. */
static uint32_t dynamic_rule(const struct turn *turn, const struct check *check)
{
    const struct schema *schema = turn->run->schema;
    const uint32_t *overrides = schema->overrides + check->b * schema->resource_count;
    uint32_t rule = check->a;
    if (overrides[turn->rule->resource] != RULE_NONE)
        rule = overrides[turn->rule->resource];
    for (const struct place *at = turn->place; at != NULL; at = at->up)
        if (overrides[at->resource] != RULE_NONE)
            rule = overrides[at->resource];
    return rule;
}

static bool all_of(const struct turn *turn, const struct check *check)
{
    const uint32_t *rules = check->data;
    struct place place = place_below(turn, KEYWORD_ALL_OF);
    bool valid = true;
    for (uint32_t i = 0; i < check->b; i++) {
        place.index = i;
        if (rule_run(turn->run, rules[i], turn->node, turn->track, &place))
            continue;
        if (!turn->run->collecting)
            return false;
        valid = false;
    }
    return valid;
}

/* After a failure: what each branch had to object to. */
static void branches_explain(const struct turn *turn, const struct check *check)
{
    const uint32_t *rules = check->data;
    struct place place = place_below(turn, (enum keyword)check->keyword);
    if (!turn->run->collecting)
        return;
    for (uint32_t i = 0; i < check->b; i++) {
        place.index = i;
        rule_run(turn->run, rules[i], turn->node, NULL, &place);
    }
}

static bool any_of(const struct turn *turn, const struct check *check)
{
    const uint32_t *rules = check->data;
    struct place place = place_below(turn, KEYWORD_ANY_OF);
    bool valid = false;
    for (uint32_t i = 0; i < check->b && (!valid || turn->track != NULL); i++) {
        place.index = i;
        valid = rule_try(turn, rules[i], turn->node, &place) || valid;
    }
    if (valid)
        return true;
    violation_add(turn, KEYWORD_ANY_OF, turn->node, SLICE_OF("matches none"));
    branches_explain(turn, check);
    return false;
}

static bool one_of(const struct turn *turn, const struct check *check)
{
    const uint32_t *rules = check->data;
    struct place place = place_below(turn, KEYWORD_ONE_OF);
    uint32_t matches = 0;
    for (uint32_t i = 0; i < check->b && matches < 2; i++) {
        place.index = i;
        matches += rule_try(turn, rules[i], turn->node, &place);
    }
    if (matches == 1)
        return true;
    if (matches > 1)
        return violation_add(turn, KEYWORD_ONE_OF, turn->node,
                             SLICE_OF("matches more than one"));
    violation_add(turn, KEYWORD_ONE_OF, turn->node, SLICE_OF("matches none"));
    branches_explain(turn, check);
    return false;
}

static bool not_holds(const struct turn *turn, const struct check *check)
{
    struct place place = place_below(turn, KEYWORD_NOT);
    struct turn blind = *turn;
    blind.track = NULL;
    if (!rule_try(&blind, check->a, turn->node, &place))
        return true;
    return violation_add(turn, KEYWORD_NOT, turn->node,
                         SLICE_OF("matches what it must not"));
}

static bool condition_holds(const struct turn *turn, const struct check *check)
{
    struct place place = place_below(turn, KEYWORD_IF);
    bool condition = rule_try(turn, check->a, turn->node, &place);
    place.keyword = condition ? KEYWORD_THEN : KEYWORD_ELSE;
    return rule_run(turn->run, condition ? check->b : check->c, turn->node, turn->track,
                    &place);
}

static bool reference_holds(const struct turn *turn, const struct check *check)
{
    struct place place = place_below(turn, (enum keyword)check->keyword);
    uint32_t rule =
        check->code == CHECK_DYNAMIC_REF ? dynamic_rule(turn, check) : check->a;
    return rule_run(turn->run, rule, turn->node, turn->track, &place);
}

static bool constant_holds(const struct turn *turn, const struct check *check)
{
    uint32_t node = (uint32_t)(turn->node - turn->run->nodes);
    if (check->code == CHECK_ENUM)
        return enum_holds(turn, check) ||
               violation_add(turn, KEYWORD_ENUM, turn->node,
                             SLICE_OF("is none of the values"));
    return value_equal(turn->run, turn->run->nodes, node, turn->run->schema->constants,
                       check->a) ||
           violation_add(turn, KEYWORD_CONST, turn->node, SLICE_OF("is another value"));
}

static bool check_holds(const struct turn *turn, const struct check *check)
{
    switch (check->code) {
    case CHECK_CONST:
    case CHECK_ENUM:
        return constant_holds(turn, check);
    case CHECK_REF:
    case CHECK_DYNAMIC_REF:
        return reference_holds(turn, check);
    case CHECK_ALL_OF:
        return all_of(turn, check);
    case CHECK_ANY_OF:
        return any_of(turn, check);
    case CHECK_ONE_OF:
        return one_of(turn, check);
    case CHECK_NOT:
        return not_holds(turn, check);
    case CHECK_IF:
        return condition_holds(turn, check);
    default:
        return run_fail(turn->run, ERR_CORRUPT);
    }
}

bool any_run(const struct turn *turn)
{
    const struct check *checks = turn->run->schema->checks;
    bool valid = true;
    for (uint32_t i = turn->rule->first[GROUP_ANY]; i < turn->rule->first[GROUP_ANY + 1];
         i++) {
        if (check_holds(turn, &checks[i]))
            continue;
        if (!turn->run->collecting)
            return false;
        valid = false;
    }
    return valid;
}
