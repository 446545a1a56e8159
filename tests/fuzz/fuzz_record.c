/*
 * Any bytes as rows: whatever stands in the tables, a walk names it or finds nothing, and
 * commands and questions end, with an answer or with an error that changes nothing.
 *
 * The input is a list of edits of the tables of a long story: table, row (two bytes), what
 * to do, how many bytes, and these bytes.
 */
#include "fuzz/support.h"

#include <string.h>

enum { EDITS_MAX = 16, EDIT_HEAD_BYTES = 5 };

enum edit { EDIT_VALUE, EDIT_XOR, EDIT_REMOVE, EDIT_ADD, EDIT_COUNT };

struct row {
    char key[TRANSACTION_KEY_BYTES_MAX + 1];
    size_t key_size;
    char value[TRANSACTION_VALUE_BYTES_MAX];
    size_t value_size;
};

static bool row_find(struct fleet *fleet, unsigned table, uint64_t index, struct row *row)
{
    struct slice key;
    struct slice value;
    uint64_t count = memory_rows(fleet->store, table);
    if (count == 0)
        return false;
    row->key[0] = '\0';
    row->key_size = 1;
    for (uint64_t left = index % count + 1; left > 0; left--) {
        ENSURE(transaction_first_from(memory_transaction(fleet->store), table,
                                      slice_make(row->key, row->key_size), &key,
                                      &value) == ERR_OK);
        memcpy(row->key, key.data, key.size);
        row->key[key.size] = '\0';
        row->key_size = key.size + 1;
    }
    row->key_size--;
    memcpy(row->value, value.data, value.size);
    row->value_size = value.size;
    return true;
}

static void put(struct fleet *fleet, unsigned table, struct slice key, struct slice value)
{
    if (key.size > 0 && key.size <= TRANSACTION_KEY_BYTES_MAX)
        transaction_put(memory_transaction(fleet->store), table, key, value);
}

static void row_edit(struct fleet *fleet, const uint8_t *head, struct slice bytes)
{
    static struct row row;
    unsigned table = head[0] % CORE_TABLE_COUNT;
    enum edit edit = (enum edit)(head[3] % EDIT_COUNT);
    if (edit == EDIT_ADD) {
        size_t half = bytes.size / 2;
        put(fleet, table, slice_make(bytes.data, half), slice_skip(bytes, half));
        return;
    }
    if (!row_find(fleet, table, (uint64_t)head[1] << 8 | head[2], &row))
        return;
    struct slice key = slice_make(row.key, row.key_size);
    if (edit == EDIT_REMOVE) {
        transaction_remove(memory_transaction(fleet->store), table, key);
        return;
    }
    if (edit == EDIT_VALUE) {
        put(fleet, table, key, bytes);
        return;
    }
    for (size_t i = 0; i + 1 < bytes.size && row.value_size > 0; i += 2)
        row.value[(uint8_t)bytes.data[i] % row.value_size] ^= bytes.data[i + 1];
    put(fleet, table, key, slice_make(row.value, row.value_size));
}

static void edits_make(struct fleet *fleet, const uint8_t *data, size_t size)
{
    for (int i = 0; i < EDITS_MAX && size >= EDIT_HEAD_BYTES; i++) {
        size_t length = data[4];
        if (length > size - EDIT_HEAD_BYTES)
            length = size - EDIT_HEAD_BYTES;
        row_edit(fleet, data, slice_make(data + EDIT_HEAD_BYTES, length));
        data += EDIT_HEAD_BYTES + length;
        size -= EDIT_HEAD_BYTES + length;
    }
    memory_commit(fleet->store);
}

static void try(struct fleet *fleet, const struct message *message)
{
    enum err err = fleet_try(fleet, message);
    ENSURE(err == ERR_OK || err == ERR_CORRUPT || err == ERR_LIMIT || err == ERR_MEMORY);
    ENSURE(memory_writes(fleet->store) == 0);
}

static void try_questions(struct fleet *fleet)
{
    fleet_as_client(fleet, "root", ROLE_ADMIN);
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        const struct message message = { .type = (enum message_type)i };
        if (MESSAGE_ROWS[i].kind == KIND_QUERY &&
            MESSAGE_ROWS[i].direction == DIRECTION_HTTP_REQUEST)
            try(fleet, &message);
    }
}

static void try_agents(struct fleet *fleet)
{
    static const char *const NAMES[] = { "ada", "carol" };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        struct message message = { .type = MESSAGE_IDENTIFY };
        message.as.identify.agent_id = slice_from_text(NAMES[i]);
        message.as.identify.has_max_concurrent = true;
        message.as.identify.max_concurrent = 9;
        fleet_as_agent(fleet, NAMES[i], 50 + i);
        try(fleet, &message);
    }
}

static void try_hub(struct fleet *fleet, enum message_type type)
{
    const struct message message = { .type = type };
    fleet_pass(fleet, 400000);
    fleet_as_hub(fleet);
    try(fleet, &message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fleet fleet;
    const char *text;
    fleet_of_story(&fleet);
    edits_make(&fleet, data, size);
    enum err err = core_verify(memory_transaction(fleet.store), &text);
    ENSURE(err == ERR_OK || err == ERR_CORRUPT);
    try_hub(&fleet, MESSAGE_TICK);
    try_agents(&fleet);
    try_questions(&fleet);
    try_hub(&fleet, MESSAGE_HUB_STARTED);
    try_hub(&fleet, MESSAGE_TICK);
    fleet_finish(&fleet);
    return 0;
}
