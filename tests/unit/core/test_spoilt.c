/*
 * Goal: rows are input. Whatever bit of whatever row is wrong, and however well-formed
 * the row still is, commands end: with an answer, or with ERR_CORRUPT and no change.
 * Method: from a fixed seed, one to three bits of keys and values are turned in the long
 * story's tables; then every kind of command and question is put to them.
 */
#include "core/scene.h"
#include "core/story.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

enum {
    ROUNDS = 150,
    TASKS_TRIED = 40,
    GENERATIONS_TRIED = 3,
};

static const struct scene_agent ADA = { "ada", 50 };
static const struct scene_agent CAROL = { "carol", 51 };

static uint64_t random_state;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

/* A row somewhere in the tables, copied out. */
struct spoilt {
    unsigned table;
    char key[TRANSACTION_KEY_BYTES_MAX + 1];
    size_t key_size;
    char value[TRANSACTION_VALUE_BYTES_MAX];
    size_t value_size;
};

static void row_pick(struct fleet *fleet, struct spoilt *row)
{
    struct transaction *transaction = memory_transaction(fleet->store);
    do {
        row->table = (unsigned)draw(CORE_TABLE_COUNT);
    } while (memory_rows(fleet->store, row->table) == 0);

    row->key[0] = '\0';
    row->key_size = 1;
    for (uint64_t left = draw(memory_rows(fleet->store, row->table)) + 1; left > 0;
         left--) {
        struct slice key;
        struct slice value;
        assert_int_equal(transaction_first_from(transaction, row->table,
                                                slice_make(row->key, row->key_size), &key,
                                                &value),
                         ERR_OK);
        memcpy(row->key, key.data, key.size);
        row->key[key.size] = '\0';
        row->key_size = key.size + 1;
        memcpy(row->value, value.data, value.size);
        row->value_size = value.size;
    }
    row->key_size--;
}

static void bit_turn(char *bytes, size_t size)
{
    bytes[draw(size)] ^= (char)(1U << draw(8));
}

static void row_spoil(struct fleet *fleet)
{
    static struct spoilt row;
    struct transaction *transaction = memory_transaction(fleet->store);
    row_pick(fleet, &row);
    if (draw(2) == 0) {
        transaction_remove(transaction, row.table, slice_make(row.key, row.key_size));
        bit_turn(row.key, row.key_size);
    } else {
        bit_turn(row.value, row.value_size);
    }
    transaction_put(transaction, row.table, slice_make(row.key, row.key_size),
                    slice_make(row.value, row.value_size));
    memory_commit(fleet->store);
}

static void try(struct fleet *fleet, const struct message *message)
{
    struct memory_store *before = memory_store_copy(fleet->store);
    enum err err = fleet_try(fleet, message);
    if (err != ERR_OK) {
        assert_int_equal(err, ERR_CORRUPT);
        assert_true(memory_store_equal(before, fleet->store));
    }
    memory_store_destroy(before);
}

static void try_identify(struct fleet *fleet, struct scene_agent agent)
{
    struct message message = { .type = MESSAGE_IDENTIFY };
    message.as.identify.agent_id = slice_from_text(agent.name);
    message.as.identify.has_max_concurrent = true;
    message.as.identify.max_concurrent = 9;
    fleet_as_agent(fleet, agent.name, agent.link);
    try(fleet, &message);
}

static void try_ticks(struct fleet *fleet)
{
    const struct message tick = { .type = MESSAGE_TICK };
    for (int i = 0; i < 3; i++) {
        fleet_pass(fleet, 400000);
        fleet_as_hub(fleet);
        try(fleet, &tick);
    }
}

static void try_task(struct fleet *fleet, struct slice id)
{
    struct message message = { .type = MESSAGE_TASK_FAILED };
    for (int i = 0; i < GENERATIONS_TRIED; i++) {
        message.as.task_failed.task_id = id;
        message.as.task_failed.generation = i;
        fleet_as_agent(fleet, CAROL.name, CAROL.link);
        try(fleet, &message);
    }
    fleet_as_client(fleet, "root", ROLE_ADMIN);
    message = (struct message){ .type = MESSAGE_GET_TASK };
    message.as.get_task.task_id = id;
    try(fleet, &message);
    message = (struct message){ .type = MESSAGE_POST_TASK_RETRY };
    message.as.post_task_retry.task_id = id;
    try(fleet, &message);
    message = (struct message){ .type = MESSAGE_POST_TASK_CANCEL };
    message.as.post_task_cancel.task_id = id;
    if (draw(2) == 0)
        try(fleet, &message);
}

static void try_tasks(struct fleet *fleet)
{
    char id[TASK_ID_BYTES + 1];
    struct number_key start;
    struct slice key;
    struct slice value;
    uint64_t number = 0;
    for (int i = 0; i < TASKS_TRIED; i++) {
        if (transaction_first_from(memory_transaction(fleet->store), TABLE_TASK,
                                   key_one(&start, number + 1), &key, &value) != ERR_OK ||
            key.size < 8)
            return;
        number = get_u64((const uint8_t *)key.data);
        snprintf(id, sizeof id, "task-%016llx", (unsigned long long)number);
        try_task(fleet, slice_make(id, TASK_ID_BYTES));
    }
}

static void try_questions(struct fleet *fleet)
{
    static const enum message_type types[] = {
        MESSAGE_GET_ADMIN_TOKENS,  MESSAGE_GET_AGENTS,
        MESSAGE_GET_TASKS,         MESSAGE_GET_TASKS_STATS,
        MESSAGE_GET_HEALTH,        MESSAGE_GET_TASKS_DEAD_LETTER,
        MESSAGE_GET_FLEET_SCHEMAS, MESSAGE_GET_AGENT_STATES,
    };
    fleet_as_client(fleet, "root", ROLE_ADMIN);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const struct message message = { .type = types[i] };
        try(fleet, &message);
    }
}

static void try_schemas(struct fleet *fleet)
{
    struct message message = { .type = MESSAGE_GET_SCHEMA };
    fleet_as_client(fleet, "root", ROLE_ADMIN);
    message.as.get_schema.name = SLICE_OF("sweep");
    try(fleet, &message);
    message = (struct message){ .type = MESSAGE_GET_SCHEMA_HISTORY };
    message.as.get_schema_history.name = SLICE_OF("sweep");
    try(fleet, &message);
    message = (struct message){ .type = MESSAGE_POST_TASK };
    message.as.post_task.description = SLICE_OF("sweep");
    message.as.post_task.kind = SLICE_OF("sweep");
    try(fleet, &message);
    message = (struct message){ .type = MESSAGE_PUT_SCHEMA };
    message.as.put_schema.name = SLICE_OF("sweep");
    message.as.put_schema.schema = SLICE_OF("{\"maxProperties\":0}");
    try(fleet, &message);
    message = (struct message){ .type = MESSAGE_DELETE_SCHEMA };
    message.as.delete_schema.name = SLICE_OF("sweep-result");
    try(fleet, &message);
}

static void spoilt_rows_never_end_the_hub(void **state)
{
    (void)state;
    struct fleet told;
    fleet_init(&told);
    story_tell(&told);
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        struct fleet fleet;
        fleet_init(&fleet);
        memory_store_destroy(fleet.store);
        fleet.store = memory_store_copy(told.store);
        fleet.command = told.command;
        fleet.request = told.request;

        random_state = round * 0x9E3779B97F4A7C15;
        for (uint64_t left = 1 + draw(3); left > 0; left--)
            row_spoil(&fleet);
        const char *text;
        enum err err = core_verify(memory_transaction(fleet.store), &text);
        assert_true(err == ERR_OK || err == ERR_CORRUPT);
        try_ticks(&fleet);
        try_identify(&fleet, ADA);
        try_identify(&fleet, CAROL);
        try_tasks(&fleet);
        try_questions(&fleet);
        try_schemas(&fleet);
        const struct message started = { .type = MESSAGE_HUB_STARTED };
        fleet_as_hub(&fleet);
        try(&fleet, &started);
        try_ticks(&fleet);
        fleet_finish(&fleet);
    }
    fleet_finish(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spoilt_rows_never_end_the_hub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
