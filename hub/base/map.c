#include "base/map.h"

#include "base/ensure.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS ((size_t)16)
#define EMPTY UINT32_MAX

struct entry {
    char *key; /* NULL once removed */
    size_t key_size;
    uint64_t hash;
    void *value;
};

/*
 * `entries` stands in order of insertion, with holes where entries were removed;
 * `slots` (a power of two) holds indexes into it, probed linearly. A slot is emptied
 * only by a rebuild, so a probe passes over holes and stops at EMPTY.
 */
struct map {
    struct siphash_key seed;
    size_t count;
    size_t count_max;
    struct entry *entries;
    size_t entries_used;
    size_t entries_room;
    uint32_t *slots;
    size_t slots_count;
};

struct map *map_create(struct siphash_key key, size_t count_max)
{
    struct map *map = calloc(1, sizeof *map);
    if (map == NULL)
        return NULL;
    map->seed = key;
    map->count_max = count_max < EMPTY / 4 ? count_max : EMPTY / 4;
    return map;
}

void map_destroy(struct map *map)
{
    if (map == NULL)
        return;
    for (size_t i = 0; i < map->entries_used; i++)
        free(map->entries[i].key);
    free(map->entries);
    free(map->slots);
    free(map);
}

size_t map_count(const struct map *map)
{
    return map->count;
}

static struct entry *entry_find(const struct map *map, struct slice key, uint64_t hash)
{
    if (map->slots_count == 0)
        return NULL;
    size_t mask = map->slots_count - 1;
    for (size_t at = hash & mask; map->slots[at] != EMPTY; at = (at + 1) & mask) {
        struct entry *entry = &map->entries[map->slots[at]];
        if (entry->key != NULL && entry->hash == hash &&
            slice_equal(slice_make(entry->key, entry->key_size), key))
            return entry;
    }
    return NULL;
}

static void slot_fill(struct map *map, size_t index)
{
    size_t mask = map->slots_count - 1;
    size_t at = map->entries[index].hash & mask;
    while (map->slots[at] != EMPTY)
        at = (at + 1) & mask;
    map->slots[at] = (uint32_t)index;
}

/* Squeezes the holes out and sizes the slots for twice the living entries. */
static bool map_rebuild(struct map *map)
{
    size_t slots_count = FIRST_SLOTS;
    while (slots_count < map->count * 4 + 4)
        slots_count *= 2;
    size_t room = slots_count / 2;

    uint32_t *slots = malloc(slots_count * sizeof *slots);
    struct entry *entries = malloc(room * sizeof *entries);
    if (slots == NULL || entries == NULL) {
        free(slots);
        free(entries);
        return false;
    }

    size_t used = 0;
    for (size_t i = 0; i < map->entries_used; i++)
        if (map->entries[i].key != NULL)
            entries[used++] = map->entries[i];
    ENSURE(used == map->count);

    free(map->entries);
    free(map->slots);
    map->entries = entries;
    map->entries_used = used;
    map->entries_room = room;
    map->slots = slots;
    map->slots_count = slots_count;
    memset(slots, 0xff, slots_count * sizeof *slots);
    for (size_t i = 0; i < used; i++)
        slot_fill(map, i);
    return true;
}

void *map_get(const struct map *map, struct slice key)
{
    struct entry *entry = entry_find(map, key, siphash(map->seed, key));
    return entry == NULL ? NULL : entry->value;
}

enum err map_put(struct map *map, struct slice key, void *value, void **ret_old)
{
    uint64_t hash = siphash(map->seed, key);
    struct entry *entry = entry_find(map, key, hash);
    if (entry != NULL) {
        if (ret_old != NULL)
            *ret_old = entry->value;
        entry->value = value;
        return ERR_OK;
    }

    if (map->count >= map->count_max)
        return ERR_LIMIT;
    char *copy = malloc(key.size + 1);
    if (copy == NULL)
        return ERR_MEMORY;
    if (map->entries_used == map->entries_room && !map_rebuild(map)) {
        free(copy);
        return ERR_MEMORY;
    }
    if (key.size > 0)
        memcpy(copy, key.data, key.size);
    copy[key.size] = '\0';

    size_t index = map->entries_used++;
    map->entries[index] = (struct entry){ copy, key.size, hash, value };
    map->count++;
    slot_fill(map, index);
    if (ret_old != NULL)
        *ret_old = NULL;
    return ERR_OK;
}

void *map_remove(struct map *map, struct slice key)
{
    struct entry *entry = entry_find(map, key, siphash(map->seed, key));
    if (entry == NULL)
        return NULL;
    free(entry->key);
    entry->key = NULL;
    map->count--;
    return entry->value;
}

bool map_next(const struct map *map, size_t *position, struct slice *ret_key,
              void **ret_value)
{
    while (*position < map->entries_used) {
        const struct entry *entry = &map->entries[(*position)++];
        if (entry->key == NULL)
            continue;
        *ret_key = slice_make(entry->key, entry->key_size);
        *ret_value = entry->value;
        return true;
    }
    return false;
}
