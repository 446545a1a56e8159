/*
 * schema.h - JSON Schema (draft 2020-12), compiled once and run many times.
 *
 * Threads    A compiled schema is read-only; each thread brings a run of its own.
 * Memory     Validation allocates nothing when the instance is valid.
 * Safety     Nothing is ever fetched. Limits on size, nodes, depth and steps.
 */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include "json/json.h"

struct schema;     /* one compiled schema */
struct schema_set; /* documents that schemas may refer to by $id */
struct schema_run; /* what one thread needs to validate: scratch memory, step budget */

struct schema_problem {
    char pointer[256]; /* JSON Pointer into the schema, cut when longer */
    char reason[256];
};

/* NULL without memory. */
struct schema_set *schema_set_create(void);
void schema_set_destroy(struct schema_set *set);

/* Makes a document known under `uri` (and its own $id). The bytes are copied. */
enum err schema_set_add(struct schema_set *set, struct slice uri, struct slice text,
                        struct schema_problem *ret_problem);

enum schema_vocabulary {
    SCHEMA_STANDARD, /* draft 2020-12 as written: unknown keywords are annotations */
    SCHEMA_STRICT,   /* ours: an unknown keyword that does not start with x- is refused */
};

/* `set` may be NULL. ERR_INVALID and ERR_LIMIT say why in *ret_problem. */
enum err schema_compile(struct schema_set *set, struct slice text,
                        enum schema_vocabulary vocabulary, struct schema **ret_schema,
                        struct schema_problem *ret_problem);
void schema_destroy(struct schema *schema);

struct schema_run *schema_run_create(void);
void schema_run_destroy(struct schema_run *run);

/* One broken assertion. Slices point into the schema, the tape or the run, and are valid
 * until its next use. */
struct schema_violation {
    struct slice instance_location; /* JSON Pointer */
    struct slice keyword_location;  /* JSON Pointer through the references taken */
    struct slice keyword;           /* "type", "required", ... */
    struct slice detail;            /* for `required`: the missing name; else a short text */
    const struct json_node *value;  /* the offending node */
};

enum { SCHEMA_VIOLATIONS_MAX = 32 };

/*
 * Validates `node` of the tape. ERR_OK with *ret_valid; ERR_LIMIT when the step budget is
 * spent. Violations (the first SCHEMA_VIOLATIONS_MAX) are collected only when `collect`.
 */
enum err schema_validate(const struct schema *schema, struct schema_run *run,
                         const struct json *json, const struct json_node *node, bool collect,
                         bool *ret_valid);

size_t schema_violation_count(const struct schema_run *run);
const struct schema_violation *schema_violation_at(const struct schema_run *run,
                                                   size_t index);

#endif
