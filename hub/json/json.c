#include "json/json.h"

#include "base/ensure.h"
#include "base/hash.h"
#include "json/scan.h"
#include "json/unique.h"

#include <stdlib.h>
#include <string.h>

/* A tape starts this small and doubles. */
#define FIRST_NODES ((uint32_t)64)

const struct json_limits JSON_LIMITS_DEFAULT = {
    .bytes_max = (size_t)8 * 1024 * 1024,
    .nodes_max = 100000,
    .depth_max = 32,
    .string_bytes_max = (size_t)1024 * 1024,
    .key_bytes_max = 256,
};

struct json {
    struct json_limits limits;
    struct json_node *nodes;
    uint32_t count;
    uint32_t room;
    uint32_t *open; /* the containers around the current place, depth_max of them */
    uint32_t depth;
    char *strings; /* unescaped values; room for all of the text, so it never moves */
    size_t strings_used;
    size_t strings_room;
    struct unique unique;
    struct slice text;
    struct scan scan;
    enum err err; /* what kind of refusal scan.reason is */
};

struct json *json_create(const struct json_limits *limits)
{
    struct json *json = calloc(1, sizeof *json);
    if (json == NULL)
        return NULL;
    json->limits = *limits;
    if (json->limits.nodes_max > UINT32_MAX / 4)
        json->limits.nodes_max = UINT32_MAX / 4;
    json->open = calloc((size_t)json->limits.depth_max + 1, sizeof *json->open);
    if (json->open == NULL) {
        free(json);
        return NULL;
    }
    unique_init(&json->unique, json);
    return json;
}

void json_destroy(struct json *json)
{
    if (json == NULL)
        return;
    unique_finish(&json->unique);
    free(json->nodes);
    free(json->open);
    free(json->strings);
    free(json);
}

static bool refuse(struct json *json, enum err err, const char *wrong, const char *reason)
{
    json->err = err;
    return scan_refuse(&json->scan, wrong, reason);
}

static bool refuse_memory(struct json *json)
{
    return refuse(json, ERR_MEMORY, json->scan.at, "out of memory");
}

static bool nodes_grow(struct json *json)
{
    uint32_t max = json->limits.nodes_max;
    if (json->count >= max)
        return refuse(json, ERR_LIMIT, json->scan.at, "too many values");
    uint32_t room = json->room == 0 ? FIRST_NODES : json->room * 2;
    if (room > max)
        room = max;
    struct json_node *nodes = realloc(json->nodes, room * sizeof *nodes);
    if (nodes == NULL)
        return refuse_memory(json);
    json->nodes = nodes;
    json->room = room;
    return true;
}

/* Opens a node at the current byte; NULL on refusal. */
static struct json_node *node_add(struct json *json, enum json_kind kind)
{
    if (json->count == json->room && !nodes_grow(json))
        return NULL;
    struct json_node *node = &json->nodes[json->count++];
    *node = (struct json_node){
        .kind = (uint8_t)kind,
        .after = json->count,
        .raw = { json->scan.at, 0 },
    };
    return node;
}

static void node_close(struct json *json, struct json_node *node)
{
    node->raw.size = (size_t)(json->scan.at - node->raw.data);
}

static void white_skip(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' ||
                                    *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
}

static bool strings_reserve(struct json *json)
{
    if (json->strings_room >= json->text.size)
        return true;
    /* Nothing points in yet: the room is made before the first escape of a text. */
    ENSURE(json->strings_used == 0);
    char *strings = malloc(json->text.size);
    if (strings == NULL)
        return refuse_memory(json);
    free(json->strings);
    json->strings = strings;
    json->strings_room = json->text.size;
    return true;
}

static bool string_read(struct json *json, size_t bytes_max, const char *too_long)
{
    struct json_node *node = node_add(json, JSON_STRING);
    if (node == NULL)
        return false;
    bool escaped;
    if (!scan_string(&json->scan, &escaped))
        return false;
    node_close(json, node);

    struct slice inner = { node->raw.data + 1, node->raw.size - 2 };
    if (escaped) {
        if (!strings_reserve(json))
            return false;
        char *target = json->strings + json->strings_used;
        inner = slice_make(target, scan_unescape(inner, target));
        json->strings_used += inner.size;
    }
    if (inner.size > bytes_max)
        return refuse(json, ERR_LIMIT, node->raw.data, too_long);
    node->value.text = inner;
    return true;
}

static bool number_read(struct json *json)
{
    struct json_node *node = node_add(json, JSON_NUMBER);
    if (node == NULL || !scan_number(&json->scan, &node->integer, &node->value.number))
        return false;
    node_close(json, node);
    return true;
}

static bool word_read(struct json *json, enum json_kind kind, struct slice word)
{
    struct scan *scan = &json->scan;
    struct slice rest = { scan->at, (size_t)(scan->end - scan->at) };
    if (!slice_starts_with(rest, word))
        return scan_refuse(scan, scan->at, "unknown word");
    struct json_node *node = node_add(json, kind);
    if (node == NULL)
        return false;
    scan->at += word.size;
    node_close(json, node);
    return true;
}

static bool container_open(struct json *json, enum json_kind kind)
{
    if (json->depth == json->limits.depth_max)
        return refuse(json, ERR_LIMIT, json->scan.at, "nested too deeply");
    if (node_add(json, kind) == NULL)
        return false;
    json->open[json->depth++] = json->count - 1;
    json->scan.at++;
    return true;
}

/* One value; of a container only its bracket. */
static bool value_read(struct json *json)
{
    if (json->scan.at == json->scan.end)
        return scan_refuse(&json->scan, json->scan.at, "text ends too early");
    switch (*json->scan.at) {
    case '{':
        return container_open(json, JSON_OBJECT);
    case '[':
        return container_open(json, JSON_ARRAY);
    case '"':
        return string_read(json, json->limits.string_bytes_max, "string too long");
    case 't':
        return word_read(json, JSON_TRUE, SLICE_OF("true"));
    case 'f':
        return word_read(json, JSON_FALSE, SLICE_OF("false"));
    case 'n':
        return word_read(json, JSON_NULL, SLICE_OF("null"));
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return number_read(json);
    default:
        return scan_refuse(&json->scan, json->scan.at, "value expected");
    }
}

/* The key and its colon, up to the value. */
static bool key_read(struct json *json)
{
    struct scan *scan = &json->scan;
    if (scan->at == scan->end || *scan->at != '"')
        return scan_refuse(scan, scan->at, "key expected");
    if (!string_read(json, json->limits.key_bytes_max, "key too long"))
        return false;
    white_skip(scan);
    if (scan->at == scan->end || *scan->at != ':')
        return scan_refuse(scan, scan->at, "colon expected");
    scan->at++;
    white_skip(scan);
    return true;
}

static bool container_close(struct json *json)
{
    uint32_t index = json->open[--json->depth];
    struct json_node *node = &json->nodes[index];
    json->scan.at++;
    node->after = json->count;
    node_close(json, node);
    if (node->kind == JSON_ARRAY)
        return true;

    const struct json_node *twin;
    if (!unique_check(&json->unique, json->nodes, index, &twin))
        return refuse_memory(json);
    if (twin != NULL)
        return scan_refuse(&json->scan, twin->raw.data, "duplicate key");
    return true;
}

/* Behind a value: closes what ends here and stands before the next value, or at depth
 * zero. */
static bool next_find(struct json *json)
{
    struct scan *scan = &json->scan;
    while (json->depth > 0) {
        struct json_node *parent = &json->nodes[json->open[json->depth - 1]];
        bool object = parent->kind == JSON_OBJECT;
        white_skip(scan);
        if (scan->at == scan->end)
            return scan_refuse(scan, scan->at, "text ends too early");
        bool first = parent->count == 0;
        if (*scan->at == (object ? '}' : ']')) {
            if (!container_close(json))
                return false;
            continue;
        }
        if (!first) {
            if (*scan->at != ',')
                return scan_refuse(scan, scan->at, "comma or closing bracket expected");
            scan->at++;
            white_skip(scan);
        }
        parent->count++;
        return !object || key_read(json);
    }
    return true;
}

static bool text_read(struct json *json)
{
    struct scan *scan = &json->scan;
    white_skip(scan);
    do {
        if (!value_read(json) || !next_find(json))
            return false;
    } while (json->depth > 0);
    white_skip(scan);
    if (scan->at != scan->end)
        return scan_refuse(scan, scan->at, "text behind the value");
    return true;
}

enum err json_parse(struct json *json, struct slice text,
                    struct json_problem *ret_problem)
{
    if (!slice_is_present(text))
        text = SLICE_OF("");
    json->text = text;
    json->count = 0;
    json->depth = 0;
    json->strings_used = 0;
    json->err = ERR_INVALID;
    json->scan = (struct scan){ .at = text.data, .end = text.data + text.size };

    bool read = false;
    if (text.size > json->limits.bytes_max)
        refuse(json, ERR_LIMIT, text.data + json->limits.bytes_max, "text too long");
    else
        read = text_read(json);
    if (read)
        return ERR_OK;

    json->count = 0;
    *ret_problem = (struct json_problem){
        .offset = (size_t)(json->scan.wrong - text.data),
        .reason = json->scan.reason,
    };
    return json->err;
}

const struct json_node *json_nodes(const struct json *json, uint32_t *ret_count)
{
    *ret_count = json->count;
    return json->nodes;
}

const struct json_node *json_root(const struct json *json)
{
    return json->count == 0 ? NULL : json->nodes;
}

const struct json_node *json_child(const struct json *json,
                                   const struct json_node *parent)
{
    (void)json;
    return parent->count == 0 ? NULL : parent + 1;
}

const struct json_node *json_after(const struct json *json,
                                   const struct json_node *parent,
                                   const struct json_node *node)
{
    return node->after < parent->after ? json->nodes + node->after : NULL;
}

const struct json_node *json_member(const struct json *json,
                                    const struct json_node *object, struct slice key)
{
    if (object == NULL || object->kind != JSON_OBJECT)
        return NULL;
    const struct json_node *at = object + 1;
    for (uint32_t i = 0; i < object->count; i++) {
        if (slice_equal(at->value.text, key))
            return at + 1;
        at = json->nodes + at[1].after;
    }
    return NULL;
}
