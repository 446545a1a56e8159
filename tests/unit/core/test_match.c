/*
 * Goal: every ready task meets an agent that can do it, in the order of lanes and age.
 * Method: stories; verification itself looks for a task and an agent that have not met.
 */
#include "core/scene.h"

#include "cmocka_all.h"

#include <string.h>

static const struct scene_agent ADA = { "ada", 11 };
static const struct scene_agent BOB = { "bob", 12 };

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
    fleet_settle(fleet);
    fleet_verify(fleet);
    fleet_finish(fleet);
    return 0;
}

static uint64_t submit_lane(struct fleet *fleet, const char *lane)
{
    return scene_submit(fleet,
                        (struct message_post_task){ .priority = slice_from_text(lane) });
}

static uint64_t submit_needs(struct fleet *fleet, const char *const *needs)
{
    struct slice items[8];
    struct message_post_task task = { .needed_capabilities.items = items };
    while (needs[task.needed_capabilities.count] != NULL) {
        items[task.needed_capabilities.count] =
            slice_from_text(needs[task.needed_capabilities.count]);
        task.needed_capabilities.count++;
    }
    return scene_submit(fleet, task);
}

/* Ada does one task after the other; what she got must be this. */
static void assert_order(struct fleet *fleet, const uint64_t *tasks, size_t count)
{
    scene_identify(fleet, ADA, 1);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(scene_assigned(fleet, ADA.link), tasks[i]);
        scene_complete(fleet, ADA, tasks[i],
                       (int64_t)scene_task(fleet, tasks[i]).generation);
    }
}

static void a_lane_passed_over_often_enough_has_a_turn(void **state)
{
    struct fleet *fleet = *state;
    uint64_t urgent[8];
    uint64_t normal[2];
    uint64_t low[2];
    fleet->settings.lane_passes_max = 3;
    for (int i = 0; i < 2; i++) {
        low[i] = submit_lane(fleet, "low");
        normal[i] = submit_lane(fleet, "normal");
    }
    for (int i = 0; i < 8; i++)
        urgent[i] = submit_lane(fleet, "urgent");
    const uint64_t order[] = { urgent[0], urgent[1], urgent[2], normal[0],
                               low[0],    urgent[3], urgent[4], normal[1],
                               low[1],    urgent[5], urgent[6], urgent[7] };
    assert_order(fleet, order, sizeof order / sizeof order[0]);
}

static void a_turn_that_nobody_can_take_holds_nothing_up(void **state)
{
    struct fleet *fleet = *state;
    uint64_t order[6];
    fleet->settings.lane_passes_max = 1;
    scene_submit(fleet, (struct message_post_task){
                            .priority = SLICE_OF("low"),
                            .needed_capabilities = { &SLICE_OF("welding"), 1 } });
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        order[i] = submit_lane(fleet, "high");
    assert_order(fleet, order, sizeof order / sizeof order[0]);
}

static void large_tasks_are_handed_out_with_pauses_to_read_them(void **state)
{
    enum { TASKS = 8, BYTES = 100 * 1024 };
    static char large[BYTES];
    struct fleet *fleet = *state;
    memset(large, ' ', sizeof large);
    large[0] = '{';
    large[BYTES - 1] = '}';
    for (int i = 0; i < TASKS; i++)
        scene_submit(fleet,
                     (struct message_post_task){ .metadata = { large, sizeof large } });
    scene_identify(fleet, ADA, TASKS);
    uint64_t held = memory_rows(fleet->store, TABLE_HOLDING);
    assert_in_range(held, 1, TASKS / 2);
    fleet_settle(fleet);
    assert_int_equal(memory_rows(fleet->store, TABLE_HOLDING), held);
    assert_in_range(fleet_next_due_ms(fleet), 1, 1000);
    for (int i = 0; i < TASKS && memory_rows(fleet->store, TABLE_HOLDING) < TASKS; i++)
        scene_wait(fleet, fleet_next_due_ms(fleet));
    assert_int_equal(memory_rows(fleet->store, TABLE_HOLDING), TASKS);
}

static void lanes_go_first_and_age_within_them(void **state)
{
    struct fleet *fleet = *state;
    static const char *const lanes[] = { "low",    "normal", "urgent", "high",
                                         "urgent", "low",    "normal", "high" };
    static const size_t order[] = { 2, 4, 3, 7, 1, 6, 0, 5 };
    uint64_t submitted[8];
    uint64_t expected[8];
    for (size_t i = 0; i < 8; i++)
        submitted[i] = submit_lane(fleet, lanes[i]);
    for (size_t i = 0; i < 8; i++)
        expected[i] = submitted[order[i]];
    assert_order(fleet, expected, 8);
}

static void order_holds_across_different_needs(void **state)
{
    struct fleet *fleet = *state;
    const char *git[] = { "git", NULL };
    const char *rust[] = { "rust", NULL };
    const char *nothing[] = { NULL };
    const char *both[] = { "rust", "git", NULL };
    uint64_t tasks[5];
    tasks[1] = submit_needs(fleet, rust);
    tasks[2] = submit_needs(fleet, nothing);
    tasks[3] = submit_needs(fleet, git);
    tasks[4] = submit_needs(fleet, both);
    tasks[0] = submit_lane(fleet, "urgent");
    fleet_identify(fleet, "ada", ADA.link, both, 1);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(scene_assigned(fleet, ADA.link), tasks[i]);
        scene_complete(fleet, ADA, tasks[i], 1);
    }
}

static void a_requeued_task_keeps_its_place(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    uint64_t first = scene_submit_plain(fleet);
    uint64_t second = scene_submit_plain(fleet);
    scene_failed(fleet, ADA, first, 1);
    assert_int_equal(scene_assigned(fleet, ADA.link), first);
    scene_complete(fleet, ADA, first, 3);
    assert_int_equal(scene_assigned(fleet, ADA.link), second);
}

static void needs_are_matched_exactly(void **state)
{
    struct fleet *fleet = *state;
    const char *have[] = { "git", "rust", "x86", NULL };
    const char *upper[] = { "Git", NULL };
    const char *prefix[] = { "gi", NULL };
    const char *more[] = { "git", "rust", "x86", "gpu", NULL };
    const char *twice[] = { "x86", "git", "git", NULL };
    fleet_identify(fleet, "ada", ADA.link, have, 8);
    assert_int_equal(scene_task(fleet, submit_needs(fleet, upper)).state, TASK_QUEUED);
    assert_int_equal(scene_task(fleet, submit_needs(fleet, prefix)).state, TASK_QUEUED);
    assert_int_equal(scene_task(fleet, submit_needs(fleet, more)).state, TASK_QUEUED);
    assert_int_equal(scene_task(fleet, submit_needs(fleet, twice)).state, TASK_ASSIGNED);
}

static void a_task_nobody_can_do_blocks_nobody(void **state)
{
    struct fleet *fleet = *state;
    const char *gpu[] = { "gpu", NULL };
    uint64_t stuck = submit_needs(fleet, gpu);
    scene_identify(fleet, ADA, 1);
    uint64_t task = scene_submit_plain(fleet);
    assert_int_equal(scene_task(fleet, task).state, TASK_ASSIGNED);
    assert_int_equal(scene_task(fleet, stuck).state, TASK_QUEUED);
    fleet_identify(fleet, "bob", BOB.link, gpu, 1);
    assert_int_equal(scene_assigned(fleet, BOB.link), stuck);
}

static void an_agent_takes_as_many_as_it_said(void **state)
{
    struct fleet *fleet = *state;
    uint64_t tasks[4];
    for (int i = 0; i < 4; i++)
        tasks[i] = scene_submit_plain(fleet);
    scene_identify(fleet, ADA, 3);
    assert_int_equal(scene_agent_row(fleet, ADA).held, 3);
    assert_int_equal(scene_task(fleet, tasks[3]).state, TASK_QUEUED);
    scene_complete(fleet, ADA, tasks[1], 1);
    assert_int_equal(scene_assigned(fleet, ADA.link), tasks[3]);
}

static void an_agent_without_slots_gets_nothing(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 0);
    uint64_t task = scene_submit_plain(fleet);
    assert_int_equal(scene_task(fleet, task).state, TASK_QUEUED);
}

static void the_agent_that_waited_longest_is_next(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 2);
    scene_identify(fleet, BOB, 2);
    static const bool to_bob[] = { false, true, false, true };
    for (int i = 0; i < 4; i++) {
        uint64_t task = scene_submit_plain(fleet);
        const struct scene_agent who = to_bob[i] ? BOB : ADA;
        assert_int_equal(scene_assigned(fleet, who.link), task);
    }
}

static void a_task_goes_out_with_all_that_was_given(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    scene_submit(fleet, (struct message_post_task){
                            .description = SLICE_OF("paint"),
                            .priority = SLICE_OF("high"),
                            .metadata = SLICE_OF("{ \"colour\":\t\"red\" }"),
                        });
    const struct message *message = fleet_sent(fleet, ADA.link, MESSAGE_TASK_ASSIGN);
    assert_non_null(message);
    const struct message_task_assign *assign = &message->as.task_assign;
    assert_true(slice_equal_text(assign->description, "paint"));
    assert_true(slice_equal_text(assign->metadata, "{ \"colour\":\t\"red\" }"));
    assert_int_equal(assign->generation, 1);
    assert_int_equal(assign->priority, LANE_HIGH);
    assert_int_equal(assign->assigned_at, fleet->command.wall_ms);
    assert_true(slice_equal_text(assign->submitted_by, "submitter"));
}

static void one_command_hands_out_a_bounded_number(void **state)
{
    enum { MANY = 500, AT_ONCE = 64 };
    struct fleet *fleet = *state;
    for (int i = 0; i < MANY; i++)
        scene_submit_plain(fleet);
    scene_identify(fleet, ADA, MANY);
    assert_int_equal(scene_agent_row(fleet, ADA).held, AT_ONCE);
    fleet_verify(fleet);
    assert_int_equal(fleet_next_due_ms(fleet), 0);

    const struct message tick = { .type = MESSAGE_TICK };
    fleet_as_hub(fleet);
    fleet_do(fleet, &tick);
    assert_true(fleet->effects.more_due);
    assert_int_equal(scene_agent_row(fleet, ADA).held, 2 * AT_ONCE);
    fleet_settle(fleet);
    assert_int_equal(scene_agent_row(fleet, ADA).held, MANY);
    assert_false(fleet->effects.more_due);
}

static void a_full_fleet_refuses_work(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.tasks_open_max = 2;
    scene_submit_plain(fleet);
    scene_submit_plain(fleet);
    struct memory_store *before = memory_store_copy(fleet->store);
    struct message message = { .type = MESSAGE_POST_TASK };
    message.as.post_task.description = SLICE_OF("one too many");
    fleet_do(fleet, &message);
    assert_string_equal(scene_http_error(fleet), "queue_full");
    assert_int_equal(fleet_answer(fleet)->status, 503);
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
}

static void too_many_sets_are_refused_and_come_free_again(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.capability_sets_max = 1;
    const char *git[] = { "git", NULL };
    uint64_t first = submit_needs(fleet, git);
    struct memory_store *before = memory_store_copy(fleet->store);
    struct message message = { .type = MESSAGE_POST_TASK };
    message.as.post_task.description = SLICE_OF("needs another set");
    fleet_do(fleet, &message);
    assert_string_equal(scene_http_error(fleet), "unavailable");
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);

    scene_cancel(fleet, first);
    assert_int_equal(memory_rows(fleet->store, TABLE_SET), 0);
    scene_submit_plain(fleet);
    assert_int_equal(memory_rows(fleet->store, TABLE_SET), 1);
}

static void what_tasks_need_shuts_no_agent_out(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.capability_sets_max = 4;
    static const char *const NEEDS[] = { "git", "rust", "iron" };
    for (size_t i = 0; i < sizeof NEEDS / sizeof NEEDS[0]; i++)
        submit_needs(fleet, (const char *[]){ NEEDS[i], NULL });
    struct message message = { .type = MESSAGE_POST_TASK };
    message.as.post_task.description = SLICE_OF("needs nothing: a set as well");
    fleet_as_client(fleet, "submitter", ROLE_SUBMITTER);
    fleet_do(fleet, &message);
    assert_string_equal(scene_http_error(fleet), "unavailable");

    fleet_identify(fleet, BOB.name, BOB.link, (const char *[]){ "wood", NULL }, 1);
    assert_non_null(fleet_sent(fleet, BOB.link, MESSAGE_IDENTIFIED));
}

static void names_too_long_together_are_refused_at_both_doors(void **state)
{
    enum { ITEMS = 20, BYTES = 100 };
    struct fleet *fleet = *state;
    static char bytes[ITEMS][BYTES];
    struct slice items[ITEMS];
    for (size_t i = 0; i < ITEMS; i++) {
        memset(bytes[i], 'a' + (int)i, BYTES);
        items[i] = slice_make(bytes[i], BYTES);
    }
    struct memory_store *before = memory_store_copy(fleet->store);
    struct message message = { .type = MESSAGE_POST_TASK };
    message.as.post_task.description = SLICE_OF("x");
    message.as.post_task.needed_capabilities = (struct slice_list){ items, ITEMS };
    fleet_as_client(fleet, "submitter", ROLE_SUBMITTER);
    fleet_do(fleet, &message);
    assert_string_equal(scene_http_error(fleet), "validation_failed");

    message = (struct message){ .type = MESSAGE_IDENTIFY };
    message.as.identify.agent_id = SLICE_OF("ada");
    message.as.identify.capabilities = (struct slice_list){ items, ITEMS };
    fleet_as_agent(fleet, ADA.name, ADA.link);
    fleet_do(fleet, &message);
    assert_string_equal(scene_error(fleet, ADA.link), "validation_failed");
    assert_true(memory_store_equal(before, fleet->store));
    memory_store_destroy(before);
}

static void more_attempts_than_allowed_are_refused(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.attempts_max = 5;
    struct message message = { .type = MESSAGE_POST_TASK };
    message.as.post_task = (struct message_post_task){ .description = SLICE_OF("x"),
                                                       .has_max_retries = true,
                                                       .max_retries = 6 };
    fleet_as_client(fleet, "submitter", ROLE_SUBMITTER);
    fleet_do(fleet, &message);
    assert_string_equal(scene_http_error(fleet), "validation_failed");
    assert_int_equal(fleet_answer(fleet)->status, 422);
    const struct message_list *errors =
        &fleet_answer(fleet)->message.as.http_error.errors;
    assert_int_equal(errors->count, 1);
    const struct message_refusal_item *item = errors->items;
    assert_true(slice_equal_text(item->field, "max_retries"));
}

static void a_socket_submits_and_is_answered_there(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 0);
    struct message message = { .type = MESSAGE_TASK_SUBMIT };
    message.as.task_submit.description = SLICE_OF("sweep");
    message.as.task_submit.request_id = SLICE_OF("r1");
    fleet_as_agent(fleet, ADA.name, ADA.link);
    fleet_do(fleet, &message);
    const struct message *answer = fleet_sent(fleet, ADA.link, MESSAGE_TASK_SUBMITTED);
    assert_non_null(answer);
    assert_true(slice_equal_text(answer->as.task_submitted.request_id, "r1"));
    assert_true(slice_equal_text(answer->as.task_submitted.status, "queued"));

    fleet->settings.tasks_open_max = 1;
    fleet_do(fleet, &message);
    assert_string_equal(scene_error(fleet, ADA.link), "queue_full");
    const struct message *error = fleet_sent(fleet, ADA.link, MESSAGE_ERROR);
    assert_true(slice_equal_text(error->as.error.request_id, "r1"));
}

static void numbers_rise_when_the_wall_clock_falls(void **state)
{
    struct fleet *fleet = *state;
    uint64_t first = scene_submit_plain(fleet);
    fleet->command.wall_ms -= (int64_t)1000 * 60 * 60;
    uint64_t second = scene_submit_plain(fleet);
    assert_true(second > first);
    fleet->command.wall_ms += (int64_t)2000 * 60 * 60;
    assert_true(scene_submit_plain(fleet) > second);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        STORY(lanes_go_first_and_age_within_them),
        STORY(large_tasks_are_handed_out_with_pauses_to_read_them),
        STORY(a_lane_passed_over_often_enough_has_a_turn),
        STORY(a_turn_that_nobody_can_take_holds_nothing_up),
        STORY(order_holds_across_different_needs),
        STORY(a_requeued_task_keeps_its_place),
        STORY(needs_are_matched_exactly),
        STORY(a_task_nobody_can_do_blocks_nobody),
        STORY(an_agent_takes_as_many_as_it_said),
        STORY(an_agent_without_slots_gets_nothing),
        STORY(the_agent_that_waited_longest_is_next),
        STORY(a_task_goes_out_with_all_that_was_given),
        STORY(one_command_hands_out_a_bounded_number),
        STORY(a_full_fleet_refuses_work),
        STORY(too_many_sets_are_refused_and_come_free_again),
        STORY(what_tasks_need_shuts_no_agent_out),
        STORY(names_too_long_together_are_refused_at_both_doors),
        STORY(more_attempts_than_allowed_are_refused),
        STORY(a_socket_submits_and_is_answered_there),
        STORY(numbers_rise_when_the_wall_clock_falls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
