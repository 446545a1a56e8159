/*
 * Goal: memory is zeroed, aligned, apart from its neighbours, bounded and let go at once.
 * Method: every block is filled, and looked at again after the later ones were.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

#include "cmocka_all.h"

#define BOUND ((size_t)256 * 1024)

static void blocks_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    struct arena arena;
    unsigned char *blocks[400];
    arena_init(&arena, BOUND);
    for (size_t i = 0; i < 400; i++) {
        blocks[i] = arena_take(&arena, i);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % alignof(max_align_t), 0);
        for (size_t j = 0; j < i; j++)
            assert_int_equal(blocks[i][j], 0);
        memset(blocks[i], (int)(i % 255) + 1, i);
    }
    for (size_t i = 0; i < 400; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_equal(blocks[i][j], i % 255 + 1);
    arena_finish(&arena);
}

static void memory_is_zeroed_again_after_a_clear(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, BOUND);
    memset(arena_take(&arena, 1000), 0xff, 1000);
    memset(arena_take(&arena, 100000), 0xff, 100000);
    arena_clear(&arena);
    size_t kept = arena.bytes_taken;
    assert_true(kept < 100000);
    unsigned char *again = arena_take(&arena, 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(again[i], 0);
    assert_int_equal(arena.bytes_taken, kept);
    arena_finish(&arena);
    assert_int_equal(arena.bytes_taken, 0);
}

static void the_bound_refuses_and_is_remembered(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, BOUND);
    assert_null(arena_take(&arena, BOUND + 1));
    assert_true(arena_failed(&arena));
    assert_non_null(arena_take(&arena, 8)); /* what fits is still given */
    assert_true(arena_failed(&arena));
    arena_clear(&arena);
    assert_false(arena_failed(&arena));

    size_t taken = 0;
    while (arena_take(&arena, 1000) != NULL)
        taken += 1000;
    assert_true(arena_failed(&arena));
    assert_true(taken <= BOUND && taken > BOUND / 2);
    assert_true(arena.bytes_taken <= BOUND);
    arena_finish(&arena);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_take(&arena, SIZE_MAX));
    arena_clear(&arena);
    assert_null(arena_take_many(&arena, SIZE_MAX / 8, 16));
    assert_true(arena_failed(&arena));
    arena_finish(&arena);
}

static void copies_are_ended_by_a_nul_that_does_not_count(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, BOUND);
    char text[] = "text";
    struct slice copy = arena_copy(&arena, slice_make(text, 4));
    text[0] = 'n';
    assert_true(slice_equal_text(copy, "text"));
    assert_int_equal(copy.data[4], '\0');
    struct slice empty = arena_copy(&arena, SLICE_OF(""));
    assert_true(slice_is_present(empty));
    assert_int_equal(empty.size, 0);
    assert_false(slice_is_present(arena_copy(&arena, (struct slice){ NULL, 0 })));
    assert_false(arena_failed(&arena));
    assert_false(slice_is_present(arena_copy(&arena, slice_make(text, SIZE_MAX))));
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zeroed_aligned_and_apart),
        cmocka_unit_test(memory_is_zeroed_again_after_a_clear),
        cmocka_unit_test(the_bound_refuses_and_is_remembered),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(copies_are_ended_by_a_nul_that_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
