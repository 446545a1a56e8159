/*
 * Goal: a map finds what was put, walks in order of insertion, and stops at its bound.
 * Method: a plain array beside it says what must be true after each of many moves.
 */
#include "base/map.h"

#include <stdio.h>

#include "cmocka_all.h"

static const struct siphash_key SEED = { { 1, 2 } };

static int values[1000];

static struct slice key_make(char text[16], int number)
{
    int size = snprintf(text, 16, "key%d", number);
    return slice_make(text, (size_t)size);
}

static void what_was_put_is_found(void **state)
{
    (void)state;
    struct map *map = map_create(SEED, 1000);
    char text[16];
    for (int i = 0; i < 1000; i++) {
        void *old = map;
        assert_int_equal(map_put(map, key_make(text, i), &values[i], &old), ERR_OK);
        assert_null(old);
    }
    assert_int_equal(map_count(map), 1000);
    for (int i = 0; i < 1000; i++)
        assert_ptr_equal(map_get(map, key_make(text, i)), &values[i]);
    assert_null(map_get(map, SLICE_OF("key1000")));
    assert_null(map_get(map, SLICE_OF("")));
    map_destroy(map);
    map_destroy(NULL);
}

static void putting_again_replaces_in_place(void **state)
{
    (void)state;
    struct map *map = map_create(SEED, 2);
    void *old = NULL;
    assert_int_equal(map_put(map, SLICE_OF("a"), &values[0], NULL), ERR_OK);
    assert_int_equal(map_put(map, SLICE_OF("b"), &values[1], NULL), ERR_OK);
    assert_int_equal(map_put(map, SLICE_OF("a"), &values[2], &old), ERR_OK);
    assert_ptr_equal(old, &values[0]);
    assert_int_equal(map_count(map), 2);

    size_t position = 0;
    struct slice key;
    void *value;
    assert_true(map_next(map, &position, &key, &value));
    assert_true(slice_equal_text(key, "a"));
    assert_ptr_equal(value, &values[2]);
    assert_true(map_next(map, &position, &key, &value));
    assert_true(slice_equal_text(key, "b"));
    assert_false(map_next(map, &position, &key, &value));
    map_destroy(map);
}

static void the_bound_refuses_new_keys_only(void **state)
{
    (void)state;
    struct map *map = map_create(SEED, 2);
    assert_int_equal(map_put(map, SLICE_OF("a"), &values[0], NULL), ERR_OK);
    assert_int_equal(map_put(map, SLICE_OF(""), &values[1], NULL), ERR_OK);
    assert_int_equal(map_put(map, SLICE_OF("c"), &values[2], NULL), ERR_LIMIT);
    assert_null(map_get(map, SLICE_OF("c")));
    assert_int_equal(map_put(map, SLICE_OF(""), &values[3], NULL), ERR_OK);
    assert_ptr_equal(map_remove(map, SLICE_OF("a")), &values[0]);
    assert_int_equal(map_put(map, SLICE_OF("c"), &values[2], NULL), ERR_OK);
    map_destroy(map);
}

static void keys_are_copied_and_hold_any_byte(void **state)
{
    (void)state;
    struct map *map = map_create(SEED, 10);
    char text[] = "a\0b";
    assert_int_equal(map_put(map, slice_make(text, 3), &values[0], NULL), ERR_OK);
    text[2] = 'c';
    assert_ptr_equal(map_get(map, SLICE_OF("a\0b")), &values[0]);
    assert_null(map_get(map, slice_make(text, 3)));
    assert_null(map_get(map, SLICE_OF("a")));
    map_destroy(map);
}

static void entries_may_be_removed_while_walking(void **state)
{
    (void)state;
    struct map *map = map_create(SEED, 100);
    char text[16];
    for (int i = 0; i < 100; i++)
        assert_int_equal(map_put(map, key_make(text, i), &values[i], NULL), ERR_OK);
    size_t position = 0;
    struct slice key;
    void *value;
    int seen = 0;
    while (map_next(map, &position, &key, &value)) {
        assert_ptr_equal(value, &values[seen]);
        if (seen++ % 2 == 0)
            assert_ptr_equal(map_remove(map, key), value);
    }
    assert_int_equal(seen, 100);
    assert_int_equal(map_count(map), 50);
    map_destroy(map);
}

static void a_long_life_of_moves_agrees_with_an_array(void **state)
{
    (void)state;
    struct map *map = map_create(SEED, 64);
    int *held[64] = { NULL };
    uint64_t random = 1;
    size_t count = 0;
    char text[16];
    for (int move = 0; move < 20000; move++) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        int number = (int)(random >> 33) % 64;
        int *value = &values[(random >> 40) % 1000];
        struct slice key = key_make(text, number);
        if ((random >> 60) % 2 == 0) {
            void *old;
            assert_int_equal(map_put(map, key, value, &old), ERR_OK);
            assert_ptr_equal(old, held[number]);
            count += held[number] == NULL;
            held[number] = value;
        } else {
            assert_ptr_equal(map_remove(map, key), held[number]);
            count -= held[number] != NULL;
            held[number] = NULL;
        }
        assert_int_equal(map_count(map), count);
    }
    for (int i = 0; i < 64; i++)
        assert_ptr_equal(map_get(map, key_make(text, i)), held[i]);
    map_destroy(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found),
        cmocka_unit_test(putting_again_replaces_in_place),
        cmocka_unit_test(the_bound_refuses_new_keys_only),
        cmocka_unit_test(keys_are_copied_and_hold_any_byte),
        cmocka_unit_test(entries_may_be_removed_while_walking),
        cmocka_unit_test(a_long_life_of_moves_agrees_with_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
