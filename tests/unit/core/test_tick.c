/*
 * Goal: a tick does a bounded amount of what is due, says when something is left, and
 * does not trust a deadline that its subject does not know of.
 * Method: many deadlines at one instant; then rows put there by hand.
 */
#include "core/deadline.h"
#include "core/scene.h"

#include "cmocka_all.h"

enum {
    PER_TICK = 256,
    SLOTS = 1024,
};

static const struct message TICK = { .type = MESSAGE_TICK };

static int begin(void **state)
{
    static struct fleet fleet;
    fleet_init(&fleet);
    *state = &fleet;
    return 0;
}

static int end(void **state)
{
    struct fleet *fleet = *state;
    fleet_finish(fleet);
    return 0;
}

static uint64_t scheduled_count(struct fleet *fleet)
{
    uint64_t count = 0;
    struct transaction *transaction = memory_transaction(fleet->store);
    struct number_key start;
    struct slice key;
    struct slice value;
    uint64_t next = 0;
    while (transaction_first_from(transaction, TABLE_TASK_STATE,
                                  key_two(&start, TASK_SCHEDULED, next), &key,
                                  &value) == ERR_OK &&
           get_u64((const uint8_t *)key.data) == TASK_SCHEDULED) {
        next = get_u64((const uint8_t *)key.data + 8) + 1;
        count++;
    }
    return count;
}

static void a_tick_stops_at_its_bound_and_says_so(void **state)
{
    struct fleet *fleet = *state;
    for (int i = 0; i < PER_TICK + 40; i++)
        scene_submit(fleet, (struct message_post_task){
                                .has_not_before = true,
                                .not_before = fleet->command.wall_ms + 1000 });
    fleet_pass(fleet, 1000);
    fleet_as_hub(fleet);
    fleet_do(fleet, &TICK);
    assert_true(fleet->effects.more_due);
    assert_int_equal(scheduled_count(fleet), 40);
    fleet_do(fleet, &TICK);
    assert_false(fleet->effects.more_due);
    assert_int_equal(scheduled_count(fleet), 0);
    fleet_verify(fleet);
}

static void a_tick_with_nothing_due_writes_nothing(void **state)
{
    struct fleet *fleet = *state;
    scene_submit(
        fleet, (struct message_post_task){ .has_not_before = true,
                                           .not_before = fleet->command.wall_ms + 1000 });
    struct memory_store *before = memory_store_copy(fleet->store);
    fleet_as_hub(fleet);
    fleet_do(fleet, &TICK);
    assert_int_equal(fleet->effects.count, 0);
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
}

static void the_next_tick_is_due_on_whichever_clock_is_first(void **state)
{
    struct fleet *fleet = *state;
    assert_int_equal(fleet_next_due_ms(fleet), INT64_MAX);
    scene_submit(fleet, (struct message_post_task){ .has_not_before = true,
                                                    .not_before = fleet->command.wall_ms +
                                                                  100000 });
    assert_int_equal(fleet_next_due_ms(fleet), 100000);
    scene_identify(fleet, (struct scene_agent){ "ada", 11 }, 1);
    scene_submit_plain(fleet);
    assert_int_equal(fleet_next_due_ms(fleet), fleet->settings.acceptance_ms);
    fleet_pass(fleet, fleet->settings.acceptance_ms + 5);
    assert_int_equal(fleet_next_due_ms(fleet), 0);
}

static void a_far_deadline_does_not_overflow(void **state)
{
    struct fleet *fleet = *state;
    fleet->command.now_ms = -1000;
    struct step step = fleet_step(fleet);
    deadline_add_number(&step, CLOCK_FLEET, INT64_MAX, DEADLINE_MATCH, 1);
    assert_int_equal(fleet_next_due_ms(fleet), INT64_MAX);
}

static void a_deadline_its_subject_does_not_know_is_corrupt(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, (struct scene_agent){ "ada", 11 }, 1);
    uint64_t task = scene_submit_plain(fleet);
    static const enum deadline_kind kinds[] = {
        DEADLINE_TASK, DEADLINE_TASK_WALL,     DEADLINE_GRACE,
        DEADLINE_FEED, (enum deadline_kind)99, DEADLINE_RETENTION
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        uint64_t subject = kinds[i] == DEADLINE_GRACE ? 1 : task;
        struct memory_store *before = memory_store_copy(fleet->store);
        struct step step = fleet_step(fleet);
        deadline_add_number(&step, CLOCK_FLEET, fleet->command.now_ms, kinds[i], subject);
        memory_commit(fleet->store);
        fleet_as_hub(fleet);
        assert_int_equal(fleet_try(fleet, &TICK), ERR_CORRUPT);
        memory_store_destroy(fleet->store);
        fleet->store = before;
    }
}

static void what_is_to_go_on_with_a_task_that_is_gone_is_over(void **state)
{
    struct fleet *fleet = *state;
    static const enum deadline_kind kinds[] = { DEADLINE_WAITERS, DEADLINE_RESEND,
                                                DEADLINE_MATCH_TASK };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct step step = fleet_step(fleet);
        deadline_add_number(&step, CLOCK_FLEET, fleet->command.now_ms, kinds[i], 4711);
        memory_commit(fleet->store);
        fleet_settle(fleet);
    }
}

static void a_match_for_an_agent_without_room_does_nothing(void **state)
{
    struct fleet *fleet = *state;
    struct scene_agent ada = { "ada", 11 };
    scene_identify(fleet, ada, 1);
    scene_submit_plain(fleet);
    scene_submit_plain(fleet);
    struct memory_store *before = memory_store_copy(fleet->store);
    struct step step = fleet_step(fleet);
    deadline_add_number(&step, CLOCK_FLEET, fleet->command.now_ms, DEADLINE_MATCH,
                        scene_agent_row(fleet, ada).number);
    deadline_add_number(&step, CLOCK_FLEET, fleet->command.now_ms, DEADLINE_MATCH, 77);
    fleet_settle(fleet);
    assert_int_equal(memory_store_difference(before, fleet->store), TABLE_PLACE);
    assert_int_equal(memory_rows(fleet->store, TABLE_READY), 1);
    memory_store_destroy(before);
}

static void a_tick_stops_at_its_changes_too(void **state)
{
    struct fleet *fleet = *state;
    struct scene_agent ada = { "ada", 11 };
    scene_identify(fleet, ada, SLOTS);
    for (int i = 0; i < SLOTS; i++)
        scene_submit_plain(fleet);
    scene_link_closed(fleet, ada.link);
    fleet_pass(fleet, fleet->settings.reconnect_grace_ms);
    fleet_as_hub(fleet);
    fleet_do(fleet, &TICK);
    assert_true(fleet->effects.more_due);
    uint64_t held = memory_rows(fleet->store, TABLE_HOLDING);
    assert_in_range(held, SLOTS / 4, SLOTS - 1);
    fleet_verify(fleet);
    fleet_settle(fleet);
    assert_int_equal(memory_rows(fleet->store, TABLE_HOLDING), 0);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        STORY(a_tick_stops_at_its_bound_and_says_so),
        STORY(a_tick_stops_at_its_changes_too),
        STORY(a_tick_with_nothing_due_writes_nothing),
        STORY(the_next_tick_is_due_on_whichever_clock_is_first),
        STORY(a_far_deadline_does_not_overflow),
        STORY(a_deadline_its_subject_does_not_know_is_corrupt),
        STORY(what_is_to_go_on_with_a_task_that_is_gone_is_over),
        STORY(a_match_for_an_agent_without_room_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
