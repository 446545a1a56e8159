/*
 * Goal: a task pushed to an agent is a task like any other, but nobody else's.
 */
#include "core/scene.h"

#include "cmocka_all.h"

#include <string.h>

static const struct scene_agent ADA = { "ada", 11 };
static const struct scene_agent ADA_AGAIN = { "ada", 13 };
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

/* The task's number, 0 when it was refused. */
static uint64_t push(struct fleet *fleet, const char *agent)
{
    uint64_t number = 0;
    struct message message = { .type = MESSAGE_POST_ADMIN_PUSH_TASK };
    message.as.post_admin_push_task.agent_id = slice_from_text(agent);
    message.as.post_admin_push_task.description = SLICE_OF("for you");
    message.as.post_admin_push_task.metadata = SLICE_OF("{\"a\": 1}");
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
    const struct message *answer = &fleet_answer(fleet)->message;
    if (answer->type != MESSAGE_POST_ADMIN_PUSH_TASK_ANSWER)
        return 0;
    const struct message_post_admin_push_task_answer *pushed =
        &answer->as.post_admin_push_task_answer;
    assert_true(slice_equal_text(pushed->status, "pushed"));
    assert_true(slice_equal_text(pushed->agent_id, agent));
    assert_true(task_id_parse(pushed->task_id, &number));
    return number;
}

static const struct message_task *show(struct fleet *fleet, uint64_t task)
{
    struct step step = fleet_step(fleet);
    char id[TASK_ID_BYTES];
    memcpy(id, task_id(&step, task).data, sizeof id);
    struct message message = { .type = MESSAGE_GET_TASK };
    message.as.get_task.task_id = slice_make(id, sizeof id);
    fleet_as_client(fleet, "viewer", ROLE_VIEWER);
    fleet_do(fleet, &message);
    return &fleet_answer(fleet)->message.as.get_task_answer;
}

static void it_goes_to_its_agent_and_is_completed(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, BOB, 4);
    scene_identify(fleet, ADA, 1);
    uint64_t task = push(fleet, "ada");
    assert_int_equal(scene_assigned(fleet, ADA.link), task);
    assert_int_equal(scene_assigned(fleet, BOB.link), 0);
    assert_true(slice_equal_text(show(fleet, task)->pinned_to, "ada"));
    scene_complete(fleet, ADA, task, 1);
    assert_string_equal(scene_ack(fleet, ADA.link), "complete");
    assert_int_equal(scene_task(fleet, task).state, TASK_COMPLETED);
    assert_true(slice_equal_text(show(fleet, task)->pinned_to, "ada"));
}

static void an_agent_that_is_not_there_is_refused(void **state)
{
    struct fleet *fleet = *state;
    assert_int_equal(push(fleet, "ada"), 0);
    assert_string_equal(scene_http_error(fleet), "agent_not_connected");
    scene_identify(fleet, ADA, 1);
    scene_link_closed(fleet, ADA.link);
    assert_int_equal(push(fleet, "ada"), 0);
    assert_string_equal(scene_http_error(fleet), "agent_not_connected");
}

static void it_waits_for_its_agent_however_idle_the_others_are(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    uint64_t first = push(fleet, "ada");
    uint64_t second = push(fleet, "ada");
    scene_identify(fleet, BOB, 4);
    assert_int_equal(scene_task(fleet, second).state, TASK_QUEUED);
    const struct message_pending *pending = show(fleet, second)->pending;
    assert_true(slice_equal_text(pending->reason, "for ada alone: busy"));
    assert_int_equal(pending->agents.count, 1);

    scene_link_closed(fleet, ADA.link);
    scene_wait(fleet, fleet->settings.reconnect_grace_ms);
    assert_int_equal(scene_task(fleet, first).state, TASK_QUEUED);
    assert_string_equal(scene_history(fleet, first), "reclaimed assigned queued");
    pending = show(fleet, second)->pending;
    assert_true(slice_equal_text(pending->reason, "for ada alone: not connected"));
    assert_int_equal(pending->agents.count, 0);
    scene_ping(fleet, BOB);
    scene_wait(fleet, 100000);
    assert_int_equal(scene_agent_row(fleet, BOB).held, 0);

    scene_hub_started(fleet);
    scene_identify(fleet, ADA_AGAIN, 2);
    assert_int_equal(scene_task(fleet, first).state, TASK_ASSIGNED);
    assert_int_equal(scene_task(fleet, second).state, TASK_ASSIGNED);
    assert_int_equal(scene_agent_row(fleet, ADA_AGAIN).held, 2);
}

static void it_stands_in_line_with_the_others_by_lane_and_age(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    uint64_t busy = scene_submit_plain(fleet);
    uint64_t older = scene_submit_plain(fleet);
    uint64_t pushed = push(fleet, "ada");
    uint64_t younger = scene_submit_plain(fleet);
    uint64_t urgent =
        scene_submit(fleet, (struct message_post_task){ .priority = SLICE_OF("urgent") });
    const uint64_t order[] = { busy, urgent, older, pushed, younger };
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        assert_int_equal(scene_task(fleet, order[i]).state, TASK_ASSIGNED);
        scene_complete(fleet, ADA, order[i], 1);
    }
}

static void a_lane_passed_over_has_its_turn_with_pushed_tasks_too(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.lane_passes_max = 2;
    scene_identify(fleet, ADA, 1);
    uint64_t task = scene_submit_plain(fleet);
    uint64_t pushed = push(fleet, "ada");
    for (int i = 0; i < 3; i++) {
        scene_submit(fleet, (struct message_post_task){ .priority = SLICE_OF("urgent") });
    }
    uint32_t before = 0;
    while (scene_task(fleet, pushed).state == TASK_QUEUED && before < 5) {
        scene_complete(fleet, ADA, task, 1);
        task = scene_assigned(fleet, ADA.link);
        before++;
    }
    assert_int_equal(before, 3);
}

static void it_may_be_cancelled_and_retried_and_stays_its_agents(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    scene_identify(fleet, BOB, 4);
    uint64_t held = push(fleet, "ada");
    uint64_t gone = push(fleet, "ada");
    scene_cancel(fleet, gone);
    assert_int_equal(scene_task(fleet, gone).state, TASK_CANCELLED);
    for (int attempt = 0; attempt < 3; attempt++) {
        int64_t generation = (int64_t)scene_task(fleet, held).generation;
        scene_failed(fleet, ADA, held, generation);
    }
    assert_int_equal(scene_task(fleet, held).state, TASK_DEAD_LETTER);
    scene_retry(fleet, held);
    assert_int_equal(scene_assigned(fleet, ADA.link), held);
    assert_int_equal(scene_assigned(fleet, BOB.link), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(it_goes_to_its_agent_and_is_completed),
        TEST(an_agent_that_is_not_there_is_refused),
        TEST(it_waits_for_its_agent_however_idle_the_others_are),
        TEST(it_stands_in_line_with_the_others_by_lane_and_age),
        TEST(a_lane_passed_over_has_its_turn_with_pushed_tasks_too),
        TEST(it_may_be_cancelled_and_retried_and_stays_its_agents),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
