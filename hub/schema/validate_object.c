#include "schema/run.h"

/* A look-up that passes over members one by one. */
static const struct json_node *member_find(const struct turn *turn, struct slice name)
{
    enum { MEMBERS_PER_STEP = 8 };
    if (!run_spend(turn->run, turn->node->count / MEMBERS_PER_STEP))
        return NULL;
    return json_member(turn->run->json, turn->node, name);
}

/* What is missing, told one by one. */
static bool required_explain(const struct turn *turn, const struct members *members)
{
    for (uint32_t i = 0;
         i < members->property_count && turn->run->collecting && turn->run->err == ERR_OK;
         i++) {
        const struct property *property = &members->properties[i];
        if (property->required && member_find(turn, property->name) == NULL)
            violation_add(turn, KEYWORD_REQUIRED, turn->node, property->name);
    }
    return false;
}

static bool required_hold(const struct turn *turn, const struct members *members)
{
    for (uint32_t i = 0; i < members->property_count; i++)
        if (member_find(turn, members->properties[i].name) == NULL)
            return required_explain(turn, members);
    return true;
}

/* One way a member is judged; the caller gathers the verdicts. */
static bool member_rule(const struct turn *turn, enum keyword keyword,
                        const struct slice *name, uint32_t rule,
                        const struct json_node *value)
{
    if (rule == RULE_ALWAYS)
        return true;
    struct place place = place_below(turn, keyword);
    place.name = name;
    return rule_run(turn->run, rule, value, NULL, &place);
}

/* *seen: some pattern names this member. */
static bool member_patterns(const struct turn *turn, const struct members *members,
                            const struct json_node *key, bool *seen)
{
    bool valid = true;
    for (uint32_t i = 0; i < members->pattern_count; i++) {
        const struct name_pattern *row = &members->patterns[i];
        bool matches = false;
        enum err err =
            pattern_match(row->pattern, turn->run->patterns, key->value.text, &matches);
        if (err != ERR_OK)
            return run_fail(turn->run, err);
        if (!matches)
            continue;
        *seen = true;
        valid = member_rule(turn, KEYWORD_PATTERN_PROPERTIES, &row->text, row->rule,
                            key + 1) &&
                valid;
    }
    return valid;
}

/* What one walk over the members keeps. */
struct walk {
    uint32_t index; /* of the member */
    uint32_t found; /* required ones seen */
    uint32_t hint;  /* for members_find */
};

static bool member_holds(const struct turn *turn, const struct members *members,
                         const struct json_node *key, struct walk *walk)
{
    const struct property *property = members_find(members, key->value.text, &walk->hint);
    bool valid = true;
    bool seen = false;
    if (property != NULL) {
        walk->found += property->required;
        seen = property->rule != RULE_NONE;
        if (seen)
            valid = member_rule(turn, KEYWORD_PROPERTIES, &property->name, property->rule,
                                key + 1);
    }
    if (members->pattern_count > 0)
        valid = member_patterns(turn, members, key, &seen) && valid;
    if (!seen && members->additional != RULE_NONE) {
        seen = true;
        valid = member_rule(turn, KEYWORD_ADDITIONAL_PROPERTIES, NULL,
                            members->additional, key + 1) &&
                valid;
    }
    if (members->names != RULE_NONE)
        valid =
            member_rule(turn, KEYWORD_PROPERTY_NAMES, NULL, members->names, key) && valid;
    if (seen)
        track_mark(turn, walk->index);
    return valid;
}

static bool members_hold(const struct turn *turn, const struct members *members)
{
    if (!members->walks)
        return required_hold(turn, members);
    if (!run_spend(turn->run, turn->node->count))
        return false;

    const struct json_node *key = turn->node + 1;
    struct walk walk = { 0, 0, 0 };
    bool valid = true;
    for (; walk.index < turn->node->count; walk.index++) {
        if (!member_holds(turn, members, key, &walk)) {
            if (!turn->run->collecting)
                return false;
            valid = false;
        }
        key = turn->run->nodes + key[1].after;
    }
    if (walk.found < members->required_count)
        return required_explain(turn, members);
    return valid;
}

static bool dependent_required(const struct turn *turn, const struct check *check)
{
    const struct dependency *rows = check->data;
    bool valid = true;
    for (uint32_t i = 0; i < check->b; i++) {
        if (member_find(turn, rows[i].name) == NULL)
            continue;
        for (uint32_t j = 0; j < rows[i].count; j++) {
            if (member_find(turn, rows[i].names[j]) != NULL)
                continue;
            violation_add(turn, KEYWORD_DEPENDENT_REQUIRED, turn->node, rows[i].names[j]);
            if (!turn->run->collecting)
                return false;
            valid = false;
        }
    }
    return valid;
}

static bool dependent_schemas(const struct turn *turn, const struct check *check)
{
    const struct dependency *rows = check->data;
    struct place place = place_below(turn, KEYWORD_DEPENDENT_SCHEMAS);
    bool valid = true;
    for (uint32_t i = 0; i < check->b; i++) {
        place.name = &rows[i].name;
        if (member_find(turn, rows[i].name) == NULL ||
            rule_run(turn->run, rows[i].rule, turn->node, turn->track, &place))
            continue;
        if (!turn->run->collecting)
            return false;
        valid = false;
    }
    return valid;
}

static bool rest_holds(const struct turn *turn, const struct check *check)
{
    const struct json_node *key = turn->node + 1;
    struct place place = place_below(turn, KEYWORD_UNEVALUATED_PROPERTIES);
    bool valid = true;
    if (!run_spend(turn->run, turn->node->count))
        return false;
    for (uint32_t i = 0; i < turn->node->count; i++) {
        if (!track_has(turn, i)) {
            if (!rule_run(turn->run, check->a, key + 1, NULL, &place)) {
                if (!turn->run->collecting)
                    return false;
                valid = false;
            }
            track_mark(turn, i);
        }
        key = turn->run->nodes + key[1].after;
    }
    return valid;
}

static bool check_holds(const struct turn *turn, const struct check *check)
{
    uint32_t count = turn->node->count;
    switch (check->code) {
    case CHECK_MIN_PROPERTIES:
        return count >= check->a ||
               violation_add(turn, KEYWORD_MIN_PROPERTIES, turn->node,
                             SLICE_OF("has too few members"));
    case CHECK_MAX_PROPERTIES:
        return count <= check->a ||
               violation_add(turn, KEYWORD_MAX_PROPERTIES, turn->node,
                             SLICE_OF("has too many members"));
    case CHECK_MEMBERS:
        return members_hold(turn, check->data);
    case CHECK_DEPENDENT_REQUIRED:
        return dependent_required(turn, check);
    case CHECK_DEPENDENT_SCHEMAS:
        return dependent_schemas(turn, check);
    case CHECK_UNEVALUATED_PROPERTIES:
        return rest_holds(turn, check);
    default:
        return run_fail(turn->run, ERR_CORRUPT);
    }
}

bool object_run(const struct turn *turn)
{
    const struct check *checks = turn->run->schema->checks;
    bool valid = true;
    for (uint32_t i = turn->rule->first[GROUP_OBJECT];
         i < turn->rule->first[GROUP_OBJECT + 1]; i++) {
        if (check_holds(turn, &checks[i]))
            continue;
        if (!turn->run->collecting)
            return false;
        valid = false;
    }
    return valid;
}
