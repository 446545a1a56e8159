/*
 * Any bytes as a frame, from either side, and as a request's body: the reader answers,
 * its refusals are JSON themselves, and what it accepts goes out and comes back the same.
 */
#include "json/json.h"
#include "message/row.h"
#include "schema/schema.h"
#include "wire/wire.h"

#include "base/ensure.h"

enum { ARENA_BYTES_MAX = 8 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(struct slice text)
{
    struct json_limits limits = JSON_LIMITS_DEFAULT;
    limits.bytes_max = ARENA_BYTES_MAX;
    struct json *json = json_create(&limits);
    struct json_problem problem;
    ENSURE(json != NULL);
    ENSURE(json_parse(json, text, &problem) == ERR_OK);
    ENSURE(json_root(json)->kind == JSON_OBJECT);
    json_destroy(json);
}

static void check_refusal(const struct refusal *refusal, struct arena *arena)
{
    struct message answer;
    struct buffer buffer;
    ENSURE(refusal->code != ERROR_NONE);
    ENSURE(refusal->item_count <= REFUSAL_ITEMS_MAX);
    buffer_init(&buffer, ARENA_BYTES_MAX);
    for (int http = 0; http < 2; http++) {
        buffer_clear(&buffer);
        wire_refusal_message(refusal, http != 0, arena, &answer);
        wire_render(&answer, &buffer);
        ENSURE(!buffer_failed(&buffer));
        check_json(buffer_slice(&buffer));
    }
    buffer_finish(&buffer);
}

static void check_frame(struct wire_reader *reader, enum message_direction direction,
                        struct slice text, struct arena *arena)
{
    struct message message;
    struct refusal refusal;
    struct buffer first;
    struct buffer second;
    if (!wire_parse_socket(reader, direction, text, arena, &message, &refusal)) {
        check_refusal(&refusal, arena);
        return;
    }
    buffer_init(&first, ARENA_BYTES_MAX);
    buffer_init(&second, ARENA_BYTES_MAX);
    wire_render(&message, &first);
    ENSURE(!buffer_failed(&first));
    /* Escapes may make it longer than a reader takes; then it is refused as a whole. */
    if (wire_parse_socket(reader, direction, buffer_slice(&first), arena, &message,
                          &refusal)) {
        wire_render(&message, &second);
        ENSURE(slice_equal(buffer_slice(&first), buffer_slice(&second)));
    } else {
        ENSURE(refusal.code == ERROR_INVALID_JSON);
    }
    buffer_finish(&second);
    buffer_finish(&first);
}

static void check_request(struct wire_reader *reader, struct slice text,
                          struct arena *arena)
{
    const struct wire_parameter parameters[] = {
        { FIELD_IN_PATH, SLICE("task_id"), text },
        { FIELD_IN_HEADER, SLICE("idempotency-key"), text },
    };
    struct message message;
    struct refusal refusal;
    if (!wire_parse_request(reader, MESSAGE_POST_TASK, parameters, 2, text, arena,
                            &message, &refusal))
        check_refusal(&refusal, arena);
    if (!wire_parse_request(reader, MESSAGE_GET_TASK, parameters, 2, text, arena,
                            &message, &refusal))
        check_refusal(&refusal, arena);
    if (!wire_parse_answer(reader, MESSAGE_GET_TASK_ANSWER, text, arena, &message,
                           &refusal))
        check_refusal(&refusal, arena);
}

static void check_route(struct slice path)
{
    struct wire_parameter parameters[4];
    size_t count;
    bool other;
    wire_route(SLICE_OF("GET"), path, parameters, 4, &count, &other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wire *wire;
    static struct wire_reader *reader;
    if (reader == NULL) {
        ENSURE(wire_create(&wire) == ERR_OK);
        reader = wire_reader_create(wire);
        ENSURE(reader != NULL);
    }
    struct arena arena;
    arena_init(&arena, ARENA_BYTES_MAX);
    struct slice text = slice_make(data, size);
    check_frame(reader, DIRECTION_SOCKET_IN, text, &arena);
    check_frame(reader, DIRECTION_SOCKET_OUT, text, &arena);
    check_request(reader, text, &arena);
    check_route(text);
    arena_finish(&arena);
    return 0;
}
