/*
 * Goal: the table of moves allows these moves and no other.
 * Method: every pair of states against a list written out here.
 */
#include "core/state.h"

#include "cmocka_all.h"

static const struct {
    enum task_state from;
    enum task_state to;
} MOVES[] = {
    { TASK_QUEUED, TASK_ASSIGNED },      { TASK_QUEUED, TASK_CANCELLED },
    { TASK_ASSIGNED, TASK_WORKING },     { TASK_ASSIGNED, TASK_COMPLETED },
    { TASK_ASSIGNED, TASK_QUEUED },      { TASK_ASSIGNED, TASK_SCHEDULED },
    { TASK_ASSIGNED, TASK_DEAD_LETTER }, { TASK_ASSIGNED, TASK_CANCELLED },
    { TASK_WORKING, TASK_COMPLETED },    { TASK_WORKING, TASK_QUEUED },
    { TASK_WORKING, TASK_SCHEDULED },    { TASK_WORKING, TASK_DEAD_LETTER },
    { TASK_WORKING, TASK_CANCELLED },    { TASK_SCHEDULED, TASK_QUEUED },
    { TASK_SCHEDULED, TASK_CANCELLED },  { TASK_BLOCKED, TASK_QUEUED },
    { TASK_BLOCKED, TASK_SCHEDULED },    { TASK_BLOCKED, TASK_CANCELLED },
    { TASK_DEAD_LETTER, TASK_QUEUED },
};

static bool listed(enum task_state from, enum task_state to)
{
    for (size_t i = 0; i < sizeof MOVES / sizeof MOVES[0]; i++) {
        if (MOVES[i].from == from && MOVES[i].to == to)
            return true;
    }
    return false;
}

static void a_task_moves_along_the_list_and_nowhere_else(void **state)
{
    (void)state;
    for (int from = 0; from < TASK_STATE_COUNT; from++) {
        for (int to = 0; to < TASK_STATE_COUNT; to++)
            assert_int_equal(
                task_state_may_move((enum task_state)from, (enum task_state)to),
                listed((enum task_state)from, (enum task_state)to));
    }
}

static void only_three_states_are_the_end(void **state)
{
    (void)state;
    for (int i = 0; i < TASK_STATE_COUNT; i++)
        assert_int_equal(task_state_is_end((enum task_state)i),
                         i == TASK_COMPLETED || i == TASK_CANCELLED ||
                             i == TASK_DEAD_LETTER);
}

static void every_state_is_found_by_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < TASK_STATE_COUNT; i++) {
        enum task_state found;
        assert_true(task_state_parse(task_state_name((enum task_state)i), &found));
        assert_int_equal(found, i);
    }
    enum task_state unused;
    assert_false(task_state_parse(SLICE_OF("queue"), &unused));
    assert_false(task_state_parse((struct slice){ NULL, 0 }, &unused));
}

static void work_in_hand_is_called_assigned_as_ever(void **state)
{
    (void)state;
    assert_true(slice_equal_text(task_status_word(TASK_WORKING), "assigned"));
    assert_true(slice_equal_text(task_state_name(TASK_WORKING), "working"));
}

static void every_lane_is_found_by_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < LANE_COUNT; i++) {
        enum lane found;
        assert_true(lane_parse(lane_name((enum lane)i), &found));
        assert_int_equal(found, i);
    }
    enum lane unused;
    assert_false(lane_parse(SLICE_OF("critical"), &unused));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_moves_along_the_list_and_nowhere_else),
        cmocka_unit_test(only_three_states_are_the_end),
        cmocka_unit_test(every_state_is_found_by_its_name),
        cmocka_unit_test(work_in_hand_is_called_assigned_as_ever),
        cmocka_unit_test(every_lane_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
