/*
 * Goal: whatever row of an index is lost, or too many, and whatever count is wrong, a reset
 * puts it right while the fleet works on; a fleet without faults is left as it is.
 * Method: the long story's tables and one damage at a time; then the verification.
 */
#include "core/story.h"

#include "core/scene.h"
#include "core/table.h"

#include "cmocka_all.h"

#include <string.h>

static const enum table INDEXES[] = {
    TABLE_TASK_STATE, TABLE_TASK_AGENT,  TABLE_TASK_KIND, TABLE_READY, TABLE_READY_PIN,
    TABLE_WAITER,     TABLE_HOLDING,     TABLE_CONNECTED, TABLE_IDLE,  TABLE_LINK,
    TABLE_AGENT_ID,   TABLE_TOKEN_AGENT, TABLE_DEADLINE,
};

static struct fleet fleet;
static struct memory_store *whole;

static int begin(void **state)
{
    (void)state;
    fleet_init(&fleet);
    story_tell(&fleet);
    fleet_verify(&fleet);
    whole = memory_store_copy(fleet.store);
    return 0;
}

static int end(void **state)
{
    (void)state;
    memory_store_destroy(whole);
    fleet_finish(&fleet);
    return 0;
}

static void tables_as_they_were(void)
{
    memory_store_destroy(fleet.store);
    fleet.store = memory_store_copy(whole);
}

static struct transaction *tables(void)
{
    return memory_transaction(fleet.store);
}

static bool is_noticed(void)
{
    const char *text = NULL;
    return core_verify(tables(), &text) != ERR_OK;
}

static const struct effect *effect_of(enum effect_kind kind)
{
    const struct effect *effect = fleet.effects.first;
    while (effect != NULL && effect->kind != kind)
        effect = effect->next;
    return effect;
}

static void tick(void)
{
    const struct message message = { .type = MESSAGE_TICK };
    fleet_pass(&fleet, 1);
    fleet_as_hub(&fleet);
    fleet_do(&fleet, &message);
}

static void reset_begin(void)
{
    const struct message message = { .type = MESSAGE_POST_ADMIN_RESET };
    fleet_as_client(&fleet, "root", ROLE_ADMIN);
    fleet_do(&fleet, &message);
    const struct message_post_admin_reset_answer *answer =
        &fleet_answer(&fleet)->message.as.post_admin_reset_answer;
    assert_true(slice_equal_text(answer->status, "reset_scheduled"));
    assert_true(slice_equal_text(answer->triggered_by, "root"));
    assert_non_null(effect_of(EFFECT_RESET));
}

/* Runs a reset to its end; returns how much was put right. */
static uint64_t reset(void)
{
    reset_begin();
    for (int i = 0; i < 1000; i++) {
        tick();
        if (effect_of(EFFECT_RESET_DONE) != NULL)
            return effect_of(EFFECT_RESET_DONE)->request;
    }
    fail_msg("it never ends");
    return 0;
}

/* The key and the value of the n-th row of a table; false when there is none. */
static bool row_at(enum table table, size_t n, struct packed_key *ret_key,
                   struct packed *ret_value)
{
    char start[TRANSACTION_KEY_BYTES_MAX + 1] = { 0 };
    size_t size = 1;
    for (size_t i = 0;; i++) {
        struct slice key;
        struct slice value;
        if (transaction_first_from(tables(), table, slice_make(start, size), &key,
                                   &value) != ERR_OK)
            return false;
        if (i == n) {
            buffer_append_slice(packed_key_start(ret_key), key);
            buffer_append_slice(packed_start(ret_value), value);
            return true;
        }
        memcpy(start, key.data, key.size);
        start[key.size] = '\0';
        size = key.size + 1;
    }
}

static void assert_put_right(enum table table, size_t n, const char *what)
{
    memory_commit(fleet.store);
    if (reset() == 0)
        fail_msg("row %zu of %s was %s and nothing was put right", n, CORE_TABLES[table],
                 what);
    fleet_settle(&fleet);
    if (is_noticed())
        fail_msg("row %zu of %s was %s and is not right", n, CORE_TABLES[table], what);
}

static void a_fleet_without_faults_is_left_as_it_is(void **state)
{
    (void)state;
    tables_as_they_were();
    assert_int_equal(reset(), 0);
    fleet_verify(&fleet);
}

static void a_lost_row_of_an_index_is_put_back(void **state)
{
    (void)state;
    struct packed_key key;
    struct packed value;
    size_t damages = 0;
    for (size_t i = 0; i < sizeof INDEXES / sizeof INDEXES[0]; i++) {
        tables_as_they_were();
        for (size_t n = 0; row_at(INDEXES[i], n, &key, &value); n++) {
            assert_int_equal(
                transaction_remove(tables(), INDEXES[i], buffer_slice(&key.buffer)),
                ERR_OK);
            /* What goes on by itself is no head's, or is known by nothing else. */
            bool derived = INDEXES[i] != TABLE_DEADLINE || (uint8_t)key.bytes[9] <= 3;
            if (derived && is_noticed()) {
                assert_put_right(INDEXES[i], n, "taken away");
                damages++;
            }
            tables_as_they_were();
        }
    }
    assert_true(damages > 40);
}

static void a_row_too_many_goes(void **state)
{
    (void)state;
    struct packed_key key;
    struct packed value;
    size_t damages = 0;
    for (size_t i = 0; i < sizeof INDEXES / sizeof INDEXES[0]; i++) {
        tables_as_they_were();
        for (size_t n = 0; row_at(INDEXES[i], n, &key, &value); n++) {
            bool derived = INDEXES[i] != TABLE_DEADLINE || (uint8_t)key.bytes[9] <= 3;
            struct slice unused;
            /* The same entry for another subject. */
            key.bytes[key.buffer.size - 1] ^= 0x55;
            if (derived &&
                transaction_get(tables(), INDEXES[i], buffer_slice(&key.buffer),
                                &unused) == ERR_NOT_FOUND) {
                assert_int_equal(transaction_put(tables(), INDEXES[i],
                                                 buffer_slice(&key.buffer),
                                                 buffer_slice(&value.buffer)),
                                 ERR_OK);
                assert_put_right(INDEXES[i], n, "doubled");
                damages++;
            }
            tables_as_they_were();
        }
    }
    assert_true(damages > 40);
}

static void a_wrong_count_is_put_right(void **state)
{
    (void)state;
    struct packed_key key;
    struct packed value = { .bytes = "" };
    tables_as_they_were();
    assert_true(row_at(TABLE_STATS, 0, &key, &value));
    value.bytes[8] = (char)(value.bytes[8] + 100);
    transaction_put(tables(), TABLE_STATS, buffer_slice(&key.buffer),
                    buffer_slice(&value.buffer));
    assert_true(is_noticed());
    assert_put_right(TABLE_STATS, 0, "wrong");

    const enum counter counters[] = { COUNTER_CONNECTED, COUNTER_SETS };
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        tables_as_they_were();
        struct step step = fleet_step(&fleet);
        step_counter_move(&step, counters[i], 1);
        assert_true(is_noticed());
        assert_put_right(TABLE_COUNTER, counters[i], "wrong");
    }
}

/* Tasks move while they are counted, and none is counted twice or not at all. */
static void the_fleet_works_on_meanwhile(void **state)
{
    (void)state;
    static const struct scene_agent ZOE = { "zoe", 71 };
    tables_as_they_were();
    for (int i = 0; i < 600; i++)
        scene_submit_plain(&fleet);
    scene_identify(&fleet, ZOE, 100);
    uint64_t held = 0;
    uint64_t tasks[100];
    size_t count = 0;
    while (count < 100) {
        struct step step = fleet_step(&fleet);
        if (!agent_next_held(&step, scene_agent_row(&fleet, ZOE).number, held, &held)) {
            fleet_settle(&fleet);
            held = 0;
            count = 0;
            continue;
        }
        tasks[count++] = held++;
    }
    reset_begin();
    bool done = false;
    for (int i = 0; !done; i++) {
        if (i < 100)
            scene_complete(&fleet, ZOE, tasks[i],
                           (int64_t)scene_task(&fleet, tasks[i]).generation);
        scene_submit_plain(&fleet);
        fleet_verify(&fleet);
        tick();
        done = effect_of(EFFECT_RESET_DONE) != NULL;
        if (done)
            assert_int_equal(effect_of(EFFECT_RESET_DONE)->request, 0);
        assert_true(i < 1000);
    }
    fleet_settle(&fleet);
    fleet_verify(&fleet);
}

static void every_key_of_the_ring_is_told_again(void **state)
{
    (void)state;
    tables_as_they_were();
    size_t keys = 0;
    bool all = false;
    reset_begin();
    while (!all) {
        tick();
        keys += fleet_count(&fleet, EFFECT_KEY_ADD);
        all = effect_of(EFFECT_KEYS_TOLD) != NULL;
    }
    assert_int_equal(keys, memory_rows(fleet.store, TABLE_TOKEN));
    assert_true(keys > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fleet_without_faults_is_left_as_it_is),
        cmocka_unit_test(a_lost_row_of_an_index_is_put_back),
        cmocka_unit_test(a_row_too_many_goes),
        cmocka_unit_test(a_wrong_count_is_put_right),
        cmocka_unit_test(the_fleet_works_on_meanwhile),
        cmocka_unit_test(every_key_of_the_ring_is_told_again),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
