/*
 * Goal: whoever asks why a task is not placed is told the reason that holds it up now.
 */
#include "cmocka_all.h"

#include "core/explain.h"
#include "core/fleet.h"

#include <stdio.h>
#include <string.h>

static struct slice keep(struct slice text, char space[64])
{
    assert_true(text.size < 64);
    memcpy(space, text.data, text.size);
    return slice_make(space, text.size);
}

static struct slice post(struct fleet *fleet, const struct message_post_task *task,
                         char space[64])
{
    struct message message = { .type = MESSAGE_POST_TASK };
    message.as.post_task = *task;
    message.as.post_task.description = SLICE_OF("sweep");
    fleet_as_client(fleet, "ci", ROLE_SUBMITTER);
    fleet_do(fleet, &message);
    const struct effect *answer = fleet_answer(fleet);
    assert_int_equal(answer->message.type, MESSAGE_POST_TASK_ANSWER);
    return keep(answer->message.as.post_task_answer.task_id, space);
}

static const struct message_task *show(struct fleet *fleet, struct slice id)
{
    struct message message = { .type = MESSAGE_GET_TASK };
    message.as.get_task.task_id = id;
    fleet_as_client(fleet, "viewer", ROLE_VIEWER);
    fleet_do(fleet, &message);
    const struct effect *answer = fleet_answer(fleet);
    assert_non_null(answer);
    assert_int_equal(answer->message.type, MESSAGE_GET_TASK_ANSWER);
    return &answer->message.as.get_task_answer;
}

static void assert_reason(struct fleet *fleet, struct slice id, const char *reason)
{
    const struct message_pending *pending = show(fleet, id)->pending;
    assert_non_null(pending);
    if (!slice_equal_text(pending->reason, reason))
        fail_msg("the reason is: %.*s", (int)pending->reason.size, pending->reason.data);
}

static void assert_agent(struct fleet *fleet, struct slice id, const char *agent,
                         const char *reason)
{
    const struct message_pending *pending = show(fleet, id)->pending;
    const struct message_pending_agent *items = pending->agents.items;
    for (size_t i = 0; i < pending->agents.count; i++) {
        if (!slice_equal_text(items[i].agent_id, agent))
            continue;
        if (!slice_equal_text(items[i].reason, reason))
            fail_msg("the reason is: %.*s", (int)items[i].reason.size,
                     items[i].reason.data);
        return;
    }
    fail_msg("%s is not listed", agent);
}

static void without_agents_that_is_the_reason(void **state)
{
    (void)state;
    struct fleet fleet;
    char id[64];
    fleet_init(&fleet);
    struct slice task = post(&fleet, &(struct message_post_task){ 0 }, id);
    assert_reason(&fleet, task, "no agent connected");
    assert_int_equal(show(&fleet, task)->pending->agents.count, 0);
    fleet_finish(&fleet);
}

static void each_agent_has_its_first_reason(void **state)
{
    (void)state;
    struct fleet fleet;
    static const char *const git[] = { "git", NULL };
    static const char *const both[] = { "rust", "git", NULL };
    struct slice needs[] = { SLICE("rust"), SLICE("git") };
    char id[64];
    char other[64];

    fleet_init(&fleet);
    fleet_identify(&fleet, "lacks", 1, git, 1);
    fleet_identify(&fleet, "lazy", 2, both, 0);
    fleet_identify(&fleet, "busy", 3, both, 1);
    struct message_post_task task = { .needed_capabilities = { needs, 2 } };
    post(&fleet, &task, other);
    struct slice waits = post(&fleet, &task, id);

    assert_reason(&fleet, waits, "no agent can take it now");
    assert_agent(&fleet, waits, "lacks", "missing capability rust");
    assert_agent(&fleet, waits, "lazy", "takes no tasks");
    assert_agent(&fleet, waits, "busy", "busy");
    fleet_finish(&fleet);
}

static void an_agent_that_did_not_answer_is_unresponsive(void **state)
{
    (void)state;
    struct fleet fleet;
    char id[64];
    fleet_init(&fleet);
    fleet_identify(&fleet, "ada", 1, NULL, 1);
    struct slice task = post(&fleet, &(struct message_post_task){ 0 }, id);
    assert_null(show(&fleet, task)->pending);
    fleet_pass(&fleet, fleet.settings.acceptance_ms);
    fleet_settle(&fleet);
    assert_agent(&fleet, task, "ada", "unresponsive");
    fleet_finish(&fleet);
}

static void an_agent_that_has_left_is_not_listed(void **state)
{
    (void)state;
    struct fleet fleet;
    const struct message closed = { .type = MESSAGE_LINK_CLOSED };
    char id[64];
    fleet_init(&fleet);
    fleet_identify(&fleet, "ada", 1, NULL, 0);
    fleet_as_hub(&fleet);
    fleet.command.origin.link = 1;
    fleet_do(&fleet, &closed);
    struct slice task = post(&fleet, &(struct message_post_task){ 0 }, id);
    assert_reason(&fleet, task, "no agent connected");
    fleet_finish(&fleet);
}

static void at_most_a_hundred_agents_are_listed(void **state)
{
    (void)state;
    struct fleet fleet;
    char names[120][8];
    char id[64];
    fleet_init(&fleet);
    for (unsigned i = 0; i < 120; i++) {
        snprintf(names[i], sizeof names[i], "a%u", i);
        fleet_identify(&fleet, names[i], i + 1, NULL, 0);
    }
    struct slice task = post(&fleet, &(struct message_post_task){ 0 }, id);
    assert_int_equal(show(&fleet, task)->pending->agents.count, EXPLAIN_AGENTS_MAX);
    fleet_finish(&fleet);
}

static void a_scheduled_task_says_until_when(void **state)
{
    (void)state;
    struct fleet fleet;
    char id[64];
    char reason[64];
    fleet_init(&fleet);
    int64_t at_ms = fleet.command.wall_ms + 5000;
    struct slice task = post(
        &fleet,
        &(struct message_post_task){ .has_not_before = true, .not_before = at_ms }, id);
    snprintf(reason, sizeof reason, "scheduled until %lld", (long long)at_ms);
    assert_reason(&fleet, task, reason);
    fleet_finish(&fleet);
}

static void a_failed_task_says_how_long_it_rests(void **state)
{
    (void)state;
    struct fleet fleet;
    struct message failed = { .type = MESSAGE_TASK_FAILED };
    char id[64];
    char reason[64];
    fleet_init(&fleet);
    fleet.settings.retry_delay_ms = 9000;
    fleet_identify(&fleet, "ada", 1, NULL, 1);
    struct slice task = post(&fleet, &(struct message_post_task){ 0 }, id);
    failed.as.task_failed.task_id = task;
    failed.as.task_failed.generation = 1;
    fleet_as_agent(&fleet, "ada", 1);
    fleet_do(&fleet, &failed);
    fleet_pass(&fleet, 1000);
    snprintf(reason, sizeof reason, "retry delay until %lld",
             (long long)fleet.command.wall_ms + 8000);
    assert_reason(&fleet, task, reason);
    fleet_finish(&fleet);
}

static void a_blocked_task_names_what_it_waits_for(void **state)
{
    (void)state;
    struct fleet fleet;
    struct slice ids[7];
    char spaces[7][64];
    char id[64];
    char reason[256];
    fleet_init(&fleet);
    for (size_t i = 0; i < 7; i++)
        ids[i] = post(&fleet, &(struct message_post_task){ 0 }, spaces[i]);
    struct slice one =
        post(&fleet, &(struct message_post_task){ .depends_on = { ids, 1 } }, id);
    snprintf(reason, sizeof reason, "blocked on %.*s", (int)ids[0].size, ids[0].data);
    assert_reason(&fleet, one, reason);

    struct slice seven =
        post(&fleet, &(struct message_post_task){ .depends_on = { ids, 7 } }, id);
    snprintf(reason, sizeof reason, "blocked on %.*s, %.*s, %.*s, %.*s and 3 more",
             (int)ids[0].size, ids[0].data, (int)ids[1].size, ids[1].data,
             (int)ids[2].size, ids[2].data, (int)ids[3].size, ids[3].data);
    assert_reason(&fleet, seven, reason);
    fleet_finish(&fleet);
}

static void a_dead_dependency_is_shown_as_dead(void **state)
{
    (void)state;
    struct fleet fleet;
    struct message failed = { .type = MESSAGE_TASK_FAILED };
    struct slice first[1];
    char space[64];
    char id[64];
    char reason[128];
    fleet_init(&fleet);
    fleet_identify(&fleet, "ada", 1, NULL, 1);
    first[0] = post(
        &fleet, &(struct message_post_task){ .has_max_retries = true, .max_retries = 1 },
        space);
    struct slice task =
        post(&fleet, &(struct message_post_task){ .depends_on = { first, 1 } }, id);
    failed.as.task_failed.task_id = first[0];
    failed.as.task_failed.generation = 1;
    fleet_as_agent(&fleet, "ada", 1);
    fleet_do(&fleet, &failed);
    snprintf(reason, sizeof reason, "blocked on %.*s (dead_letter)", (int)first[0].size,
             first[0].data);
    assert_reason(&fleet, task, reason);
    fleet_finish(&fleet);
}

static void a_task_that_has_ended_explains_nothing(void **state)
{
    (void)state;
    struct fleet fleet;
    struct message cancel = { .type = MESSAGE_POST_TASK_CANCEL };
    char id[64];
    fleet_init(&fleet);
    struct slice task = post(&fleet, &(struct message_post_task){ 0 }, id);
    cancel.as.post_task_cancel.task_id = task;
    fleet_do(&fleet, &cancel);
    assert_null(show(&fleet, task)->pending);
    fleet_finish(&fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_agents_that_is_the_reason),
        cmocka_unit_test(each_agent_has_its_first_reason),
        cmocka_unit_test(an_agent_that_did_not_answer_is_unresponsive),
        cmocka_unit_test(an_agent_that_has_left_is_not_listed),
        cmocka_unit_test(at_most_a_hundred_agents_are_listed),
        cmocka_unit_test(a_scheduled_task_says_until_when),
        cmocka_unit_test(a_failed_task_says_how_long_it_rests),
        cmocka_unit_test(a_blocked_task_names_what_it_waits_for),
        cmocka_unit_test(a_dead_dependency_is_shown_as_dead),
        cmocka_unit_test(a_task_that_has_ended_explains_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
