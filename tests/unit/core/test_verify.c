/*
 * Goal: whatever row is lost or spoilt, verification says so and nothing crashes.
 * Method: the long story's tables; each row of each table is taken away, cut short and
 * made longer, one at a time.
 */
#include "core/story.h"

#include "core/blob.h"
#include "core/table.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

enum {
    ROWS_MAX = 400,
};

/* A row lifted out of the tables. */
struct lifted {
    char key_bytes[TRANSACTION_KEY_BYTES_MAX];
    char value_bytes[TRANSACTION_VALUE_BYTES_MAX + 1];
    struct slice key;
    struct slice value;
};

static struct fleet fleet;

static int begin(void **state)
{
    (void)state;
    fleet_init(&fleet);
    story_tell(&fleet);
    fleet_verify(&fleet);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fleet_finish(&fleet);
    return 0;
}

/* The n-th row of a table. */
static bool lift(enum table table, size_t n, struct lifted *lifted)
{
    struct transaction *transaction = memory_transaction(fleet.store);
    char start[TRANSACTION_KEY_BYTES_MAX + 1] = { 0 };
    size_t size = 1;
    for (size_t i = 0;; i++) {
        struct slice key;
        struct slice value;
        if (transaction_first_from(transaction, table, slice_make(start, size), &key,
                                   &value) != ERR_OK)
            return false;
        if (i < n) {
            memcpy(start, key.data, key.size);
            start[key.size] = '\0';
            size = key.size + 1;
            continue;
        }
        memcpy(lifted->key_bytes, key.data, key.size);
        memcpy(lifted->value_bytes, value.data, value.size);
        lifted->key = slice_make(lifted->key_bytes, key.size);
        lifted->value = slice_make(lifted->value_bytes, value.size);
        return true;
    }
}

static void assert_noticed(enum table table, size_t n, const char *what)
{
    const char *text = NULL;
    enum err err = core_verify(memory_transaction(fleet.store), &text);
    if (err != ERR_CORRUPT || text == NULL)
        fail_msg("row %zu of %s was %s and nobody noticed", n, CORE_TABLES[table], what);
    memory_rollback(fleet.store);
}

/* A row nothing else speaks of may go. */
static bool may_be_lost(enum table table, const struct lifted *row)
{
    if (table == TABLE_PLACE)
        return true;
    if (table == TABLE_COUNTER) {
        uint64_t counter = get_u64((const uint8_t *)row->key.data);
        return counter == COUNTER_MAIL_TTL_MS || counter == COUNTER_HEARTBEAT_MS;
    }
    if (table != TABLE_BLOB)
        return false;
    /* A head does not say whether there is a result, an error or a note. */
    uint64_t kind = get_u64((const uint8_t *)row->key.data + 8);
    uint64_t piece = get_u64((const uint8_t *)row->key.data + 16);
    return ((kind >= 2 && kind <= 4) || kind == BLOB_CONFIG || kind == BLOB_SAID) &&
           piece == 0;
}

static void spoil(enum table table, size_t n, const struct lifted *row)
{
    struct transaction *transaction = memory_transaction(fleet.store);
    if (!may_be_lost(table, row)) {
        assert_int_equal(transaction_remove(transaction, table, row->key), ERR_OK);
        assert_noticed(table, n, "taken away");
    }
    if (table == TABLE_PLACE || table == TABLE_IDEMPOTENCY)
        return;
    struct slice longer = slice_make(row->value.data, row->value.size + 1);
    if (longer.size <= TRANSACTION_VALUE_BYTES_MAX) {
        assert_int_equal(transaction_put(transaction, table, row->key, longer), ERR_OK);
        assert_noticed(table, n, "made longer");
    }
    struct slice shorter = slice_make(row->value.data, row->value.size - 1);
    assert_int_equal(transaction_put(transaction, table, row->key, shorter), ERR_OK);
    assert_noticed(table, n, "cut short");
}

static void whatever_row_is_spoilt_is_noticed(void **state)
{
    (void)state;
    static struct lifted row;
    for (int table = 0; table < TABLE_COUNT; table++) {
        size_t n = 0;
        for (; n < ROWS_MAX && lift((enum table)table, n, &row); n++)
            spoil((enum table)table, n, &row);
        /* The story leaves something everywhere, or this test is blind there. */
        if (n == 0)
            fail_msg("the story leaves nothing in %s", CORE_TABLES[table]);
    }
    fleet_verify(&fleet);
}

static void a_row_too_many_is_noticed(void **state)
{
    (void)state;
    static const enum table indexes[] = {
        TABLE_TASK_STATE, TABLE_TASK_AGENT, TABLE_READY,   TABLE_READY_PIN,
        TABLE_WAITER,     TABLE_CONNECTED,  TABLE_HOLDING, TABLE_IDLE,
        TABLE_SET_HASH,   TABLE_HISTORY,    TABLE_BLOB,    TABLE_DEADLINE,
    };
    struct transaction *transaction = memory_transaction(fleet.store);
    static struct lifted row;
    for (size_t i = 0; i < sizeof indexes / sizeof indexes[0]; i++) {
        assert_true(lift(indexes[i], 0, &row));
        /* The same entry for another subject. */
        row.key_bytes[row.key.size - 1] ^= 0x55;
        assert_int_equal(transaction_put(transaction, indexes[i], row.key, row.value),
                         ERR_OK);
        assert_noticed(indexes[i], 0, "doubled");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whatever_row_is_spoilt_is_noticed, begin, end),
        cmocka_unit_test_setup_teardown(a_row_too_many_is_noticed, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
