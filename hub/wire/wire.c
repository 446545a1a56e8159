#include "wire/wire.h"

#include "base/ensure.h"
#include "base/hash.h"
#include "wire/private.h"

#include <stdlib.h>

enum { PARAMETER_BYTES_MAX = 64 * 1024 };

/* Names are ours, so a fixed key will do: nobody can add one. */
static size_t slot_of(struct slice name)
{
    return (size_t)(siphash((struct siphash_key){ { 0, 0 } }, name) & (WIRE_SLOTS - 1));
}

static const uint16_t *slots_of(const struct wire *wire, enum message_direction direction)
{
    return direction == DIRECTION_SOCKET_IN ? wire->inbound : wire->outbound;
}

enum message_type wire_find(const struct wire *wire, enum message_direction direction,
                            struct slice name)
{
    const uint16_t *slots = slots_of(wire, direction);
    for (size_t at = slot_of(name); slots[at] != MESSAGE_NONE; at = (at + 1) % WIRE_SLOTS)
        if (slice_equal(MESSAGE_ROWS[slots[at]].name, name))
            return (enum message_type)slots[at];
    return MESSAGE_NONE;
}

static void names_add(struct wire *wire)
{
    _Static_assert(MESSAGE_COUNT <= UINT16_MAX, "a slot holds a message type");
    _Static_assert((int)MESSAGE_COUNT < (int)WIRE_SLOTS,
                   "an empty slot ends every search");
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        uint16_t *slots;
        if (MESSAGE_ROWS[i].direction == DIRECTION_SOCKET_IN)
            slots = wire->inbound;
        else if (MESSAGE_ROWS[i].direction == DIRECTION_SOCKET_OUT)
            slots = wire->outbound;
        else
            continue;
        size_t at = slot_of(MESSAGE_ROWS[i].name);
        while (slots[at] != MESSAGE_NONE)
            at = (at + 1) % WIRE_SLOTS;
        slots[at] = (uint16_t)i;
    }
}

static enum err compile(struct slice text, struct schema **ret_schema)
{
    struct schema_problem problem;
    if (!slice_is_present(text))
        return ERR_OK;
    return schema_compile(NULL, text, SCHEMA_STRICT, ret_schema, &problem);
}

static enum err compile_row(const struct message_row *row, struct wire_schemas *schemas)
{
    enum err err = compile(row->schema, &schemas->body);
    if (err == ERR_OK)
        err = compile(row->schema_path, &schemas->path);
    if (err == ERR_OK)
        err = compile(row->schema_query, &schemas->query);
    if (err == ERR_OK)
        err = compile(row->schema_headers, &schemas->headers);
    return err;
}

enum err wire_create(struct wire **ret_wire)
{
    struct wire *wire = calloc(1, sizeof *wire);
    if (wire == NULL)
        return ERR_MEMORY;
    names_add(wire);
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        enum err err = compile_row(&MESSAGE_ROWS[i], &wire->schemas[i]);
        if (err != ERR_OK) {
            wire_destroy(wire);
            return err;
        }
    }
    *ret_wire = wire;
    return ERR_OK;
}

void wire_destroy(struct wire *wire)
{
    if (wire == NULL)
        return;
    for (size_t i = 0; i < MESSAGE_COUNT; i++) {
        schema_destroy(wire->schemas[i].body);
        schema_destroy(wire->schemas[i].path);
        schema_destroy(wire->schemas[i].query);
        schema_destroy(wire->schemas[i].headers);
    }
    free(wire);
}

struct wire_reader *wire_reader_create(const struct wire *wire)
{
    struct wire_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    reader->wire = wire;
    buffer_init(&reader->text, PARAMETER_BYTES_MAX);
    reader->json = json_create(&JSON_LIMITS_DEFAULT);
    reader->parameters = json_create(&JSON_LIMITS_DEFAULT);
    reader->schema = json_create(&JSON_LIMITS_DEFAULT);
    reader->run = schema_run_create();
    if (reader->json == NULL || reader->parameters == NULL || reader->schema == NULL ||
        reader->run == NULL) {
        wire_reader_destroy(reader);
        return NULL;
    }
    return reader;
}

void wire_reader_destroy(struct wire_reader *reader)
{
    if (reader == NULL)
        return;
    json_destroy(reader->json);
    json_destroy(reader->parameters);
    json_destroy(reader->schema);
    schema_run_destroy(reader->run);
    buffer_finish(&reader->text);
    free(reader);
}
