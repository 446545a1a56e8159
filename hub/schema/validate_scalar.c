#include "schema/run.h"

#include "schema/format.h"

/* A digit of a long number may cost a division. */
enum { DIGIT_COST = 4 };

static int bound_compare(const struct json_node *node, const struct bound *bound)
{
    if (node->integer && bound->node.integer)
        return (node->value.number > bound->node.value.number) -
               (node->value.number < bound->node.value.number);
    struct decimal decimal = decimal_read(node->raw);
    return decimal_compare(&decimal, &bound->decimal);
}

static bool is_multiple(const struct json_node *node, const struct bound *bound)
{
    if (node->integer &&
        bound->node.integer) /* a divisor above zero: INT64_MIN is safe */
        return node->value.number % bound->node.value.number == 0;
    struct decimal decimal = decimal_read(node->raw);
    return decimal_is_multiple(&decimal, &bound->decimal);
}

/* As many steps as a match is dearer than a comparison, roughly. */
enum { PATTERN_COST = 4 };

bool pattern_run(struct schema_run *run, const struct pattern *pattern, struct slice text)
{
    bool matches = false;
    if (!run_spend(run, PATTERN_COST))
        return false;
    enum err err = pattern_match(pattern, run->patterns, text, &matches);
    if (err != ERR_OK)
        run_fail(run, err);
    return matches;
}

static const char *number_objection(const struct json_node *node,
                                    const struct check *check)
{
    const struct bound *bound = check->data;
    switch (check->code) {
    case CHECK_MINIMUM:
        return bound_compare(node, bound) >= 0 ? NULL : "is too small";
    case CHECK_EXCLUSIVE_MINIMUM:
        return bound_compare(node, bound) > 0 ? NULL : "is too small";
    case CHECK_MAXIMUM:
        return bound_compare(node, bound) <= 0 ? NULL : "is too large";
    case CHECK_EXCLUSIVE_MAXIMUM:
        return bound_compare(node, bound) < 0 ? NULL : "is too large";
    default:
        return is_multiple(node, bound) ? NULL : "is no multiple";
    }
}

bool number_run(const struct turn *turn)
{
    const struct check *checks = turn->run->schema->checks;
    bool valid = true;
    if (!run_spend_bytes(turn->run, turn->node->raw.size * DIGIT_COST))
        return false;
    for (uint32_t i = turn->rule->first[GROUP_NUMBER];
         i < turn->rule->first[GROUP_NUMBER + 1]; i++) {
        const char *objection = number_objection(turn->node, &checks[i]);
        if (objection == NULL)
            continue;
        violation_add(turn, (enum keyword)checks[i].keyword, turn->node,
                      slice_from_text(objection));
        if (!turn->run->collecting)
            return false;
        valid = false;
    }
    return valid;
}

static size_t points_count(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((uint8_t)text.data[i] & 0xc0) != 0x80;
    return count;
}

static bool pattern_holds(const struct turn *turn, const struct check *check)
{
    bool matches = false;
    enum err err =
        pattern_match(check->data, turn->run->patterns, turn->node->value.text, &matches);
    if (err != ERR_OK)
        run_fail(turn->run, err);
    return matches;
}

static bool format_holds(const struct turn *turn, const struct check *check)
{
    struct slice text = turn->node->value.text;
    const struct format_tools tools = { check->data, turn->run->patterns };
    /* Reading an expression costs far more than the other formats. */
    if (check->a == FORMAT_REGEX &&
        !run_spend(turn->run,
                   (uint32_t)(text.size < UINT32_MAX ? text.size : UINT32_MAX)))
        return false;
    return format_matches((enum format)check->a, text, &tools);
}

static const char *string_objection(const struct turn *turn, const struct check *check)
{
    struct slice text = turn->node->value.text;
    switch (check->code) {
    case CHECK_MIN_LENGTH:
        /* A code point takes one byte to four. */
        if (text.size / 4 >= check->a)
            return NULL;
        return points_count(text) >= check->a ? NULL : "is too short";
    case CHECK_MAX_LENGTH:
        if (text.size <= check->a)
            return NULL;
        return points_count(text) <= check->a ? NULL : "is too long";
    case CHECK_PATTERN:
        return pattern_holds(turn, check) ? NULL : "does not match the pattern";
    default:
        return format_holds(turn, check) ? NULL : "is not of the format";
    }
}

bool string_run(const struct turn *turn)
{
    const struct check *checks = turn->run->schema->checks;
    bool valid = true;
    if (!run_spend_bytes(turn->run, turn->node->value.text.size))
        return false;
    for (uint32_t i = turn->rule->first[GROUP_STRING];
         i < turn->rule->first[GROUP_STRING + 1]; i++) {
        const char *objection = string_objection(turn, &checks[i]);
        if (objection == NULL)
            continue;
        violation_add(turn, (enum keyword)checks[i].keyword, turn->node,
                      slice_from_text(objection));
        if (!turn->run->collecting)
            return false;
        valid = false;
    }
    return valid;
}
