/*
 * library.h - documents, the resources they hold, and what their names lead to.
 *
 * Ownership  A set owns its documents; a document its copy of the text, its tape and the
 *            resources found in it. A compilation has a set of its own, whose parent is
 *            the caller's: that one is only read.
 */
#ifndef SCHEMA_LIBRARY_H
#define SCHEMA_LIBRARY_H

#include "base/arena.h"
#include "base/map.h"
#include "schema/schema.h"

struct anchor {
    struct anchor *next;
    struct slice name;
    uint32_t node;
    bool dynamic;
};

/* A schema with a base URI of its own: a document's root or a subschema with $id. */
struct resource {
    struct resource *next; /* in document order */
    struct slice uri;
    const struct document *document;
    uint32_t node;
    struct anchor *anchors;
};

struct document {
    struct document *next;
    struct arena arena;
    struct json *json;
    const struct json_node *nodes;
    struct resource *resources;
    struct resource *resources_last;
};

struct schema_set {
    const struct schema_set *parent;
    struct schema_limits limits;
    struct document *documents;
    struct map *resources; /* URI to struct resource */
};

/* Writes the reason, and where below `document`'s root (none without a document). */
__attribute__((format(printf, 4, 5))) void problem_write(struct schema_problem *problem,
                                                         const struct document *document,
                                                         uint32_t node,
                                                         const char *format, ...);

/* An empty `uri` is the name of a text without one. */
enum err library_add(struct schema_set *set, struct slice uri, struct slice text,
                     const struct document **ret_document,
                     struct schema_problem *ret_problem);

/* By absolute URI without fragment, here, in the parents, then among the metaschemas
 * (which are added to this set). *ret_resource is NULL when nobody knows it. */
enum err library_find(struct schema_set *set, struct slice uri,
                      const struct resource **ret_resource,
                      struct schema_problem *ret_problem);

/* The innermost resource around a node. */
const struct resource *document_resource(const struct document *document, uint32_t node);

const struct anchor *resource_anchor(const struct resource *resource, struct slice name);

#endif
