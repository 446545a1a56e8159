#include "schema/run.h"

/* Up to here every pair of items is compared; above, a table of hashes is used. */
enum { PAIRS_MAX = 16 };

static bool items_equal(struct schema_run *run, const struct json_node *ones,
                        uint32_t one, const struct json_node *others, uint32_t other)
{
    uint32_t count = ones[one].count;
    uint32_t left = one + 1;
    uint32_t right = other + 1;
    for (uint32_t i = 0; i < count; i++) {
        if (!value_equal(run, ones, left, others, right))
            return false;
        left = ones[left].after;
        right = others[right].after;
    }
    return true;
}

/* The key in the object, looked for from `hint` on and round. */
static uint32_t key_find(struct schema_run *run, const struct json_node *nodes,
                         uint32_t object, uint32_t hint, struct slice name)
{
    uint32_t at = hint;
    for (uint32_t i = 0; i < nodes[object].count; i++) {
        if (at >= nodes[object].after)
            at = object + 1;
        if (!run_spend(run, 1))
            return RULE_NONE;
        if (slice_equal(nodes[at].value.text, name))
            return at;
        at = nodes[at + 1].after;
    }
    return RULE_NONE;
}

static bool members_equal(struct schema_run *run, const struct json_node *ones,
                          uint32_t one, const struct json_node *others, uint32_t other)
{
    uint32_t left = one + 1;
    uint32_t right = other + 1;
    for (uint32_t i = 0; i < ones[one].count; i++) {
        right = key_find(run, others, other, right, ones[left].value.text);
        if (right == RULE_NONE || !value_equal(run, ones, left + 1, others, right + 1))
            return false;
        left = ones[left + 1].after;
        right = others[right + 1].after;
    }
    return true;
}

/* Recursion is bounded by the nesting both tapes allowed. */
bool value_equal(struct schema_run *run, const struct json_node *ones, uint32_t one,
                 const struct json_node *others, uint32_t other)
{
    const struct json_node *left = &ones[one];
    const struct json_node *right = &others[other];
    if (left->kind != right->kind || !run_spend(run, 1) ||
        !run_spend_bytes(run, left->raw.size))
        return false;
    switch ((enum json_kind)left->kind) {
    case JSON_NUMBER:
        return number_compare(left, right) == 0;
    case JSON_STRING:
        return name_equal(left->value.text, right->value.text);
    case JSON_ARRAY:
        return left->count == right->count && items_equal(run, ones, one, others, other);
    case JSON_OBJECT:
        return left->count == right->count &&
               members_equal(run, ones, one, others, other);
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
        break;
    }
    return true;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
    return hash ^ hash >> 29;
}

uint64_t value_hash(const struct json_node *nodes, uint32_t node, uint64_t seed)
{
    const struct json_node *value = &nodes[node];
    uint64_t hash = mix(seed, value->kind);
    uint32_t child = node + 1;
    switch ((enum json_kind)value->kind) {
    case JSON_NUMBER:
        return mix(hash, number_hash(value));
    case JSON_STRING:
        return siphash((struct siphash_key){ { seed, hash } }, value->value.text);
    case JSON_ARRAY:
        for (uint32_t i = 0; i < value->count; i++, child = nodes[child].after)
            hash = mix(hash, value_hash(nodes, child, seed));
        return hash;
    case JSON_OBJECT: {
        uint64_t sum = 0; /* members in any order */
        for (uint32_t i = 0; i < value->count; i++, child = nodes[child + 1].after)
            sum +=
                mix(value_hash(nodes, child, seed), value_hash(nodes, child + 1, seed));
        return mix(hash, sum);
    }
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
        break;
    }
    return hash;
}

static bool pairs_unique(struct schema_run *run, const struct json_node *array)
{
    uint32_t first = (uint32_t)(array - run->nodes) + 1;
    uint32_t one = first;
    for (uint32_t i = 0; i < array->count; i++, one = run->nodes[one].after)
        for (uint32_t other = first; other < one; other = run->nodes[other].after)
            if (value_equal(run, run->nodes, one, run->nodes, other))
                return false;
    return true;
}

bool items_unique(struct schema_run *run, const struct json_node *array)
{
    if (array->count <= PAIRS_MAX)
        return pairs_unique(run, array);

    size_t slots = (size_t)4 * PAIRS_MAX;
    while (slots < (size_t)array->count * 2)
        slots *= 2;
    size_t table;
    if (!scratch_take(run, slots, &table))
        return false;

    /* A slot holds the item's number; zero, which is the array's root or before, is free. */
    bool unique = true;
    uint32_t item = (uint32_t)(array - run->nodes) + 1;
    for (uint32_t i = 0; i < array->count && unique; i++) {
        size_t at = value_hash(run->nodes, item, run->seed) & (slots - 1);
        for (; run->scratch[table + at] != 0 && unique; at = (at + 1) & (slots - 1))
            unique = !value_equal(run, run->nodes, item, run->nodes,
                                  (uint32_t)run->scratch[table + at]) &&
                     run->err == ERR_OK;
        run->scratch[table + at] = item;
        item = run->nodes[item].after;
    }
    scratch_return(run, table);
    return unique;
}
