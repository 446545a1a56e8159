/*
 * json.h - JSON text (RFC 8259) read once into a flat tape.
 *
 * The tape is the only parse: validation, decoding and forwarding all walk it, so no two
 * readers of the same bytes can disagree. Every node knows where its original bytes
 * stand, so that opaque values are kept and forwarded exactly as they came.
 *
 * Refused    NUL bytes, invalid UTF-8, lone surrogates, duplicate keys, trailing text,
 *            and whatever passes the limits; with a byte offset and a reason. (The escape
 *            \u0000 is legal JSON: a string's value may hold a NUL, slices carry it.)
 * Ownership  The text is borrowed and must outlive the tape. The tape owns its nodes and
 *            its unescaped strings, and reuses their memory from parse to parse.
 * Threads    One at a time.
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include "base/buffer.h"
#include "base/err.h"

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_limits {
    size_t bytes_max;
    uint32_t nodes_max;
    uint32_t depth_max;
    size_t string_bytes_max;
    size_t key_bytes_max;
};

/* The limits of everything that comes from outside. */
extern const struct json_limits JSON_LIMITS_DEFAULT;

/*
 * Nodes stand in document order. An object's children come as key node (a string), value
 * node, key, value...; the next sibling of node n is nodes[n].after.
 */
struct json_node {
    uint8_t kind;     /* enum json_kind */
    bool integer;     /* a number without fraction and exponent that fits int64_t */
    uint32_t count;   /* members of an object, items of an array */
    uint32_t after;   /* index of the node behind this value and all inside it */
    struct slice raw; /* original bytes, quotes included */
    union {
        struct slice text; /* a string's value, unescaped; valid UTF-8 */
        int64_t number;    /* when `integer` */
    } value;
};

struct json;

struct json_problem {
    size_t offset;      /* of the first byte that is wrong */
    const char *reason; /* fixed text */
};

/* NULL without memory. */
struct json *json_create(const struct json_limits *limits);

/* Accepts NULL. */
void json_destroy(struct json *json);

/* ERR_INVALID (see *ret_problem), ERR_LIMIT (likewise) or ERR_MEMORY. Replaces what the
 * tape held before. */
enum err json_parse(struct json *json, struct slice text,
                    struct json_problem *ret_problem);

/* Node 0 is the root; none after a failed parse. The pointer is valid until the next json_parse. */
const struct json_node *json_nodes(const struct json *json, uint32_t *ret_count);

/* NULL after a failed parse. */
const struct json_node *json_root(const struct json *json);

/* First child, or NULL; of an object the first key. */
const struct json_node *json_child(const struct json *json,
                                   const struct json_node *parent);

/* The node behind `node` in `parent`, or NULL at its end. Works on keys and values. */
const struct json_node *json_after(const struct json *json,
                                   const struct json_node *parent,
                                   const struct json_node *node);

/* The value of a member, or NULL when absent or when `object` is no object. */
const struct json_node *json_member(const struct json *json,
                                    const struct json_node *object, struct slice key);

#endif
