#include "json/unique.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

/* Up to here every pair is compared by a four-byte signature; above, a table is used. */
enum { PAIRS_MAX = 16 };

#define FREE_SLOT UINT32_MAX

/* Clients choose keys, so the hash is seeded with what the kernel gave this process. */
void unique_init(struct unique *unique, const void *salt)
{
    *unique = (struct unique){ .seed = { { 0, (uint64_t)(uintptr_t)salt } } };
    const void *random = (const void *)getauxval(AT_RANDOM);
    if (random != NULL) {
        uint64_t words[2];
        memcpy(words, random, sizeof words);
        unique->seed.words[0] = words[0];
        unique->seed.words[1] ^= words[1];
    }
}

void unique_finish(struct unique *unique)
{
    free(unique->slots);
    unique->slots = NULL;
    unique->slots_room = 0;
}

static uint32_t signature(struct slice key)
{
    if (key.size == 0)
        return 0;
    return (uint32_t)(uint8_t)key.size << 24 | (uint32_t)(uint8_t)key.data[0] << 16 |
           (uint32_t)(uint8_t)key.data[key.size / 2] << 8 |
           (uint32_t)(uint8_t)key.data[key.size - 1];
}

static const struct json_node *pairs_check(const struct json_node *nodes, uint32_t object)
{
    uint32_t signatures[PAIRS_MAX];
    const struct json_node *keys[PAIRS_MAX];
    const struct json_node *key = &nodes[object + 1];

    for (uint32_t i = 0; i < nodes[object].count; i++) {
        keys[i] = key;
        signatures[i] = signature(key->value.text);
        for (uint32_t j = 0; j < i; j++)
            if (signatures[j] == signatures[i] &&
                slice_equal(keys[j]->value.text, key->value.text))
                return key;
        key = &nodes[key[1].after];
    }
    return NULL;
}

static bool slots_clear(struct unique *unique, size_t slots)
{
    if (slots > unique->slots_room) {
        uint32_t *grown = malloc(slots * sizeof *grown);
        if (grown == NULL)
            return false;
        free(unique->slots);
        unique->slots = grown;
        unique->slots_room = slots;
    }
    memset(unique->slots, 0xff, slots * sizeof *unique->slots);
    return true;
}

bool unique_check(struct unique *unique, const struct json_node *nodes, uint32_t object,
                  const struct json_node **ret_twin)
{
    uint32_t count = nodes[object].count;
    *ret_twin = NULL;
    if (count <= PAIRS_MAX) {
        *ret_twin = pairs_check(nodes, object);
        return true;
    }

    size_t slots = (size_t)4 * PAIRS_MAX;
    while (slots < (size_t)count * 2)
        slots *= 2;
    if (!slots_clear(unique, slots))
        return false;

    uint32_t key = object + 1;
    for (uint32_t i = 0; i < count; i++) {
        struct slice text = nodes[key].value.text;
        size_t at = siphash(unique->seed, text) & (slots - 1);
        for (; unique->slots[at] != FREE_SLOT; at = (at + 1) & (slots - 1)) {
            if (slice_equal(nodes[unique->slots[at]].value.text, text)) {
                *ret_twin = &nodes[key];
                return true;
            }
        }
        unique->slots[at] = key;
        key = nodes[key + 1].after;
    }
    return true;
}
