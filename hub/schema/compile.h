/*
 * compile.h - the state of one compilation, and the files it is spread over.
 *
 * Subschemas are found by following the keywords that reach them; each gets its rule's
 * number when it is first met and its checks when its turn comes, so references may go
 * in circles and nothing recurses.
 */
#ifndef SCHEMA_COMPILE_H
#define SCHEMA_COMPILE_H

#include "schema/library.h"
#include "schema/list.h"
#include "schema/program.h"

struct compile {
    struct schema *schema;
    struct schema_set *library;
    struct schema_problem *problem;
    enum err err;
    bool strict;
    bool formats;
    const struct pattern *label; /* for the formats of host names; NULL until needed */
    struct list rules;           /* struct rule */
    struct list origins;         /* struct origin, one per rule */
    struct list checks;          /* struct check */
    struct list groups[GROUP_COUNT]; /* struct check: of the rule being made */
    struct list constants;           /* struct json_node */
    struct list patterns;            /* struct pattern * */
    struct list memos;               /* struct memo, one per document */
    struct list scopes;              /* struct scope, one per resource */
    struct list names;               /* struct slice: dynamic anchors referred to */
    uint32_t scopes_followed;        /* how much overrides_follow has been through */
    uint32_t names_followed;
};

struct origin {
    const struct document *document;
    uint32_t node;
};

struct memo {
    const struct document *document;
    uint32_t *rules; /* by node */
};

struct scope {
    const struct resource *resource;
    unsigned vocabularies;
};

/* The subschema being compiled. */
struct subject {
    struct compile *compile;
    const struct document *document;
    const struct resource *resource;
    uint32_t node;
    uint32_t rule;
    unsigned vocabularies;
};

/* Records the first problem; always false. */
__attribute__((format(printf, 5, 6))) bool compile_fail(struct compile *compile,
                                                        enum err err,
                                                        const struct document *document,
                                                        uint32_t node, const char *format,
                                                        ...);
bool compile_fail_memory(struct compile *compile);

/* An item added to one of the lists above; NULL after a failure it recorded. */
void *compile_push(struct compile *compile, struct list *list);

/* Zeroed memory that lives as long as the schema; NULL after a failure it recorded. */
void *compile_take(struct compile *compile, size_t count, size_t bytes);
bool compile_copy(struct compile *compile, struct slice text, struct slice *ret_copy);

/* The rule of the schema at a node, made now or to be made in its turn. RULE_NONE after a
 * failure it recorded. */
uint32_t rule_of(struct compile *compile, const struct document *document, uint32_t node);

/* The number of a resource, its dialect read at the first call; RULE_NONE on failure. */
uint32_t scope_of(struct compile *compile, const struct resource *resource);

/* The keyword's value in the subject, or NULL when absent or outside its dialect. */
const struct json_node *subject_keyword(const struct subject *subject,
                                        enum keyword keyword);
uint32_t subject_index(const struct subject *subject, const struct json_node *value);
bool subject_fail(const struct subject *subject, const struct json_node *value,
                  const char *reason);

/* A check for the subject's rule; NULL after a failure it recorded. */
struct check *subject_check(const struct subject *subject, enum group group,
                            enum check_code code, enum keyword keyword);

/* shape.c: is a keyword's value what the draft asks for? */
bool shape_check(const struct subject *subject, enum keyword keyword,
                 const struct json_node *value);
uint32_t shape_count(const struct json_node *value);

/* The parts of a rule; each looks for its own keywords. */
bool assertions_compile(const struct subject *subject);  /* compile_assertions.c */
bool references_compile(const struct subject *subject);  /* compile_references.c */
bool applicators_compile(const struct subject *subject); /* compile_applicators.c */
bool items_compile(const struct subject *subject);       /* compile_applicators.c */
bool members_compile(const struct subject *subject);     /* compile_members.c */
/* A table of names: room for `count`, then one by one (or the one that is there). */
bool properties_init(const struct subject *subject, struct members *members,
                     uint32_t count);
bool property_add(const struct subject *subject, struct members *members,
                  struct slice name, struct property **ret_property);

bool pattern_add(const struct subject *subject, const struct json_node *value,
                 struct slice text, const struct pattern **ret_pattern);

/* Compiles what only a $dynamicRef can reach; *ret_more when it met something new. */
bool overrides_follow(struct compile *compile, bool *ret_more);
bool overrides_finish(struct compile *compile);

#endif
