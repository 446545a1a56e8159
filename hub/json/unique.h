/*
 * unique.h - finds a key that stands twice in one object, in linear time.
 *
 * Memory  Keeps a table that grows to the largest object seen.
 */
#ifndef JSON_UNIQUE_H
#define JSON_UNIQUE_H

#include "base/hash.h"
#include "json/json.h"

struct unique {
    struct siphash_key seed;
    uint32_t *slots;
    size_t slots_room;
};

/* `salt` makes the seed differ from one tape to the next. */
void unique_init(struct unique *unique, const void *salt);
void unique_finish(struct unique *unique);

/* False without memory. *ret_twin is the second of two equal keys, or NULL. */
bool unique_check(struct unique *unique, const struct json_node *nodes, uint32_t object,
                  const struct json_node **ret_twin);

#endif
