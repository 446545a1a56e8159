/*
 * program.h - what a schema is compiled to: flat tables of rules and checks.
 *
 * A rule is one subschema: the types it lets in, and a row of checks grouped by the kind
 * of instance they look at. Rules refer to each other by index. Nothing here changes
 * after compilation.
 */
#ifndef SCHEMA_PROGRAM_H
#define SCHEMA_PROGRAM_H

#include "base/arena.h"
#include "schema/keyword.h"
#include "schema/number.h"
#include "schema/pattern.h"
#include "schema/schema.h"

/* The rules of `true` and `false`; and no rule. */
enum { RULE_ALWAYS = 0, RULE_NEVER = 1, RULES_FIXED = 2 };
#define RULE_NONE UINT32_MAX

/* rule.types: one bit a kind of instance, false and true sharing theirs. */
enum {
    TYPE_NULL = 1,
    TYPE_BOOLEAN = 2,
    TYPE_NUMBER = 4,
    TYPE_STRING = 8,
    TYPE_ARRAY = 16,
    TYPE_OBJECT = 32,
    TYPE_INTEGER = 64, /* of numbers, the whole ones */
    TYPE_ANY = 127,
};

enum group {
    GROUP_ANY,
    GROUP_NUMBER,
    GROUP_STRING,
    GROUP_ARRAY,
    GROUP_OBJECT,
    GROUP_COUNT
};

struct rule {
    uint32_t first[GROUP_COUNT + 1]; /* a group's checks end where the next begin */
    uint32_t resource;               /* for the dynamic scope */
    uint8_t types;
    bool watches_members; /* has unevaluatedProperties */
    bool watches_items;   /* has unevaluatedItems */
};

enum check_code {
    /* any instance */
    CHECK_CONST,       /* a: constant */
    CHECK_ENUM,        /* a: constant, an array; data: its strings when many */
    CHECK_REF,         /* a: rule */
    CHECK_DYNAMIC_REF, /* a: rule when nobody overrides it, b: name */
    CHECK_ALL_OF,      /* data: rules, b: count */
    CHECK_ANY_OF,
    CHECK_ONE_OF,
    CHECK_NOT, /* a: rule */
    CHECK_IF,  /* a: condition, b: then, c: else */
    /* numbers; data: struct bound */
    CHECK_MINIMUM,
    CHECK_EXCLUSIVE_MINIMUM,
    CHECK_MAXIMUM,
    CHECK_EXCLUSIVE_MAXIMUM,
    CHECK_MULTIPLE_OF,
    /* strings */
    CHECK_MIN_LENGTH, /* a: count */
    CHECK_MAX_LENGTH,
    CHECK_PATTERN, /* data: struct pattern */
    CHECK_FORMAT,  /* a: enum format */
    /* arrays */
    CHECK_MIN_ITEMS, /* a: count */
    CHECK_MAX_ITEMS,
    CHECK_UNIQUE_ITEMS,
    CHECK_PREFIX_ITEMS,      /* data: rules, b: count */
    CHECK_ITEMS,             /* a: rule, b: how many come before */
    CHECK_CONTAINS,          /* a: rule, b: least, c: most */
    CHECK_UNEVALUATED_ITEMS, /* a: rule */
    /* objects */
    CHECK_MIN_PROPERTIES, /* a: count */
    CHECK_MAX_PROPERTIES,
    CHECK_MEMBERS,                /* data: struct members */
    CHECK_DEPENDENT_REQUIRED,     /* data: struct dependency, b: count */
    CHECK_DEPENDENT_SCHEMAS,      /* likewise */
    CHECK_UNEVALUATED_PROPERTIES, /* a: rule */
};

struct check {
    uint8_t code;
    uint8_t keyword;
    uint32_t a;
    uint32_t b;
    uint32_t c;
    const void *data;
};

/* A number a keyword names, ready for both ways to compare. */
struct bound {
    struct json_node node;
    struct decimal decimal;
};

struct property {
    struct slice name;
    uint32_t rule; /* RULE_NONE: named by `required` alone */
    bool required;
};

struct name_pattern {
    struct slice text;
    const struct pattern *pattern;
    uint32_t rule;
};

/* properties, patternProperties, additionalProperties, required and propertyNames: all
 * that one walk over an object's members decides. */
struct members {
    const uint32_t *slots; /* name_hash to a property, RULE_NONE where free */
    uint32_t slot_mask;
    uint32_t property_count;
    const struct property *properties;
    uint32_t required_count;
    uint32_t pattern_count;
    const struct name_pattern *patterns;
    uint32_t additional; /* RULE_NONE when absent */
    uint32_t names;      /* RULE_NONE when absent */
    bool walks;          /* false: `required` alone, looked up by name */
};

struct dependency {
    struct slice name;
    uint32_t rule;
    uint32_t count;
    const struct slice *names;
};

struct schema {
    struct arena arena;
    struct rule *rules;
    uint32_t rule_count;
    struct check *checks;
    uint32_t check_count;
    struct json_node *constants; /* `after` counts in this table */
    uint32_t constant_count;
    struct pattern **patterns;
    uint32_t pattern_count;
    uint32_t root;
    uint32_t resource_count;
    uint32_t *overrides; /* [name * resource_count + resource]: rule or RULE_NONE */
    uint32_t override_count;
};

/* Of a member's name. Tables are fixed at compile time, so no seed is needed. */
uint32_t name_hash(struct slice name);

/* Equality of short texts without a call; they are compared word by word. */
bool name_equal(struct slice one, struct slice other);

/* The property of that name, or NULL. *hint, zero at first, remembers where to look: members
 * mostly come in the order the schema names them. */
const struct property *members_find(const struct members *members, struct slice name,
                                    uint32_t *hint);

#endif
