/*
 * map.h - a hash table from byte keys to pointers, walked in order of insertion.
 *
 * Ownership  Keys are copied; values are the caller's.
 * Memory     Grows by doubling up to `count_max` entries, then map_put refuses.
 * Threads    One at a time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/err.h"
#include "base/hash.h"

struct map;

/* NULL without memory. `key` seeds the hash; random wherever clients choose keys. */
struct map *map_create(struct siphash_key key, size_t count_max);

/* Accepts NULL. Does not touch the values. */
void map_destroy(struct map *map);

size_t map_count(const struct map *map);

/* NULL when absent. */
void *map_get(const struct map *map, struct slice key);

/* Replaces the value of an existing key, in its old place; *ret_old (may be NULL) gets
 * the value that stood there, else NULL. ERR_LIMIT or ERR_MEMORY change nothing. */
enum err map_put(struct map *map, struct slice key, void *value, void **ret_old);

/* The value removed, or NULL. */
void *map_remove(struct map *map, struct slice key);

/* Walks in order of insertion: start with *position 0. False at the end. Entries may be
 * removed while walking, not added. */
bool map_next(const struct map *map, size_t *position, struct slice *ret_key,
              void **ret_value);

#endif
