/*
 * Goal: finished tasks go when they are too old or too many, with all their rows and in
 * bounded sweeps; nothing that goes on misses them.
 * Method: stories; the tables are verified after every wait.
 */
#include "core/scene.h"

#include "core/deadline.h"
#include "core/retention.h"
#include "core/stats.h"

#include "cmocka_all.h"

#include <string.h>

static const struct scene_agent ADA = { "ada", 11 };

static const int64_t HOUR_MS = (int64_t)60 * 60 * 1000;

static int begin(void **state)
{
    static struct fleet fleet;
    fleet_init(&fleet);
    scene_hub_started(&fleet);
    scene_identify(&fleet, ADA, 4);
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

static bool is_there(struct fleet *fleet, uint64_t number)
{
    struct task task;
    struct step step = fleet_step(fleet);
    return task_load(&step, number, &task);
}

static uint64_t completed(struct fleet *fleet)
{
    uint64_t task = scene_submit_plain(fleet);
    scene_complete(fleet, ADA, task, (int64_t)scene_task(fleet, task).generation);
    return task;
}

static uint64_t buried(struct fleet *fleet)
{
    uint64_t task = scene_submit(
        fleet, (struct message_post_task){ .has_max_retries = true, .max_retries = 1 });
    scene_failed(fleet, ADA, task, 1);
    return task;
}

static uint64_t cancelled(struct fleet *fleet)
{
    uint64_t task = scene_submit(fleet, (struct message_post_task){
                                            .has_not_before = true,
                                            .not_before = fleet->command.wall_ms + 10000,
                                        });
    scene_cancel(fleet, task);
    return task;
}

/* As scene_submit(), waiting for another one; 0 when it is refused. */
static uint64_t waiting_for(struct fleet *fleet, uint64_t task)
{
    struct message message = { .type = MESSAGE_POST_TASK };
    struct step step = fleet_step(fleet);
    struct slice id = task_id(&step, task);
    message.as.post_task.description = SLICE_OF("waits");
    message.as.post_task.depends_on = (struct slice_list){ &id, 1 };
    fleet_as_client(fleet, "ci", ROLE_SUBMITTER);
    fleet_do(fleet, &message);
    const struct effect *answer = fleet_answer(fleet);
    uint64_t number = 0;
    if (answer->message.type == MESSAGE_POST_TASK_ANSWER)
        task_id_parse(answer->message.as.post_task_answer.task_id, &number);
    return number;
}

static void wait_wall(struct fleet *fleet, int64_t ms)
{
    /* Sweeps follow each other by the clock. */
    fleet_pass(fleet, ms);
    for (int i = 0; i < 40; i++) {
        fleet_settle(fleet);
        fleet_pass(fleet, 1);
    }
    fleet_verify(fleet);
}

static uint64_t count_of(struct fleet *fleet, enum task_state state)
{
    struct stats stats;
    struct step step = fleet_step(fleet);
    stats_load(&step, &stats);
    return stats_of_state(&stats, state);
}

static void nothing_goes_unless_it_shall(void **state)
{
    struct fleet *fleet = *state;
    uint64_t task = completed(fleet);
    wait_wall(fleet, 1000 * HOUR_MS);
    assert_true(is_there(fleet, task));
}

static void each_end_state_has_its_own_term(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.completed_ttl_ms = HOUR_MS;
    fleet->settings.cancelled_ttl_ms = 2 * HOUR_MS;
    fleet->settings.dead_letter_ttl_ms = 3 * HOUR_MS;
    uint64_t one = completed(fleet);
    uint64_t two = cancelled(fleet);
    uint64_t three = buried(fleet);
    wait_wall(fleet, HOUR_MS - 1000);
    assert_true(is_there(fleet, one));
    wait_wall(fleet, 1000);
    assert_false(is_there(fleet, one));
    assert_true(is_there(fleet, two) && is_there(fleet, three));
    wait_wall(fleet, HOUR_MS);
    assert_false(is_there(fleet, two));
    assert_true(is_there(fleet, three));
    wait_wall(fleet, HOUR_MS);
    assert_false(is_there(fleet, three));
    assert_int_equal(memory_rows(fleet->store, TABLE_TASK), 0);
    assert_int_equal(memory_rows(fleet->store, TABLE_HISTORY), 0);
    assert_int_equal(memory_rows(fleet->store, TABLE_FINISHED), 0);
    assert_int_equal(memory_rows(fleet->store, TABLE_TASK_STATE), 0);
    assert_int_equal(memory_rows(fleet->store, TABLE_TASK_AGENT), 0);
    for (int i = 0; i < TASK_STATE_COUNT; i++)
        assert_int_equal(count_of(fleet, (enum task_state)i), 0);
}

static void what_is_gone_is_not_found(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.completed_ttl_ms = HOUR_MS;
    uint64_t task = completed(fleet);
    wait_wall(fleet, HOUR_MS);
    struct message message = { .type = MESSAGE_GET_TASK };
    struct step step = fleet_step(fleet);
    message.as.get_task.task_id = task_id(&step, task);
    fleet_as_client(fleet, "viewer", ROLE_VIEWER);
    fleet_do(fleet, &message);
    assert_string_equal(scene_http_error(fleet), "task_not_found");
    assert_int_equal(waiting_for(fleet, task), 0);
    assert_string_equal(scene_http_error(fleet), "unknown_dependency");
    /* A late repeat of its report finds nothing either. */
    scene_complete(fleet, ADA, task, 1);
    assert_string_equal(scene_error(fleet, ADA.link), "task_complete_failed: not_found");
}

static void of_too_many_the_oldest_go_and_dead_letters_last(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.finished_tasks_max = 4;
    uint64_t dead = buried(fleet);
    uint64_t tasks[6];
    for (int i = 0; i < 6; i++) {
        tasks[i] = i % 2 == 0 ? completed(fleet) : cancelled(fleet);
        fleet_pass(fleet, 5);
    }
    wait_wall(fleet, 10);
    assert_true(is_there(fleet, dead));
    for (int i = 0; i < 6; i++)
        assert_int_equal(is_there(fleet, tasks[i]), i >= 3);
    for (int i = 0; i < 6; i++) {
        buried(fleet);
        fleet_pass(fleet, 5);
    }
    wait_wall(fleet, 10);
    assert_false(is_there(fleet, dead));
    assert_int_equal(count_of(fleet, TASK_DEAD_LETTER), 4);
    assert_int_equal(count_of(fleet, TASK_COMPLETED), 0);
}

static void a_sweep_takes_a_bounded_number(void **state)
{
    struct fleet *fleet = *state;
    const struct message tick = { .type = MESSAGE_TICK };
    for (int i = 0; i < 200; i++)
        completed(fleet);
    fleet_settle(fleet);
    fleet->settings.completed_ttl_ms = HOUR_MS;
    fleet_pass(fleet, 2 * HOUR_MS);
    fleet_settle(fleet);
    scene_hub_started(fleet);
    uint64_t left = memory_rows(fleet->store, TABLE_TASK);
    int sweeps = 0;
    while (left > 0) {
        fleet_as_hub(fleet);
        fleet_do(fleet, &tick);
        fleet_verify(fleet);
        uint64_t now = memory_rows(fleet->store, TABLE_TASK);
        assert_true(left - now <= 64);
        assert_true(++sweeps < 100);
        left = now;
        fleet_pass(fleet, 1);
    }
    assert_true(sweeps >= 4);
}

static void a_dead_letter_that_is_waited_for_stays(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.dead_letter_ttl_ms = HOUR_MS;
    uint64_t dead = buried(fleet);
    uint64_t waits = waiting_for(fleet, dead);
    assert_int_not_equal(waits, 0);
    wait_wall(fleet, 10 * HOUR_MS);
    assert_true(is_there(fleet, dead));
    scene_cancel(fleet, waits);
    wait_wall(fleet, 10);
    assert_false(is_there(fleet, dead));
    assert_true(is_there(fleet, waits));
}

static void who_waited_for_one_that_is_gone_goes_on(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.completed_ttl_ms = HOUR_MS;
    uint64_t first = scene_submit_plain(fleet);
    uint64_t second = scene_submit(
        fleet,
        (struct message_post_task){ .has_not_before = true,
                                    .not_before = fleet->command.wall_ms + 9 * HOUR_MS });
    struct step step = fleet_step(fleet);
    struct slice ids[] = { task_id(&step, first), task_id(&step, second) };
    uint64_t third =
        scene_submit(fleet, (struct message_post_task){ .depends_on = { ids, 2 } });
    scene_complete(fleet, ADA, first, 1);
    wait_wall(fleet, 2 * HOUR_MS);
    assert_false(is_there(fleet, first));
    assert_int_equal(scene_task(fleet, third).blocked_on, 1);

    wait_wall(fleet, 7 * HOUR_MS);
    scene_complete(fleet, ADA, second, 1);
    assert_int_equal(scene_task(fleet, third).state, TASK_ASSIGNED);
    scene_failed(fleet, ADA, third, 1);
    scene_complete(fleet, ADA, third, (int64_t)scene_task(fleet, third).generation);
}

static void what_an_agent_still_holds_stays_until_it_lets_go(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.cancelled_ttl_ms = 1000;
    uint64_t task = scene_submit_plain(fleet);
    scene_accepted(fleet, ADA, task, 1);
    scene_cancel(fleet, task);
    wait_wall(fleet, 5000);
    assert_true(is_there(fleet, task));
    scene_stopped(fleet, ADA, task, 1);
    wait_wall(fleet, 10);
    assert_false(is_there(fleet, task));
}

static void a_dead_letter_tried_again_counts_from_its_new_end(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.dead_letter_ttl_ms = HOUR_MS;
    fleet->settings.completed_ttl_ms = HOUR_MS;
    uint64_t task = buried(fleet);
    wait_wall(fleet, HOUR_MS / 2);
    scene_retry(fleet, task);
    wait_wall(fleet, 10);
    assert_int_equal(scene_task(fleet, task).finished_ms, 0);
    scene_accepted(fleet, ADA, task, (int64_t)scene_task(fleet, task).generation);
    scene_complete(fleet, ADA, task, (int64_t)scene_task(fleet, task).generation);
    wait_wall(fleet, HOUR_MS - 1000);
    assert_true(is_there(fleet, task));
    wait_wall(fleet, 1000);
    assert_false(is_there(fleet, task));
}

static void a_key_is_remembered_longer_than_its_task(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.completed_ttl_ms = 1000;
    struct message message = { .type = MESSAGE_POST_TASK };
    message.as.post_task.description = SLICE_OF("once");
    message.as.post_task.idempotency_key = SLICE_OF("key");
    fleet_as_client(fleet, "ci", ROLE_SUBMITTER);
    fleet_do(fleet, &message);
    uint64_t task = scene_assigned(fleet, ADA.link);
    scene_complete(fleet, ADA, task, 1);
    wait_wall(fleet, HOUR_MS);
    assert_false(is_there(fleet, task));
    fleet_as_client(fleet, "ci", ROLE_SUBMITTER);
    fleet_do(fleet, &message);
    assert_true(fleet_answer(fleet)->replayed);
    wait_wall(fleet, fleet->settings.idempotency_ms);
    fleet_as_client(fleet, "ci", ROLE_SUBMITTER);
    fleet_do(fleet, &message);
    assert_false(fleet_answer(fleet)->replayed);
}

static void a_spoilt_index_is_found(void **state)
{
    struct fleet *fleet = *state;
    const char *text = NULL;
    struct number_key key;
    uint64_t number = completed(fleet);
    fleet_settle(fleet);
    struct step step = fleet_step(fleet);
    struct task task = scene_task(fleet, number);
    step_remove(&step, TABLE_FINISHED, retention_key(&task, &key));
    assert_int_equal(core_verify(memory_transaction(fleet->store), &text), ERR_CORRUPT);
    assert_string_equal(text, "finished tasks and their index disagree");
    task.finished_ms--;
    step_put_mark(&step, TABLE_FINISHED, retention_key(&task, &key));
    task.finished_ms++;
    step_put_mark(&step, TABLE_FINISHED, retention_key(&task, &key));
    assert_int_equal(core_verify(memory_transaction(fleet->store), &text), ERR_CORRUPT);
    assert_string_equal(text, "the index of finished tasks is stale");
    task.finished_ms--;
    step_remove(&step, TABLE_FINISHED, retention_key(&task, &key));
    step_counter_put(&step, COUNTER_RETENTION_MS, 4711);
    assert_int_equal(core_verify(memory_transaction(fleet->store), &text), ERR_CORRUPT);
    assert_string_equal(text, "the next sweep of finished tasks has no deadline");
    step_counter_put(&step, COUNTER_RETENTION_MS, 0);
    memory_commit(fleet->store);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(nothing_goes_unless_it_shall),
        STORY(each_end_state_has_its_own_term),
        STORY(what_is_gone_is_not_found),
        STORY(of_too_many_the_oldest_go_and_dead_letters_last),
        STORY(a_sweep_takes_a_bounded_number),
        STORY(a_dead_letter_that_is_waited_for_stays),
        STORY(who_waited_for_one_that_is_gone_goes_on),
        STORY(what_an_agent_still_holds_stays_until_it_lets_go),
        STORY(a_dead_letter_tried_again_counts_from_its_new_end),
        STORY(a_key_is_remembered_longer_than_its_task),
        STORY(a_spoilt_index_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
