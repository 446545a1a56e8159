/*
 * model.h - what schemas/ says, ready to be written out as C and as a page.
 *
 * Ownership  The model owns its sources, its shapes and its units.
 */
#ifndef SCHEMAC_MODEL_H
#define SCHEMAC_MODEL_H

#include "schemac/source.h"

#include <stdbool.h>

enum {
    NAME_BYTES = 96,
    FIELDS_MAX = 48,
    SHAPES_MAX = 512,
    UNITS_MAX = 512,
    CODES_MAX = 128,
};

enum field_kind {
    KIND_TEXT,
    KIND_INTEGER,
    KIND_BOOL,
    KIND_OPAQUE,
    KIND_TEXTS,
    KIND_OBJECT,
    KIND_OBJECTS,
    KIND_MESSAGE,
};

enum field_place {
    PLACE_BODY,
    PLACE_PATH,
    PLACE_QUERY,
    PLACE_HEADER,
};

struct shape_field {
    char wire[NAME_BYTES];
    char member[NAME_BYTES];
    enum field_kind kind;
    enum field_place place;
    bool required;
    bool takes_null;
    bool secret;
    bool unsent; /* a member of the struct that is not part of the message */
    const struct shape *nested;
    const json_t *schema; /* resolved */
};

/* One struct. */
struct shape {
    char name[NAME_BYTES]; /* without message_ */
    struct shape_field fields[FIELDS_MAX];
    size_t count;
};

enum unit_direction {
    UNIT_SOCKET_IN,
    UNIT_SOCKET_OUT,
    UNIT_REQUEST,
    UNIT_ANSWER,
    UNIT_INTERNAL,
    UNIT_EVENT,
};

enum unit_kind {
    UNIT_COMMAND,
    UNIT_QUERY,
    UNIT_NOTICE,
    UNIT_DOOR,
};

/* Indices of unit.schemas. */
enum { SCHEMA_BODY, SCHEMA_PATH, SCHEMA_QUERY, SCHEMA_HEADERS, SCHEMA_PLACES };

/* One message: a row of the table. */
struct unit {
    char name[NAME_BYTES]; /* in C */
    char wire[NAME_BYTES];
    enum unit_direction direction;
    enum unit_kind kind;
    const char *tier;
    const char *slow_reader;
    const char *room;        /* what of the store it is refused without */
    const char *event_class; /* of an event; else NULL */
    const json_t *roles;     /* NULL: nobody sends it */
    const char *scope;       /* one of scopes.json; NULL: no token is needed */
    const char *method;
    const char *path;
    int status;
    const char *summary;
    const char *group;    /* one of about.json's; NULL where nobody reads of it */
    const char *document; /* of a route whose answer is a text made here; else NULL */
    const char *invalid;  /* the error for what fits no schema; NULL: the common one */
    const struct shape *shape;
    json_t *schemas[SCHEMA_PLACES]; /* resolved, owned; NULL where there is none */
    const json_t *source;
};

/* The texts in which the hub describes itself. */
enum document_kind {
    DOCUMENT_SCHEMAS,
    DOCUMENT_OPENAPI,
    DOCUMENT_ASYNCAPI,
    DOCUMENT_COUNT,
};

enum { DIGEST_TEXT_BYTES = 65 }; /* SHA-256 in hexadecimal, ended */

struct model {
    json_t *about;
    json_t *common;
    json_t *errors;
    json_t *scopes;
    json_t *config;
    struct source_list socket_in;
    struct source_list socket_out;
    struct source_list http;
    struct source_list internal;
    struct source_list events;
    struct shape *shapes[SHAPES_MAX];
    size_t shape_count;
    struct unit units[UNITS_MAX];
    size_t unit_count;
    char *documents[DOCUMENT_COUNT]; /* owned; NULL before documents_make() */
    char digest[DIGEST_TEXT_BYTES];  /* of all of them */
};

/* Reads the folder and fails on whatever is not ours. NULL without memory. */
struct model *model_create(const char *folder);
void model_destroy(struct model *model);

/* The struct for an object schema: the one of its $defs name, or a new one `name`. */
struct shape *shape_for(struct model *model, const json_t *schema, const char *name);

struct shape *shape_create(struct model *model, const char *name);

/* Adds the members of an object schema to `shape`. */
void shape_add(struct model *model, struct shape *shape, const json_t *schema,
               enum field_place place, bool socket);

/* The body of a route's success answer; fails when there is none. */
const struct unit *model_answer(const struct model *model, const struct unit *route);

/* NULL when there is none. */
const struct unit *model_find(const struct model *model, const char *name);

#endif
