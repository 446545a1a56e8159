/*
 * private.h - what the files of wire/ share and nobody else sees.
 */
#ifndef WIRE_PRIVATE_H
#define WIRE_PRIVATE_H

#include "schema/schema.h"
#include "wire/wire.h"

/* Beyond this, JSON tools that read numbers as doubles disagree on the value. */
#define WIRE_INTEGER_MAX (((int64_t)1 << 53) - 1)

/* The compiled schemas of one row. */
struct wire_schemas {
    struct schema *body; /* or the whole socket message */
    struct schema *path;
    struct schema *query;
    struct schema *headers;
};

enum { WIRE_SLOTS = 1024 }; /* at least twice the names of a direction, a power of two */

struct wire {
    struct wire_schemas schemas[MESSAGE_COUNT];
    /* Open addressing from a name's hash to its message; MESSAGE_NONE: empty. */
    uint16_t inbound[WIRE_SLOTS];
    uint16_t outbound[WIRE_SLOTS];
};

struct wire_reader {
    const struct wire *wire;
    struct json *json;       /* the frame or the body */
    struct json *parameters; /* path, query or headers, as an object */
    struct json *schema;     /* of a message being refused, to name its limits */
    struct schema_run *run;
    struct buffer text; /* of the parameters */
};

/* MESSAGE_NONE when no message of this direction has the name. */
enum message_type wire_find(const struct wire *wire, enum message_direction direction,
                            struct slice name);

/* Where decoding stopped. */
struct decode_problem {
    const struct field *field; /* NULL: the arena is spent */
    const struct json_node *value;
};

/*
 * Reads the members that `table` names at `place` from a valid object into `target`, a
 * zeroed struct. False: *ret_problem says why; an integer beyond what JSON tools share
 * is one reason, for the schema lets it pass.
 */
bool decode_object(const struct json *json, const struct json_node *object,
                   const struct field_table *table, enum field_place place,
                   struct arena *arena, void *target, struct decode_problem *ret_problem);

/* The members left out get their defaults. */
void decode_defaults(const struct field_table *table, void *target);

const struct field *decode_field_find(const struct field_table *table,
                                      enum field_place place, struct slice name);

/* Adds an item, unless there is one for the field already or no room; a full refusal
 * stays as it is. Texts are copied into the arena. */
void refusal_add(struct refusal *refusal, struct arena *arena, struct slice field,
                 const char *error, struct slice detail, const struct json_node *value);

/* Adds the broken assertions of the run's last validation. `schema` is what was
 * validated against, or NULL. */
void refusal_add_violations(struct refusal *refusal, struct arena *arena,
                            const struct schema_run *run, const struct field_table *table,
                            const struct json *schema);

/* Appends which limit of the schema is broken; false when there is no sentence for it. */
bool explain_violation(const struct json *schema,
                       const struct schema_violation *violation, struct buffer *buffer);

void refusal_add_decode_problem(struct refusal *refusal, struct arena *arena,
                                const struct decode_problem *problem);

#endif
