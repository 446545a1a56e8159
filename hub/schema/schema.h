/*
 * schema.h - JSON Schema (draft 2020-12), compiled once and run many times.
 *
 * Threads    A compiled schema is read-only; each thread brings a run of its own.
 * Memory     Validation allocates nothing when the instance is valid: a run brings its
 *            scratch memory, which grows (and is kept) only for unevaluated* or
 *            uniqueItems over very large values. (The format `regex` compiles the text
 *            it is shown, and lets go of it.)
 * Safety     Nothing is ever fetched. Limits on size, nodes, depth and steps.
 */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include "json/json.h"

struct json_writer;

struct schema;     /* one compiled schema */
struct schema_set; /* documents that schemas may refer to by $id */
struct schema_run; /* what one thread needs to validate: scratch memory, step budget */

struct schema_problem {
    char pointer[256]; /* JSON Pointer into the schema, cut when longer */
    char reason[256];
};

/* What one schema, with all the documents it refers to, may cost. */
struct schema_limits {
    size_t text_bytes_max; /* of one document */
    uint32_t nodes_max;    /* values of one document */
    uint32_t depth_max;    /* nesting of one document */
    uint32_t program_max;  /* subschemas, checks and names of a compiled schema, each */
    uint32_t pattern_bytes_max;
};

extern const struct schema_limits SCHEMA_LIMITS_DEFAULT;

/* NULL without memory. */
struct schema_set *schema_set_create(void);

/* For what is added and compiled from then on. */
void schema_set_limit(struct schema_set *set, const struct schema_limits *limits);

/* Accepts NULL. Compiled schemas live on. */
void schema_set_destroy(struct schema_set *set);

/* Makes a document known under `uri` (and its own $id). The bytes are copied. A `uri`
 * without a scheme is a path: documents added by path refer to each other by relative
 * path. ERR_EXISTS when the name is taken. */
enum err schema_set_add(struct schema_set *set, struct slice uri, struct slice text,
                        struct schema_problem *ret_problem);

enum schema_vocabulary {
    SCHEMA_STANDARD, /* draft 2020-12 as written: unknown keywords are annotations */
    SCHEMA_STRICT,   /* ours: an unknown keyword that does not start with x- is refused */
    SCHEMA_FORMATS,  /* added to either: the formats we name are asserted, and with
                        SCHEMA_STRICT others refused */
};

/* `set` may be NULL. ERR_INVALID and ERR_LIMIT say why in *ret_problem. */
enum err schema_compile(struct schema_set *set, struct slice text,
                        enum schema_vocabulary vocabulary, struct schema **ret_schema,
                        struct schema_problem *ret_problem);

/* As schema_compile for a document of the set, under the name it was added with; its
 * relative references start from there. ERR_NOT_FOUND when the set does not hold it. */
enum err schema_compile_named(struct schema_set *set, struct slice uri,
                              enum schema_vocabulary vocabulary,
                              struct schema **ret_schema,
                              struct schema_problem *ret_problem);

/* Accepts NULL. */
void schema_destroy(struct schema *schema);

/* NULL without memory. */
struct schema_run *schema_run_create(void);

/* What one validation may cost: subschemas tried, values compared, names looked up. */
void schema_run_limit(struct schema_run *run, uint32_t steps_max, uint32_t depth_max);

/* Accepts NULL. */
void schema_run_destroy(struct schema_run *run);

/* One broken assertion. Slices point into the schema, the tape or the run, and are valid
 * until its next use. */
struct schema_violation {
    struct slice instance_location; /* JSON Pointer */
    struct slice keyword_location;  /* JSON Pointer through the references taken */
    struct slice keyword;           /* "type", "required", ... */
    struct slice detail; /* for `required`: the missing name; else a short text */
    const struct json_node *value; /* the offending node */
};

enum { SCHEMA_VIOLATIONS_MAX = 32 };

/*
 * Validates `node` of the tape. ERR_OK with *ret_valid; ERR_LIMIT when the step budget is
 * spent. Violations (the first SCHEMA_VIOLATIONS_MAX) are collected only when `collect`.
 */
enum err schema_validate(const struct schema *schema, struct schema_run *run,
                         const struct json *json, const struct json_node *node,
                         bool collect, bool *ret_valid);

size_t schema_violation_count(const struct schema_run *run);
const struct schema_violation *schema_violation_at(const struct schema_run *run,
                                                   size_t index);

/* The last verdict and what was collected, as the standard's `basic` output. */
void schema_output_basic(const struct schema_run *run, bool valid,
                         struct json_writer *writer);

#endif
