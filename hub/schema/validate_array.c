#include "schema/run.h"

static const struct json_node *item_after(const struct turn *turn,
                                          const struct json_node *item)
{
    return turn->run->nodes + item->after;
}

static bool prefix_holds(const struct turn *turn, const struct check *check)
{
    const uint32_t *rules = check->data;
    const struct json_node *item = turn->node + 1;
    struct place place = place_below(turn, KEYWORD_PREFIX_ITEMS);
    bool valid = true;
    for (uint32_t i = 0; i < turn->node->count && i < check->b; i++) {
        place.index = i;
        if (!rule_run(turn->run, rules[i], item, NULL, &place)) {
            if (!turn->run->collecting)
                return false;
            valid = false;
        }
        track_mark(turn, i);
        item = item_after(turn, item);
    }
    return valid;
}

static bool items_hold(const struct turn *turn, const struct check *check)
{
    const struct json_node *item = turn->node + 1;
    struct place place = place_below(turn, KEYWORD_ITEMS);
    bool valid = true;
    if (check->a == RULE_ALWAYS && turn->track == NULL)
        return true;
    if (!run_spend(turn->run, turn->node->count))
        return false;
    for (uint32_t i = 0; i < turn->node->count; i++, item = item_after(turn, item)) {
        if (i < check->b)
            continue;
        if (!rule_run(turn->run, check->a, item, NULL, &place)) {
            if (!turn->run->collecting)
                return false;
            valid = false;
        }
        track_mark(turn, i);
    }
    return valid;
}

static bool contains_holds(const struct turn *turn, const struct check *check)
{
    const struct json_node *item = turn->node + 1;
    struct place place = place_below(turn, KEYWORD_CONTAINS);
    bool bounded = check->c != UINT32_MAX || turn->track != NULL;
    uint32_t found = 0;
    for (uint32_t i = 0; i < turn->node->count && (bounded || found < check->b);
         i++, item = item_after(turn, item)) {
        if (!rule_try(turn, check->a, item, &place))
            continue;
        found++;
        track_mark(turn, i);
    }
    if (found < check->b) {
        bool named = check->b != 1;
        return violation_add(turn, named ? KEYWORD_MIN_CONTAINS : KEYWORD_CONTAINS,
                             turn->node, SLICE_OF("contains too few of them"));
    }
    return found <= check->c || violation_add(turn, KEYWORD_MAX_CONTAINS, turn->node,
                                              SLICE_OF("contains too many of them"));
}

static bool rest_holds(const struct turn *turn, const struct check *check)
{
    const struct json_node *item = turn->node + 1;
    struct place place = place_below(turn, KEYWORD_UNEVALUATED_ITEMS);
    bool valid = true;
    if (!run_spend(turn->run, turn->node->count))
        return false;
    for (uint32_t i = 0; i < turn->node->count; i++, item = item_after(turn, item)) {
        if (track_has(turn, i))
            continue;
        if (!rule_run(turn->run, check->a, item, NULL, &place)) {
            if (!turn->run->collecting)
                return false;
            valid = false;
        }
        track_mark(turn, i);
    }
    return valid;
}

static bool check_holds(const struct turn *turn, const struct check *check)
{
    uint32_t count = turn->node->count;
    switch (check->code) {
    case CHECK_MIN_ITEMS:
        return count >= check->a || violation_add(turn, KEYWORD_MIN_ITEMS, turn->node,
                                                  SLICE_OF("has too few items"));
    case CHECK_MAX_ITEMS:
        return count <= check->a || violation_add(turn, KEYWORD_MAX_ITEMS, turn->node,
                                                  SLICE_OF("has too many items"));
    case CHECK_UNIQUE_ITEMS:
        return items_unique(turn->run, turn->node) ||
               violation_add(turn, KEYWORD_UNIQUE_ITEMS, turn->node,
                             SLICE_OF("has equal items"));
    case CHECK_PREFIX_ITEMS:
        return prefix_holds(turn, check);
    case CHECK_ITEMS:
        return items_hold(turn, check);
    case CHECK_CONTAINS:
        return contains_holds(turn, check);
    case CHECK_UNEVALUATED_ITEMS:
        return rest_holds(turn, check);
    default:
        return run_fail(turn->run, ERR_CORRUPT);
    }
}

bool array_run(const struct turn *turn)
{
    const struct check *checks = turn->run->schema->checks;
    bool valid = true;
    for (uint32_t i = turn->rule->first[GROUP_ARRAY];
         i < turn->rule->first[GROUP_ARRAY + 1]; i++) {
        if (check_holds(turn, &checks[i]))
            continue;
        if (!turn->run->collecting)
            return false;
        valid = false;
    }
    return valid;
}
