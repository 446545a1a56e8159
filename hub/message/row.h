/*
 * row.h - all the project says about one message, as one row of a generated table.
 */
#ifndef MESSAGE_ROW_H
#define MESSAGE_ROW_H

#include "message/envelope.h"
#include "message/field.h"

enum message_direction {
    DIRECTION_SOCKET_IN,
    DIRECTION_SOCKET_OUT,
    DIRECTION_HTTP_REQUEST,
    DIRECTION_HTTP_ANSWER,
    DIRECTION_INTERNAL,
    DIRECTION_EVENT, /* of the event log: stored, and sent inside of others */
};

enum message_kind {
    KIND_COMMAND, /* may change the tables: goes through the order */
    KIND_QUERY,   /* only reads */
    KIND_NOTICE,  /* goes out, is never dispatched */
    KIND_DOOR,    /* a route the door answers by itself; never reaches the core */
};

enum message_tier {
    TIER_NONE,
    TIER_LIGHT,
    TIER_NORMAL,
    TIER_HEAVY,
    TIER_REPORT, /* an agent's reports on its own lease */
};

/* What happens to a frame whose reader is too slow. */
enum message_slow_reader {
    SLOW_READER_CLOSE,
    SLOW_READER_DROP,
};

/* Which room the store must have left for a command to be taken at all. */
enum message_room {
    ROOM_ANY,  /* as long as it fits: what finishes or frees something */
    ROOM_WORK, /* it begins work: not when the store nears its largest size */
    ROOM_JOB,  /* it begins a job, which has to write down how it ends: nor soon after
                  something did not fit */
};

/* What an operator asks for by one word. */
enum event_class {
    EVENT_CLASS_NONE,
    EVENT_CLASS_TASK,
    EVENT_CLASS_AGENT,
    EVENT_CLASS_MESSAGE,
    EVENT_CLASS_AUDIT, /* somebody used a privilege: always kept */
    EVENT_CLASS_HUB,
    EVENT_CLASS_COUNT
};

struct message_row {
    struct slice name; /* on the wire; of a route its name */
    enum message_direction direction;
    enum message_kind kind;
    enum message_tier tier;
    enum message_slow_reader slow_reader;
    enum message_room room;
    enum event_class event_class; /* of an event */
    uint32_t roles;               /* bits of enum role */
    uint64_t scopes;              /* a token must have these bits of enum scope */
    struct slice method;
    struct slice path; /* pattern: /api/tasks/{task_id} */
    uint16_t status;   /* of a success answer */
    /* How a request is refused that fits no schema; ERROR_NONE: validation_failed. */
    enum error_code invalid;
    const struct field_table *table;
    /* JSON Schema texts; absent where there is nothing to validate. */
    struct slice schema; /* the socket message, or a route's body */
    struct slice schema_path;
    struct slice schema_query;
    struct slice schema_headers;
    /* Of a route whose answer never changes while the program runs: that answer, whole. */
    struct slice document;
    struct slice summary;
};

/* Indexed by enum message_type; row 0 (MESSAGE_NONE) is empty. Behind each route's row
 * stands that of its success answer. */
extern const struct message_row MESSAGE_ROWS[MESSAGE_COUNT];

/* The row of that direction and name; NULL when there is none. */
const struct message_row *message_row_find(enum message_direction direction,
                                           struct slice name);

/* What the documents were made of, as one hexadecimal digest. */
extern const struct slice DOCUMENTS_DIGEST;

struct error_row {
    struct slice name;
    uint16_t status; /* HTTP */
    struct slice text;
};

/* Indexed by enum error_code (generated from schemas/errors.json). */
extern const struct error_row ERROR_ROWS[ERROR_CODE_COUNT];

struct scope_row {
    struct slice name; /* tasks:read */
    struct slice text;
};

/* Indexed by enum scope (generated from schemas/scopes.json). */
extern const struct scope_row SCOPE_ROWS[SCOPE_COUNT];

struct close_row {
    uint16_t code;
    bool reconnect; /* a client may come back */
    struct slice name;
    struct slice text;
};

/* Indexed by enum close_reason (generated from schemas/errors.json). */
extern const struct close_row CLOSE_ROWS[CLOSE_REASON_COUNT];

enum setting_kind {
    SETTING_KIND_TEXT,
    SETTING_KIND_INTEGER,
    SETTING_KIND_BOOL,
    SETTING_KIND_TEXTS, /* by flag and environment: separated by commas */
};

/* One setting of schemas/config.json. */
struct setting_row {
    struct slice name;        /* in the JSON file */
    struct slice flag;        /* --listen */
    struct slice environment; /* DROVER_LISTEN */
    enum setting_kind kind;
    int64_t
        minimum; /* of a number; of a text its fewest characters, of a list its items */
    int64_t maximum;
    struct slice fallback; /* the default, as it would be written after the flag */
    struct slice description;
    const struct slice *values; /* the words allowed; NULL: any */
    size_t value_count;
};

/* Indexed by enum setting. */
extern const struct setting_row SETTING_ROWS[SETTING_COUNT];

/* The JSON Schema of the configuration file. */
extern const struct slice SETTINGS_SCHEMA;

#endif
