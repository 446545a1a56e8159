#include "schema/library.h"

#include "base/ensure.h"
#include "schema/keyword.h"
#include "schema/metaschema.h"
#include "schema/pointer.h"
#include "schema/uri.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The base of documents known by path, and of a text that says no name. */
static const struct slice BASE = SLICE("schema:/");

#define DOCUMENTS_MAX ((size_t)100000)

enum { URI_BYTES_MAX = 4096, POINTER_BYTES_MAX = 64 * 1024 };

const struct schema_limits SCHEMA_LIMITS_DEFAULT = {
    .text_bytes_max = (size_t)256 * 1024,
    .nodes_max = 20000,
    .depth_max = 128,
    .program_max = 100000,
    .pattern_bytes_max = 4096,
};

void problem_write(struct schema_problem *problem, const struct document *document,
                   uint32_t node, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->reason, sizeof problem->reason, format, arguments);
    va_end(arguments);

    struct buffer pointer;
    buffer_init(&pointer, POINTER_BYTES_MAX);
    if (document != NULL)
        pointer_append_path(&pointer, document->nodes, 0, node);
    struct slice path = buffer_slice(&pointer);
    if (path.size >= sizeof problem->pointer)
        path.size = sizeof problem->pointer - 1;
    memcpy(problem->pointer, path.data, path.size);
    problem->pointer[path.size] = '\0';
    buffer_finish(&pointer);
}

struct schema_set *schema_set_create(void)
{
    struct schema_set *set = calloc(1, sizeof *set);
    if (set == NULL)
        return NULL;
    set->limits = SCHEMA_LIMITS_DEFAULT;
    set->resources = map_create((struct siphash_key){ { 0, 0 } }, DOCUMENTS_MAX);
    if (set->resources == NULL) {
        free(set);
        return NULL;
    }
    return set;
}

void schema_set_limit(struct schema_set *set, const struct schema_limits *limits)
{
    set->limits = *limits;
}

static void document_destroy(struct document *document)
{
    json_destroy(document->json);
    arena_finish(&document->arena);
    free(document);
}

void schema_set_destroy(struct schema_set *set)
{
    if (set == NULL)
        return;
    while (set->documents != NULL) {
        struct document *next = set->documents->next;
        document_destroy(set->documents);
        set->documents = next;
    }
    map_destroy(set->resources);
    free(set);
}

static struct slice uri_make(struct document *document, struct slice base,
                             struct slice reference)
{
    struct buffer uri;
    buffer_init(&uri, URI_BYTES_MAX);
    uri_resolve(&uri, base, reference);
    struct slice copy = { NULL, 0 };
    if (!buffer_failed(&uri))
        copy = arena_copy(&document->arena, buffer_slice(&uri));
    buffer_finish(&uri);
    return copy;
}

static struct resource *resource_add(struct document *document, struct slice base,
                                     struct slice reference, uint32_t node)
{
    struct resource *resource = arena_take(&document->arena, sizeof *resource);
    if (resource == NULL)
        return NULL;
    resource->uri = uri_make(document, base, reference);
    resource->document = document;
    resource->node = node;
    if (!slice_is_present(resource->uri))
        return NULL;
    if (document->resources == NULL)
        document->resources = resource;
    else
        document->resources_last->next = resource;
    document->resources_last = resource;
    return resource;
}

static bool anchor_add(struct document *document, struct resource *resource,
                       uint32_t node, struct slice name, bool dynamic)
{
    struct anchor *anchor = arena_take(&document->arena, sizeof *anchor);
    if (anchor == NULL)
        return false;
    *anchor = (struct anchor){ resource->anchors, name, node, dynamic };
    resource->anchors = anchor;
    return true;
}

static const struct json_node *text_member(const struct document *document, uint32_t node,
                                           enum keyword keyword)
{
    const struct json_node *value =
        json_member(document->json, &document->nodes[node], KEYWORDS[keyword].name);
    return value != NULL && value->kind == JSON_STRING ? value : NULL;
}

/* What the schema at `node` names, by $id and by anchors. */
static struct resource *names_index(struct document *document, uint32_t node,
                                    struct resource *resource)
{
    const struct json_node *id = text_member(document, node, KEYWORD_ID);
    bool is_root = node == 0; /* its resource is there before */
    if (id != NULL && !is_root && uri_fragment(id->value.text).size == 0)
        resource = resource_add(document, resource->uri, id->value.text, node);
    if (resource == NULL)
        return NULL;

    const struct json_node *plain = text_member(document, node, KEYWORD_ANCHOR);
    const struct json_node *dynamic = text_member(document, node, KEYWORD_DYNAMIC_ANCHOR);
    if (plain != NULL && !anchor_add(document, resource, node, plain->value.text, false))
        return NULL;
    if (dynamic != NULL &&
        !anchor_add(document, resource, node, dynamic->value.text, true))
        return NULL;
    return resource;
}

static bool schema_index(struct document *document, uint32_t node,
                         struct resource *resource);

/* Recursion is bounded by the nesting the tape allowed. */
static bool holder_index(struct document *document, uint32_t node,
                         enum keyword_holds holds, struct resource *resource)
{
    const struct json_node *nodes = document->nodes;
    bool list = holds == HOLDS_SCHEMA_LIST && nodes[node].kind == JSON_ARRAY;
    bool map = holds == HOLDS_SCHEMA_MAP && nodes[node].kind == JSON_OBJECT;
    if (holds == HOLDS_SCHEMA)
        return schema_index(document, node, resource);
    if (!list && !map)
        return true;

    uint32_t child = node + 1;
    for (uint32_t i = 0; i < nodes[node].count; i++) {
        if (map)
            child++;
        if (!schema_index(document, child, resource))
            return false;
        child = nodes[child].after;
    }
    return true;
}

static bool schema_index(struct document *document, uint32_t node,
                         struct resource *resource)
{
    const struct json_node *nodes = document->nodes;
    if (nodes[node].kind != JSON_OBJECT)
        return true;
    resource = names_index(document, node, resource);
    if (resource == NULL)
        return false;

    uint32_t key = node + 1;
    for (uint32_t i = 0; i < nodes[node].count; i++) {
        enum keyword_holds holds = KEYWORDS[keyword_find(nodes[key].value.text)].holds;
        if (holds != HOLDS_NOTHING && !holder_index(document, key + 1, holds, resource))
            return false;
        key = nodes[key + 1].after;
    }
    return true;
}

static enum err text_parse(struct document *document, struct slice text,
                           const struct schema_limits *limits,
                           struct schema_problem *ret_problem)
{
    const struct json_limits json_limits = {
        .bytes_max = limits->text_bytes_max,
        .nodes_max = limits->nodes_max,
        .depth_max = limits->depth_max,
        .string_bytes_max = limits->text_bytes_max,
        .key_bytes_max = limits->text_bytes_max,
    };
    document->json = json_create(&json_limits);
    struct slice copy = arena_copy(&document->arena, text);
    if (document->json == NULL || !slice_is_present(copy)) {
        problem_write(ret_problem, NULL, 0, "out of memory");
        return ERR_MEMORY;
    }
    struct json_problem problem;
    enum err err = json_parse(document->json, copy, &problem);
    if (err != ERR_OK)
        problem_write(ret_problem, NULL, 0, "%s, at byte %zu", problem.reason,
                      problem.offset);
    uint32_t count;
    document->nodes = json_nodes(document->json, &count);
    return err;
}

static enum err resources_publish(struct schema_set *set, struct document *document,
                                  struct slice name)
{
    if (map_get(set->resources, name) != NULL)
        return ERR_EXISTS;
    enum err err = map_put(set->resources, name, document->resources, NULL);
    for (struct resource *at = document->resources; at != NULL && err == ERR_OK;
         at = at->next)
        if (map_get(set->resources, at->uri) == NULL)
            err = map_put(set->resources, at->uri, at, NULL);
    return err;
}

static void resources_retract(struct schema_set *set, const struct document *document)
{
    size_t position = 0;
    struct slice key;
    void *value;
    while (map_next(set->resources, &position, &key, &value))
        if (((struct resource *)value)->document == document)
            map_remove(set->resources, key);
}

enum err library_add(struct schema_set *set, struct slice uri, struct slice text,
                     const struct document **ret_document,
                     struct schema_problem *ret_problem)
{
    struct document *document = calloc(1, sizeof *document);
    if (document == NULL) {
        problem_write(ret_problem, NULL, 0, "out of memory");
        return ERR_MEMORY;
    }
    /* The copy of the text, and names: each at most as long as a URI may be. */
    arena_init(&document->arena, set->limits.text_bytes_max * 64 + 1024 * 1024);
    if (!slice_is_present(text))
        text = SLICE_OF("");

    enum err err = text.size > set->limits.text_bytes_max ? ERR_LIMIT : ERR_OK;
    if (err != ERR_OK)
        problem_write(ret_problem, NULL, 0, "text too long");
    else
        err = text_parse(document, text, &set->limits, ret_problem);
    if (err != ERR_OK)
        goto fail;

    struct slice name = uri_make(document, BASE, uri);
    const struct json_node *id = text_member(document, 0, KEYWORD_ID);
    struct slice own = id == NULL ? SLICE_OF("") : id->value.text;
    struct resource *root = NULL;
    if (slice_is_present(name))
        root = resource_add(document, name, own, 0);
    err = ERR_LIMIT;
    problem_write(ret_problem, NULL, 0, "a URI is too long, or memory is short");
    if (root == NULL || !schema_index(document, 0, root))
        goto fail;

    err = resources_publish(set, document, name);
    if (err != ERR_OK) {
        problem_write(ret_problem, NULL, 0, "the name is taken, or the set is full");
        resources_retract(set, document);
        goto fail;
    }
    document->next = set->documents;
    set->documents = document;
    *ret_document = document;
    return ERR_OK;

fail:
    document_destroy(document);
    return err;
}

enum err schema_set_add(struct schema_set *set, struct slice uri, struct slice text,
                        struct schema_problem *ret_problem)
{
    const struct document *document;
    return library_add(set, uri, text, &document, ret_problem);
}

enum err library_find(struct schema_set *set, struct slice uri,
                      const struct resource **ret_resource,
                      struct schema_problem *ret_problem)
{
    struct buffer name;
    buffer_init(&name, URI_BYTES_MAX);
    uri_resolve(&name, BASE, uri);
    struct slice full = buffer_slice(&name);

    const struct resource *found = map_get(set->resources, full);
    for (const struct schema_set *at = set->parent; at != NULL && found == NULL;
         at = at->parent)
        found = map_get(at->resources, full);

    enum err err = buffer_failed(&name) ? ERR_LIMIT : ERR_OK;
    struct slice text = metaschema_text(full);
    if (err == ERR_OK && found == NULL && slice_is_present(text)) {
        const struct document *document;
        err = library_add(set, full, text, &document, ret_problem);
        if (err == ERR_OK)
            found = document->resources;
    }
    buffer_finish(&name);
    *ret_resource = found;
    return err;
}

const struct resource *document_resource(const struct document *document, uint32_t node)
{
    const struct resource *innermost = document->resources;
    for (const struct resource *at = document->resources; at != NULL; at = at->next)
        if (at->node <= node && node < document->nodes[at->node].after)
            innermost = at;
    return innermost;
}

const struct anchor *resource_anchor(const struct resource *resource, struct slice name)
{
    for (const struct anchor *at = resource->anchors; at != NULL; at = at->next)
        if (slice_equal(at->name, name))
            return at;
    return NULL;
}
