#include "store/store.h"

#include "base/pack.h"
#include "cmocka_all.h"
#include "store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1024 * 1024 };

static struct store_fixture fixture;

static int start(void **state)
{
    (void)state;
    fixture_start(&fixture, 64 * MIB, 64 * MIB);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fixture);
    return 0;
}

static uint64_t commits(void)
{
    struct store_usage usage;
    assert_int_equal(store_measure(fixture.store, &usage), ERR_OK);
    return usage.commits;
}

static void rows_are_put_replaced_and_removed(void **state)
{
    (void)state;
    struct slice absent = { NULL, 0 };

    assert_true(fixture_has(&fixture, 0, "a", absent));
    assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("first")), ERR_OK);
    assert_true(fixture_has(&fixture, 0, "a", SLICE_OF("first")));
    assert_true(fixture_has(&fixture, 1, "a", absent));
    assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("the second")), ERR_OK);
    assert_true(fixture_has(&fixture, 0, "a", SLICE_OF("the second")));
    assert_int_equal(fixture_put(&fixture, 0, "empty", SLICE_OF("")), ERR_OK);
    assert_true(fixture_has(&fixture, 0, "empty", SLICE_OF("")));

    assert_int_equal(fixture_remove(&fixture, 0, "a"), ERR_OK);
    assert_true(fixture_has(&fixture, 0, "a", absent));
    assert_int_equal(fixture_remove(&fixture, 0, "a"), ERR_NOT_FOUND);
}

static void the_longest_key_and_value_fit(void **state)
{
    (void)state;
    char key[TRANSACTION_KEY_BYTES_MAX + 1];
    static char value[TRANSACTION_VALUE_BYTES_MAX];
    memset(key, 'k', sizeof key);
    key[TRANSACTION_KEY_BYTES_MAX] = '\0';
    memset(value, 'v', sizeof value);

    struct slice whole = slice_make(value, sizeof value);
    assert_int_equal(fixture_put(&fixture, 1, key, whole), ERR_OK);
    fixture_close(&fixture);
    assert_int_equal(fixture_open(&fixture), ERR_OK);
    assert_true(fixture_has(&fixture, 1, key, whole));
}

static void rows_are_found_in_order_from_both_sides(void **state)
{
    (void)state;
    static const char *const KEYS[] = { "b", "bb", "d", "f" };
    struct transaction *batch = store_batch(fixture.store);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(
            transaction_put(batch, 0, slice_from_text(KEYS[i]), slice_from_text(KEYS[i])),
            ERR_OK);

    static const struct {
        const char *from, *first, *last;
    } CASES[] = {
        { "a", "b", NULL }, { "b", "b", NULL }, { "ba", "bb", "b" }, { "bb", "bb", "b" },
        { "c", "d", "bb" }, { "d", "d", "bb" }, { "e", "f", "d" },   { "f", "f", "d" },
        { "g", NULL, "f" }, { NULL, "b", "f" }, { "", "b", NULL },
    };
    /* Once within the batch, once in a snapshot of what it wrote. */
    struct store_reader *reader = store_reader_create(fixture.store);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
            struct slice from = slice_from_text(CASES[i].from);
            struct slice key;
            struct slice value;
            enum err err = transaction_first_from(batch, 0, from, &key, &value);
            assert_int_equal(err, CASES[i].first == NULL ? ERR_NOT_FOUND : ERR_OK);
            if (err == ERR_OK) {
                assert_true(slice_equal_text(key, CASES[i].first));
                assert_true(slice_equal_text(value, CASES[i].first));
            }
            err = transaction_last_before(batch, 0, from, &key, &value);
            assert_int_equal(err, CASES[i].last == NULL ? ERR_NOT_FOUND : ERR_OK);
            if (err == ERR_OK) {
                assert_true(slice_equal_text(key, CASES[i].last));
                assert_true(slice_equal_text(value, CASES[i].last));
            }
        }
        if (round == 0) {
            assert_int_equal(store_commit(fixture.store), ERR_OK);
            batch = store_reader_begin(reader);
        }
    }
    store_reader_end(reader);
    store_reader_destroy(reader);
}

static void a_batch_without_a_change_takes_no_sync(void **state)
{
    (void)state;
    assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("1")), ERR_OK);
    assert_int_equal(commits(), 1);
    fixture_fail(&fixture, STORE_CALL_COMMIT, 0, 0);

    struct slice value;
    struct transaction *batch = store_batch(fixture.store);
    assert_int_equal(transaction_get(batch, 0, SLICE_OF("a"), &value), ERR_OK);
    assert_false(store_batch_changed(fixture.store));
    assert_int_equal(store_commit(fixture.store), ERR_OK);
    (void)store_batch(fixture.store);
    assert_int_equal(store_commit(fixture.store), ERR_OK);

    batch = store_batch(fixture.store);
    assert_int_equal(transaction_remove(batch, 0, SLICE_OF("b")), ERR_NOT_FOUND);
    assert_false(store_batch_changed(fixture.store));
    assert_int_equal(store_commit(fixture.store), ERR_OK);
    assert_int_equal(commits(), 1);
    assert_int_equal(fixture.plan.counts[STORE_CALL_COMMIT], 0);
    assert_int_equal(fixture.plan.counts[STORE_CALL_BEGIN_WRITE], 1); /* the remove */

    batch = store_batch(fixture.store);
    assert_int_equal(transaction_remove(batch, 0, SLICE_OF("a")), ERR_OK);
    assert_true(store_batch_changed(fixture.store));
    assert_int_equal(store_commit(fixture.store), ERR_OK);
    assert_int_equal(commits(), 2);
}

static void an_aborted_batch_never_happened(void **state)
{
    (void)state;
    struct slice value;
    assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("1")), ERR_OK);
    struct transaction *batch = store_batch(fixture.store);
    assert_int_equal(transaction_get(batch, 0, SLICE_OF("a"), &value), ERR_OK);
    assert_int_equal(transaction_put(batch, 0, SLICE_OF("a"), SLICE_OF("2")), ERR_OK);
    assert_int_equal(transaction_get(batch, 0, SLICE_OF("a"), &value), ERR_OK);
    assert_true(slice_equal_text(value, "2"));
    store_abort(fixture.store);
    assert_true(fixture_has(&fixture, 0, "a", SLICE_OF("1")));
    assert_int_equal(commits(), 1);
}

static void a_reader_sees_the_commit_it_began_after_and_no_other(void **state)
{
    (void)state;
    struct slice value;
    struct store_reader *reader = store_reader_create(fixture.store);
    assert_int_equal(fixture_put(&fixture, 0, "a", SLICE_OF("1")), ERR_OK);

    struct transaction *snapshot = store_reader_begin(reader);
    assert_int_equal(transaction_get(snapshot, 0, SLICE_OF("a"), &value), ERR_OK);
    struct transaction *batch = store_batch(fixture.store);
    assert_int_equal(transaction_put(batch, 0, SLICE_OF("a"), SLICE_OF("2")), ERR_OK);
    assert_int_equal(transaction_put(batch, 0, SLICE_OF("b"), SLICE_OF("2")), ERR_OK);
    assert_true(fixture_has(&fixture, 0, "a", SLICE_OF("1")));
    assert_int_equal(store_commit(fixture.store), ERR_OK);
    assert_true(slice_equal_text(value, "1"));
    assert_int_equal(transaction_get(snapshot, 0, SLICE_OF("b"), &value), ERR_NOT_FOUND);
    store_reader_end(reader);

    snapshot = store_reader_begin(reader);
    assert_int_equal(transaction_get(snapshot, 0, SLICE_OF("a"), &value), ERR_OK);
    assert_true(slice_equal_text(value, "2"));
    store_reader_end(reader);
    store_reader_destroy(reader);
}

/* What a walk hands out lies in the page that the next put rewrites. */
static void a_row_may_be_moved_with_the_slices_it_was_found_with(void **state)
{
    (void)state;
    struct transaction *batch = store_batch(fixture.store);
    for (char letter = 'a'; letter <= 'z'; letter++) {
        char text[8] = { letter, letter, letter, letter, letter, letter, letter, '\0' };
        assert_int_equal(
            transaction_put(batch, 0, slice_from_text(text), slice_from_text(text)),
            ERR_OK);
    }
    for (char letter = 'a'; letter <= 'z'; letter++) {
        char from[2] = { letter, '\0' };
        char text[8] = { letter, letter, letter, letter, letter, letter, letter, '\0' };
        struct slice key;
        struct slice value;
        assert_int_equal(
            transaction_first_from(batch, 0, slice_from_text(from), &key, &value),
            ERR_OK);
        assert_int_equal(transaction_put(batch, 0, key, slice_make(value.data, 3)),
                         ERR_OK);
        assert_int_equal(
            transaction_first_from(batch, 0, slice_from_text(from), &key, &value),
            ERR_OK);
        assert_true(slice_equal_text(key, text));
        assert_int_equal(value.size, 3);
        assert_memory_equal(value.data, text, 3);
        assert_int_equal(transaction_remove(batch, 0, key), ERR_OK);
    }
    struct slice key;
    struct slice value;
    assert_int_equal(
        transaction_first_from(batch, 0, slice_from_text(NULL), &key, &value),
        ERR_NOT_FOUND);
    assert_int_equal(store_commit(fixture.store), ERR_OK);
}

/*
 * The model: a plain array by key. Keys are few, values long, so that pages fill, split,
 * empty and join all the time, with cursors standing on them.
 */
enum { KEYS = 4000, VALUE_MAX = 1900, STEPS = 200 * 1000 };

struct model_row {
    bool present;
    uint32_t seed;
    uint32_t size;
};

static struct model_row committed[2][KEYS];
static struct model_row current[2][KEYS];
static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}

static struct slice key_of(uint32_t number, uint8_t target[8])
{
    put_u64(target, (uint64_t)number * 2 + 1);
    return slice_make(target, 8);
}

static struct slice value_of(const struct model_row *row)
{
    static char bytes[VALUE_MAX];
    for (uint32_t i = 0; i < row->size; i++)
        bytes[i] = (char)(row->seed + i * 7);
    return slice_make(bytes, row->size);
}

/* The neighbour of `at` (an odd number has a row, an even one lies between). */
static int model_neighbour(unsigned table, uint32_t at, bool after)
{
    if (after) {
        for (uint32_t i = at / 2; i < KEYS; i++) {
            if (current[table][i].present)
                return (int)i;
        }
        return -1;
    }
    for (uint32_t i = at / 2; i > 0; i--) {
        if (current[table][i - 1].present)
            return (int)i - 1;
    }
    return -1;
}

static void step_seek(struct transaction *batch, unsigned table)
{
    uint8_t from[8];
    uint8_t found[8];
    uint32_t at = draw(KEYS * 2 + 2);
    bool after = draw(2) == 0;
    int expected = model_neighbour(table, at, after);
    struct slice key;
    struct slice value;
    put_u64(from, at);

    enum err err =
        after ? transaction_first_from(batch, table, slice_make(from, 8), &key, &value)
              : transaction_last_before(batch, table, slice_make(from, 8), &key, &value);
    assert_int_equal(err, expected < 0 ? ERR_NOT_FOUND : ERR_OK);
    if (expected < 0)
        return;
    assert_true(slice_equal(key, key_of((uint32_t)expected, found)));
    assert_true(slice_equal(value, value_of(&current[table][expected])));
}

static void step_change(struct transaction *batch, unsigned table, bool shrinking)
{
    uint8_t bytes[8];
    uint32_t number = draw(KEYS);
    struct model_row *row = &current[table][number];
    struct slice key = key_of(number, bytes);

    if (draw(10) < (shrinking ? 7u : 3u)) {
        assert_int_equal(transaction_remove(batch, table, key),
                         row->present ? ERR_OK : ERR_NOT_FOUND);
        row->present = false;
        return;
    }
    *row =
        (struct model_row){ true, draw(256), draw(4) == 0 ? draw(VALUE_MAX) : draw(40) };
    assert_int_equal(transaction_put(batch, table, key, value_of(row)), ERR_OK);
}

static void step_get(struct transaction *batch, unsigned table)
{
    uint8_t bytes[8];
    uint32_t number = draw(KEYS);
    const struct model_row *row = &current[table][number];
    struct slice value;
    enum err err = transaction_get(batch, table, key_of(number, bytes), &value);
    assert_int_equal(err, row->present ? ERR_OK : ERR_NOT_FOUND);
    if (err == ERR_OK)
        assert_true(slice_equal(value, value_of(row)));
}

static void any_order_of_calls_gives_what_a_plain_array_gives(void **state)
{
    (void)state;
    random_state = 4711;
    struct transaction *batch = store_batch(fixture.store);

    for (uint32_t step = 0; step < STEPS; step++) {
        unsigned table = draw(2);
        uint32_t kind = draw(100);
        if (kind < 40)
            step_change(batch, table, step / 20000 % 2 == 1);
        else if (kind < 75)
            step_seek(batch, table);
        else if (kind < 98)
            step_get(batch, table);
        else {
            bool keep = draw(3) != 0;
            if (keep)
                assert_int_equal(store_commit(fixture.store), ERR_OK);
            else
                store_abort(fixture.store);
            memcpy(keep ? committed : current, keep ? current : committed,
                   sizeof current);
            batch = store_batch(fixture.store);
        }
    }
    store_abort(fixture.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_are_put_replaced_and_removed, start, end),
        cmocka_unit_test_setup_teardown(the_longest_key_and_value_fit, start, end),
        cmocka_unit_test_setup_teardown(rows_are_found_in_order_from_both_sides, start,
                                        end),
        cmocka_unit_test_setup_teardown(a_batch_without_a_change_takes_no_sync, start,
                                        end),
        cmocka_unit_test_setup_teardown(an_aborted_batch_never_happened, start, end),
        cmocka_unit_test_setup_teardown(
            a_reader_sees_the_commit_it_began_after_and_no_other, start, end),
        cmocka_unit_test_setup_teardown(
            a_row_may_be_moved_with_the_slices_it_was_found_with, start, end),
        cmocka_unit_test_setup_teardown(any_order_of_calls_gives_what_a_plain_array_gives,
                                        start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
