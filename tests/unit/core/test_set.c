/*
 * Goal: one set, one number, however it was written; it lives while it is used; and one
 * set covers another exactly when it has all of its items.
 * Method: small alphabets, every pair of subsets, against bits.
 */
#include "core/set.h"

#include "core/fleet.h"

#include "cmocka_all.h"

enum {
    LETTERS = 5,
    SUBSETS = 1 << LETTERS,
};

static const char *const WORDS[LETTERS] = { "", "a", "aa", "b", "\xc3\xa9" };

static struct fleet fleet;
static struct step step;

static int begin(void **state)
{
    (void)state;
    fleet_init(&fleet);
    effects_init(&fleet.effects, &fleet.arena);
    step = fleet_step(&fleet);
    return 0;
}

static int end(void **state)
{
    (void)state;
    assert_int_equal(step.err, ERR_OK);
    fleet_finish(&fleet);
    return 0;
}

/* The words whose bits are set, backwards and the first of them twice. */
static struct set subset(unsigned bits)
{
    struct slice items[LETTERS + 1];
    struct slice_list list = { items, 0 };
    struct set set;
    for (int i = LETTERS - 1; i >= 0; i--) {
        if ((bits >> i & 1) != 0)
            items[list.count++] = slice_from_text(WORDS[i]);
    }
    if (list.count > 0) {
        items[list.count] = items[0];
        list.count++;
    }
    set_make(&step, list, &set);
    return set;
}

static unsigned bits_counted(unsigned bits)
{
    unsigned count = 0;
    for (; bits != 0; bits >>= 1)
        count += bits & 1;
    return count;
}

static void a_set_is_sorted_and_has_no_repeats(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < SUBSETS; bits++) {
        struct set set = subset(bits);
        assert_int_equal(set.items.count, bits_counted(bits));
        for (size_t i = 1; i < set.items.count; i++)
            assert_true(slice_compare(set.items.items[i - 1], set.items.items[i]) < 0);
    }
}

static void covering_is_exactly_having_all(void **state)
{
    (void)state;
    uint64_t numbers[SUBSETS];
    for (unsigned bits = 0; bits < SUBSETS; bits++) {
        struct set set = subset(bits);
        assert_true(set_intern(&step, &set, &numbers[bits]));
    }
    for (unsigned offered = 0; offered < SUBSETS; offered++) {
        for (unsigned needed = 0; needed < SUBSETS; needed++) {
            struct set has = subset(offered);
            struct set wants = subset(needed);
            bool covers = (needed & ~offered) == 0;
            assert_int_equal(set_covers(&has, &wants), covers);
            assert_int_equal(set_packed_covers(&step, set_packed(&step, numbers[offered]),
                                               set_packed(&step, numbers[needed])),
                             covers);
        }
        arena_clear(&fleet.arena);
    }
}

static void the_first_missing_item_is_named(void **state)
{
    (void)state;
    struct set has = subset(0x2);
    struct set wants = subset(0xE);
    assert_true(slice_equal_text(set_first_missing(&has, &wants), "aa"));
}

static void one_set_has_one_number_while_it_is_used(void **state)
{
    (void)state;
    struct set set = subset(0x6);
    struct slice other_items[] = { SLICE_OF("aa"), SLICE_OF("a"), SLICE_OF("aa") };
    struct set other;
    set_make(&step, (struct slice_list){ other_items, 3 }, &other);
    uint64_t first;
    uint64_t second;
    assert_true(set_intern(&step, &set, &first));
    assert_true(set_intern(&step, &other, &second));
    assert_int_equal(first, second);
    set_release(&step, first);
    struct set loaded;
    assert_true(set_load(&step, first, &loaded));
    assert_int_equal(loaded.items.count, 2);
    set_release(&step, second);
    assert_int_equal(memory_rows(fleet.store, TABLE_SET), 0);
    assert_int_equal(memory_rows(fleet.store, TABLE_SET_HASH), 0);
    assert_int_equal(memory_rows(fleet.store, TABLE_BLOB), 0);
    assert_int_equal(step_counter(&step, COUNTER_SETS), 0);

    /* A number is never given out twice. */
    uint64_t third;
    assert_true(set_intern(&step, &set, &third));
    assert_true(third > first);
}

static void sets_past_the_limit_are_refused_and_known_ones_are_not(void **state)
{
    (void)state;
    fleet.settings.capability_sets_max = 2;
    struct set sets[3] = { subset(1), subset(2), subset(3) };
    uint64_t number;
    assert_true(set_intern(&step, &sets[0], &number));
    assert_true(set_intern(&step, &sets[1], &number));
    struct memory_store *before = memory_store_copy(fleet.store);
    assert_false(set_intern(&step, &sets[2], &number));
    assert_true(memory_store_equal(before, fleet.store));
    memory_store_destroy(before);
    assert_true(set_intern(&step, &sets[1], &number));
}

static void releasing_what_is_not_used_is_noticed(void **state)
{
    (void)state;
    set_release(&step, 0);
    assert_int_equal(step.err, ERR_OK);
    set_release(&step, 7);
    assert_int_equal(step.err, ERR_CORRUPT);
    step.err = ERR_OK;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_set_is_sorted_and_has_no_repeats),
        TEST(covering_is_exactly_having_all),
        TEST(the_first_missing_item_is_named),
        TEST(one_set_has_one_number_while_it_is_used),
        TEST(sets_past_the_limit_are_refused_and_known_ones_are_not),
        TEST(releasing_what_is_not_used_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
