#include "schema/program.h"

#include <stdlib.h>
#include <string.h>

static uint64_t word_at(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint32_t half_at(const char *bytes)
{
    uint32_t half;
    memcpy(&half, bytes, sizeof half);
    return half;
}

/* Size, front and back: names of one object differ there nearly always. */
uint32_t name_hash(struct slice name)
{
    const char *at = name.data;
    uint64_t word = 0;
    if (name.size >= 8)
        word = word_at(at) ^ (word_at(at + name.size - 8) * 31);
    else if (name.size >= 4)
        word = half_at(at) | (uint64_t)half_at(at + name.size - 4) << 32;
    else if (name.size > 0)
        word = (uint64_t)(uint8_t)at[0] << 16 |
               (uint64_t)(uint8_t)at[name.size / 2] << 8 | (uint8_t)at[name.size - 1];
    word = (word ^ name.size) * 0x9e3779b97f4a7c15U;
    return (uint32_t)(word >> 32);
}

bool name_equal(struct slice one, struct slice other)
{
    size_t size = one.size;
    if (size != other.size)
        return false;
    if (size > 16)
        return memcmp(one.data, other.data, size) == 0;
    if (size >= 8)
        return ((word_at(one.data) ^ word_at(other.data)) |
                (word_at(one.data + size - 8) ^ word_at(other.data + size - 8))) == 0;
    if (size >= 4)
        return ((half_at(one.data) ^ half_at(other.data)) |
                (half_at(one.data + size - 4) ^ half_at(other.data + size - 4))) == 0;
    for (size_t i = 0; i < size; i++)
        if (one.data[i] != other.data[i])
            return false;
    return true;
}

const struct property *members_find(const struct members *members, struct slice name,
                                    uint32_t *hint)
{
    if (*hint < members->property_count &&
        name_equal(members->properties[*hint].name, name))
        return &members->properties[(*hint)++];

    uint32_t at = name_hash(name) & members->slot_mask;
    for (; members->slots[at] != RULE_NONE; at = (at + 1) & members->slot_mask) {
        uint32_t index = members->slots[at];
        if (!name_equal(members->properties[index].name, name))
            continue;
        *hint = index + 1;
        return &members->properties[index];
    }
    return NULL;
}

void schema_destroy(struct schema *schema)
{
    if (schema == NULL)
        return;
    for (uint32_t i = 0; i < schema->pattern_count; i++)
        pattern_destroy(schema->patterns[i]);
    free(schema->patterns);
    free(schema->rules);
    free(schema->checks);
    free(schema->constants);
    free(schema->overrides);
    arena_finish(&schema->arena);
    free(schema);
}
