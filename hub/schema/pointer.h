/*
 * pointer.h - JSON Pointer (RFC 6901) over a tape's nodes.
 */
#ifndef SCHEMA_POINTER_H
#define SCHEMA_POINTER_H

#include "json/json.h"

/* Appends '/' and the token, escaped. */
void pointer_append_token(struct buffer *target, struct slice token);

/* Appends the way from node `from` down to node `to` inside it. */
void pointer_append_path(struct buffer *target, const struct json_node *nodes,
                         uint32_t from, uint32_t to);

/* The node `pointer` names below `from`; false when there is none. */
bool pointer_find(const struct json_node *nodes, uint32_t from, struct slice pointer,
                  uint32_t *ret_node);

#endif
