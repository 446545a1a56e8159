/*
 * field.h - what a generated message struct looks like, as data.
 *
 * tools/schemac writes one struct and one table of these rows per message, and wire/
 * parses and renders every message by walking the table. No message has code of its own.
 */
#ifndef MESSAGE_FIELD_H
#define MESSAGE_FIELD_H

#include "base/slice.h"

enum field_kind {
    FIELD_TEXT,    /* struct slice; absent: data is NULL */
    FIELD_INTEGER, /* int64_t, and a bool has_<name> when optional or nullable */
    FIELD_BOOL,    /* bool, likewise */
    FIELD_OPAQUE,  /* struct slice of original JSON text; absent: data is NULL */
    FIELD_TEXTS,   /* struct slice_list; absent: items is NULL */
    FIELD_OBJECT,  /* pointer to a nested struct; NULL when absent */
    FIELD_OBJECTS, /* struct message_list of nested structs; absent: items is NULL */
    FIELD_MESSAGE, /* struct message_member; absent: both are NULL */
};

/* Where a field of a route's request comes from. Socket messages: all FIELD_IN_BODY. */
enum field_place {
    FIELD_IN_BODY,
    FIELD_IN_PATH,
    FIELD_IN_QUERY,
    FIELD_IN_HEADER,
};

struct message_list {
    void *items; /* `count` structs of the nested type, end to end */
    size_t count;
};

struct message;

/* An object that is some message of the table: written from the message, read as the
 * original JSON text. */
struct message_member {
    struct slice text;
    const struct message *message;
};

enum {
    NOT_PRESENT_TRACKED = -1, /* has_offset of a field without has_<name> */
};

struct field {
    struct slice name; /* on the wire; a header's name in lower case */
    enum field_kind kind;
    enum field_place place;
    bool required;
    bool nullable; /* an absent value is rendered as null instead of left out */
    bool secret;   /* never echoed in a refusal */
    size_t offset; /* of the member in the struct */
    int32_t has_offset;
    const struct field_table *nested; /* FIELD_OBJECT and FIELD_OBJECTS */
    /* The schema's default, read as if the sender had written it. FIELD_TEXT: its text;
     * FIELD_INTEGER and FIELD_BOOL: decimal (1 and 0). Absent: none. */
    struct slice fallback;
};

struct field_table {
    const struct field *fields;
    size_t count;
    size_t struct_size;
};

#endif
