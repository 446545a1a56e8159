/*
 * wire.h - text to message and back.
 *
 * One struct wire holds the compiled schemas of every message; it is read-only after
 * wire_create and shared by all threads. Each thread brings a wire_reader: its tape and
 * its validator's scratch memory.
 *
 * Refusals   A text that is not the message it claims to be is refused with v1.1's error
 *            items (agentcom-v1.1 section 8.2), never with an `enum err`.
 * Ownership  A parsed message's slices are copies in the arena given.
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include "json/json.h"
#include "json/writer.h"
#include "message/row.h"

struct wire;
struct wire_reader;

/* ERR_INVALID is a bug in schemas/ that the build should have caught. */
enum err wire_create(struct wire **ret_wire);
void wire_destroy(struct wire *wire);

struct wire_reader *wire_reader_create(const struct wire *wire);
void wire_reader_destroy(struct wire_reader *reader);

enum { REFUSAL_ITEMS_MAX = 16 };

/* One item of v1.1's `errors`. */
struct refusal_item {
    struct slice field; /* "description", "needed_capabilities[2]" */
    struct slice error; /* required, wrong_type, too_long, invalid_value, ... */
    struct slice detail;
    struct slice value; /* JSON text of the offending value, cut; absent when none */
};

struct refusal {
    enum error_code code;      /* ERROR_INVALID_JSON, ERROR_VALIDATION_FAILED, ... */
    struct slice message_type; /* as the sender wrote it; absent when unknown */
    bool unknown_type;
    uint64_t offset;   /* of the first bad byte, for invalid_json */
    struct slice text; /* for invalid_json: what is wrong there */
    struct refusal_item items[REFUSAL_ITEMS_MAX];
    size_t item_count;
};

/*
 * Reads one socket frame travelling in `direction` (SOCKET_IN at the hub, SOCKET_OUT at a
 * sidecar). True: *ret_message is whole and valid. False: *ret_refusal says why; its
 * slices live in `arena` too.
 */
bool wire_parse_socket(struct wire_reader *reader, enum message_direction direction,
                       struct slice text, struct arena *arena,
                       struct message *ret_message, struct refusal *ret_refusal);

/* A raw value of a path, query or header parameter, percent-decoded already. */
struct wire_parameter {
    enum field_place place; /* FIELD_IN_PATH, FIELD_IN_QUERY or FIELD_IN_HEADER */
    struct slice name;
    struct slice value;
};

/* As above for a request of route `type`. `body` is absent for routes without one. A
 * parameter that must be an integer and is not, is refused as validation_failed. */
bool wire_parse_request(struct wire_reader *reader, enum message_type type,
                        const struct wire_parameter *parameters, size_t parameter_count,
                        struct slice body, struct arena *arena,
                        struct message *ret_message, struct refusal *ret_refusal);

/* Reads the body of a success answer, for the command line. */
bool wire_parse_answer(struct wire_reader *reader, enum message_type type,
                       struct slice body, struct arena *arena,
                       struct message *ret_message, struct refusal *ret_refusal);

/* Appends the message as one JSON object; socket messages begin with "type". Opaque
 * fields go out as their original bytes. Of a request only the body is rendered. A
 * required member that was left out goes out empty in its own type: null where the schema
 * takes it, else "", {} or []. */
void wire_render(const struct message *message, struct buffer *buffer);

/* The route for a method and a decoded path. Fills the path parameters (at most
 * `parameter_max`). MESSAGE_NONE when no path fits; *ret_other_method tells that the path
 * exists under another method. */
enum message_type wire_route(struct slice method, struct slice path,
                             struct wire_parameter *parameters, size_t parameter_max,
                             size_t *ret_parameter_count, bool *ret_other_method);

/* Builds the refusal's answer: MESSAGE_ERROR for a socket, MESSAGE_HTTP_ERROR for HTTP. */
void wire_refusal_message(const struct refusal *refusal, bool http, struct arena *arena,
                          struct message *ret_message);

/* Builds the plain error answer of a code, with its HTTP status where `http`. */
void wire_error_message(enum error_code code, bool http, struct message *ret_message);

#endif
