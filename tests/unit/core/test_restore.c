/*
 * Goal: what was said to a store that is given up means nothing to the one restored.
 * Method: a backup is a copy of the rows; the same one is gone back to again and again,
 * while the wall clock stands still.
 */
#include "core/restore.h"

#include "core/scene.h"
#include "core/task.h"

#include "cmocka_all.h"

static struct fleet fleet;
static struct memory_store *backup;

static int begin(void **state)
{
    (void)state;
    fleet_init(&fleet);
    fleet_identify(&fleet, "ada", 7, NULL, 1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    memory_store_destroy(backup);
    backup = NULL;
    fleet_finish(&fleet);
    return 0;
}

/* What the fleet has now is given up for the backup. */
static void restore(bool readable)
{
    struct memory_store *live = fleet.store;
    struct core_place place = { 0 };
    bool done = false;
    if (readable)
        assert_int_equal(core_place_read(memory_transaction(live), &place), ERR_OK);
    struct core_restore restore = {
        .backup = SLICE_OF("backup"),
        .epoch = core_restore_epoch(place.epoch, fleet.command.wall_ms),
        .wall_ms = fleet.command.wall_ms,
    };
    fleet.store = memory_store_copy(backup);
    struct transaction *rows = memory_transaction(fleet.store);
    while (!done)
        assert_int_equal(core_restore_step(&fleet.settings, rows, &restore, &done),
                         ERR_OK);
    for (done = !readable; !done;)
        assert_int_equal(core_restore_tokens(&fleet.settings, rows,
                                             memory_transaction(live), &restore, &done),
                         ERR_OK);
    memory_commit(fleet.store);
    memory_store_destroy(live);
    fleet_verify(&fleet);
}

static uint64_t generation_of(uint64_t number)
{
    struct task task;
    struct step step = fleet_step(&fleet);
    bool there = task_load(&step, number, &task);
    assert_true(there);
    return task.generation;
}

static uint64_t submit(void)
{
    uint64_t number;
    assert_true(task_id_parse(fleet_submit(&fleet, "work"), &number));
    return number;
}

static void a_second_restore_of_one_backup_raises_generations_past_the_first(void **state)
{
    (void)state;
    uint64_t number = submit();
    backup = memory_store_copy(fleet.store);
    uint64_t before = generation_of(number);
    for (int i = 0; i < 3; i++) {
        restore(true);
        assert_true(generation_of(number) > before);
        /* Handed out once more, and lost with the store. */
        fleet_identify(&fleet, "ada", 7, NULL, 1);
        before = generation_of(number);
    }
}

static void one_whose_store_could_not_be_read_is_passed_as_well(void **state)
{
    (void)state;
    uint64_t number = submit();
    backup = memory_store_copy(fleet.store);
    restore(true);
    memory_store_destroy(backup);
    backup = memory_store_copy(fleet.store);
    /* The clock goes back, so that it tells nothing. */
    fleet.command.wall_ms -= 86400000;
    for (int i = 0; i < 3; i++) {
        uint64_t before = generation_of(number);
        restore(i > 0);
        assert_true(generation_of(number) > before);
        fleet_identify(&fleet, "ada", 7, NULL, 1);
        assert_true(generation_of(number) > before);
    }
}

static void a_number_that_a_restore_took_away_is_not_given_out_again(void **state)
{
    (void)state;
    /* A clock that goes back later has let the numbers run ahead of it. */
    fleet.command.wall_ms += 86400000;
    submit();
    fleet.command.wall_ms -= 86400000;
    backup = memory_store_copy(fleet.store);
    uint64_t lost = submit();
    restore(true);
    assert_true(submit() > lost);
}

static void not_even_when_the_store_given_up_cannot_be_read(void **state)
{
    (void)state;
    fleet.command.wall_ms += 86400000;
    submit();
    fleet.command.wall_ms -= 86400000;
    backup = memory_store_copy(fleet.store);
    uint64_t lost = submit();
    restore(false);
    assert_true(submit() > lost);
}

static void a_task_cancelled_in_the_hands_of_its_agent_is_let_go(void **state)
{
    (void)state;
    uint64_t number = submit();
    scene_cancel(&fleet, number);
    assert_true(scene_task(&fleet, number).held);
    backup = memory_store_copy(fleet.store);
    restore(true);
    assert_false(scene_task(&fleet, number).held);
    assert_int_equal(scene_task(&fleet, number).state, TASK_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_second_restore_of_one_backup_raises_generations_past_the_first, begin, end),
        cmocka_unit_test_setup_teardown(
            one_whose_store_could_not_be_read_is_passed_as_well, begin, end),
        cmocka_unit_test_setup_teardown(
            a_number_that_a_restore_took_away_is_not_given_out_again, begin, end),
        cmocka_unit_test_setup_teardown(
            a_task_cancelled_in_the_hands_of_its_agent_is_let_go, begin, end),
        cmocka_unit_test_setup_teardown(not_even_when_the_store_given_up_cannot_be_read,
                                        begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
