/*
 * Goal: what comes from another hub keeps its ids, times and states, comes once however
 * often it is sent, and never meets anything of our own.
 */
#include "core/scene.h"

#include "cmocka_all.h"

#include <string.h>

static const struct scene_agent ADA = { "ada", 11 };

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

static const struct message_post_admin_import_answer *import(
    struct fleet *fleet, const struct message_post_admin_import *part)
{
    struct message message = { .type = MESSAGE_POST_ADMIN_IMPORT };
    message.as.post_admin_import = *part;
    fleet_as_client(fleet, "root", ROLE_ADMIN);
    fleet_do(fleet, &message);
    return &fleet_answer(fleet)->message.as.post_admin_import_answer;
}

static void assert_taken(const struct message_post_admin_import_answer *answer,
                         int64_t imported, int64_t present, size_t refused)
{
    assert_int_equal(answer->imported, imported);
    assert_int_equal(answer->present, present);
    assert_int_equal(answer->refused.count, refused);
}

static struct message_import_task task_of(const char *id, const char *status,
                                          int64_t created_at)
{
    return (struct message_import_task){
        .id = slice_from_text(id),
        .description = SLICE_OF("an old task"),
        .status = slice_from_text(status),
        .has_priority = true,
        .priority = 2,
        .has_max_retries = true,
        .max_retries = 3,
        .has_generation = true,
        .generation = 4,
        .created_at = created_at,
        .has_updated_at = true,
        .updated_at = created_at + 5,
    };
}

static const struct message_post_admin_import_answer *import_tasks(
    struct fleet *fleet, struct message_import_task *tasks, size_t count)
{
    return import(fleet,
                  &(struct message_post_admin_import){ .tasks = { tasks, count } });
}

static const struct message *show(struct fleet *fleet, const char *id)
{
    struct message message = { .type = MESSAGE_GET_TASK };
    message.as.get_task.task_id = slice_from_text(id);
    fleet_as_client(fleet, "viewer", ROLE_VIEWER);
    fleet_do(fleet, &message);
    return &fleet_answer(fleet)->message;
}

static void each_task_comes_as_it_was(void **state)
{
    struct fleet *fleet = *state;
    struct message_import_event events[] = {
        { .event = SLICE_OF("completed"), .timestamp = 3000 },
        { .event = SLICE_OF("something"), .timestamp = 2500 },
        { .event = SLICE_OF("assigned"), .timestamp = 2000, .details = SLICE_OF("ada") },
        { .event = SLICE_OF("queued"), .timestamp = 1000 },
    };
    struct message_import_task tasks[] = {
        task_of("task-00000000000000a1", "completed", 1000),
        task_of("task-ffffffffffffffff", "dead_letter", 2000),
        task_of("task-0000000000000001", "queued", 3000),
        task_of("task-8000000000000000", "assigned", 4000),
    };
    tasks[0].metadata = SLICE_OF("{ \"a\":1}");
    tasks[0].result = SLICE_OF("{\"status\": \"success\"}");
    tasks[0].assigned_to = SLICE_OF("ada");
    tasks[0].has_assigned_at = true;
    tasks[0].assigned_at = 2000;
    tasks[0].has_tokens_used = true;
    tasks[0].tokens_used = 77;
    tasks[0].submitted_by = SLICE_OF("boss");
    tasks[0].history = (struct message_list){ events, 4 };
    tasks[1].last_error = SLICE_OF("it broke");
    tasks[1].has_retry_count = true;
    tasks[1].retry_count = 3;
    assert_taken(import_tasks(fleet, tasks, 4), 4, 0, 0);

    const struct message_task *done =
        &show(fleet, "task-00000000000000a1")->as.get_task_answer;
    assert_true(slice_equal_text(done->id, "task-00000000000000a1"));
    assert_true(slice_equal_text(done->state, "completed"));
    assert_true(slice_equal_text(done->metadata, "{ \"a\":1}"));
    assert_true(slice_equal_text(done->result, "{\"status\": \"success\"}"));
    assert_true(slice_equal_text(done->assigned_to, "ada"));
    assert_true(slice_equal_text(done->submitted_by, "boss"));
    assert_int_equal(done->created_at, 1000);
    assert_int_equal(done->updated_at, 1005);
    assert_int_equal(done->assigned_at, 2000);
    assert_int_equal(done->tokens_used, 77);
    assert_int_equal(done->generation, 4);
    assert_int_equal(done->history.count, 3);
    const struct message_history_item *items = done->history.items;
    assert_true(slice_equal_text(items[0].event, "completed"));
    assert_int_equal(items[0].timestamp, 3000);
    assert_true(slice_equal_text(items[1].details, "ada"));

    const struct message_task *dead =
        &show(fleet, "task-ffffffffffffffff")->as.get_task_answer;
    assert_true(slice_equal_text(dead->state, "dead_letter"));
    assert_true(slice_equal_text(dead->last_error, "it broke"));
    assert_int_equal(dead->retry_count, 3);

    const struct message_task *again =
        &show(fleet, "task-8000000000000000")->as.get_task_answer;
    assert_true(slice_equal_text(again->state, "queued"));
    assert_int_equal(again->generation, 5);
    items = again->history.items;
    assert_true(slice_equal_text(items[0].details, "imported"));
}

static void old_tasks_are_worked_on_before_new_ones_by_their_old_ids(void **state)
{
    struct fleet *fleet = *state;
    struct message_import_task tasks[] = {
        task_of("task-ffffffffffffff01", "queued", 1000),
        task_of("task-0000000000000002", "queued", 2000),
    };
    uint64_t new_one = scene_submit_plain(fleet);
    import_tasks(fleet, tasks, 2);
    const char *const order[] = { "task-ffffffffffffff01", "task-0000000000000002" };
    scene_identify(fleet, ADA, 1);
    for (size_t i = 0; i < 2; i++) {
        const struct message *assign = fleet_sent(fleet, ADA.link, MESSAGE_TASK_ASSIGN);
        assert_non_null(assign);
        assert_true(slice_equal_text(assign->as.task_assign.task_id, order[i]));
        struct message done = { .type = MESSAGE_TASK_COMPLETE };
        done.as.task_complete.task_id = slice_from_text(order[i]);
        done.as.task_complete.generation = assign->as.task_assign.generation;
        fleet_as_agent(fleet, ADA.name, ADA.link);
        fleet_do(fleet, &done);
        assert_string_equal(scene_ack(fleet, ADA.link), "complete");
    }
    assert_int_equal(scene_assigned(fleet, ADA.link), new_one);
}

static void what_is_sent_twice_comes_once(void **state)
{
    struct fleet *fleet = *state;
    struct message_import_task task = task_of("task-00000000000000a1", "queued", 1000);
    struct message_import_token token = {
        .agent_id = SLICE_OF("ada"),
        .digest = SLICE_OF("0123456789abcdef0123456789abcdef"
                           "0123456789abcdef0123456789abcdef"),
        .prefix = SLICE_OF("01234567"),
    };
    const struct message_post_admin_import part = { .tasks = { &task, 1 },
                                                    .tokens = { &token, 1 } };
    assert_taken(import(fleet, &part), 2, 0, 0);
    assert_int_equal(fleet_count(fleet, EFFECT_KEY_ADD), 1);
    struct memory_store *before = memory_store_copy(fleet->store);
    assert_taken(import(fleet, &part), 0, 2, 0);
    assert_int_equal(fleet_count(fleet, EFFECT_KEY_ADD), 0);
    assert_int_equal(memory_rows(before, TABLE_TASK),
                     memory_rows(fleet->store, TABLE_TASK));
    memory_store_destroy(before);
}

static void no_new_task_gets_the_id_of_an_old_one(void **state)
{
    struct fleet *fleet = *state;
    struct step step = fleet_step(fleet);
    uint64_t last = scene_submit_plain(fleet);
    char taken[3][TASK_ID_BYTES + 1] = { "" };
    struct message_import_task tasks[3];
    for (uint64_t i = 0; i < 3; i++) {
        step = fleet_step(fleet);
        /* The one that is there, and the two that would come next. */
        memcpy(taken[i], task_id(&step, last + i).data, TASK_ID_BYTES);
        tasks[i] = task_of(taken[i], "queued", 1000);
    }
    assert_taken(import_tasks(fleet, tasks, 3), 2, 0, 1);
    assert_int_equal(scene_submit_plain(fleet), last + 3);
    assert_true(slice_equal_text(show(fleet, taken[1])->as.get_task_answer.description,
                                 "an old task"));
    /* An imported task has no second id. */
    assert_int_equal(show(fleet, "task-0000000000000001")->type, MESSAGE_HTTP_ERROR);
}

static void what_contradicts_itself_or_finds_no_room_leaves_the_rest_alone(void **state)
{
    struct fleet *fleet = *state;
    struct slice needs[] = { SLICE_OF("gpu") };
    struct message_import_task tasks[] = {
        task_of("task-00000000000000a1", "running", 1000),
        task_of("task-00000000000000a2", "queued", 1000),
        task_of("task-00000000000000a3", "queued", 1000),
        task_of("task-00000000000000a4", "completed", 1000),
    };
    fleet->settings.tasks_open_max = 1;
    tasks[1].needed_capabilities = (struct slice_list){ needs, 1 };
    const struct message_post_admin_import_answer *answer = import_tasks(fleet, tasks, 4);
    assert_taken(answer, 2, 0, 2);
    const struct message_import_refused *refused = answer->refused.items;
    assert_true(slice_equal_text(refused[0].name, "task-00000000000000a1"));
    assert_true(slice_equal_text(refused[0].reason, "invalid"));
    assert_true(slice_equal_text(refused[1].name, "task-00000000000000a3"));
    assert_true(slice_equal_text(refused[1].reason, "no_room"));
}

static void a_finished_one_goes_when_its_time_is_over(void **state)
{
    struct fleet *fleet = *state;
    struct message_import_task tasks[] = {
        task_of("task-00000000000000a1", "completed", fleet->command.wall_ms - 5000),
        task_of("task-00000000000000a2", "dead_letter", fleet->command.wall_ms - 5000),
    };
    fleet->settings.completed_ttl_ms = 60000;
    import_tasks(fleet, tasks, 2);
    fleet_settle(fleet);
    assert_int_equal(show(fleet, "task-00000000000000a1")->type, MESSAGE_GET_TASK_ANSWER);
    scene_wait(fleet, 60000);
    assert_int_equal(show(fleet, "task-00000000000000a1")->type, MESSAGE_HTTP_ERROR);
    assert_int_equal(show(fleet, "task-00000000000000a2")->type, MESSAGE_GET_TASK_ANSWER);
    /* Sent again, it comes again: its id is free. */
    assert_taken(import_tasks(fleet, tasks, 2), 1, 1, 0);
}

static const struct message_get_channel_history_answer *history(struct fleet *fleet)
{
    struct message message = { .type = MESSAGE_GET_CHANNEL_HISTORY };
    message.as.get_channel_history.channel = SLICE_OF("general");
    fleet_as_client(fleet, "viewer", ROLE_VIEWER);
    fleet_do(fleet, &message);
    return &fleet_answer(fleet)->message.as.get_channel_history_answer;
}

static void channels_come_with_subscribers_and_history(void **state)
{
    struct fleet *fleet = *state;
    struct slice subscribers[] = { SLICE_OF("ada"), SLICE_OF("bob") };
    struct message_import_channel channel = {
        .name = SLICE_OF("General"),
        .description = SLICE_OF("talk"),
        .created_at = 500,
        .created_by = SLICE_OF("boss"),
        .subscribers = { subscribers, 2 },
    };
    struct message_import_message messages[] = {
        { .channel = SLICE_OF("general"),
          .id = SLICE_OF("00000000000000aa"),
          .seq = 55,
          .from = SLICE_OF("ada"),
          .payload = SLICE_OF("{\"n\":1}"),
          .timestamp = 1000 },
        { .channel = SLICE_OF("general"),
          .id = SLICE_OF("00000000000000ab"),
          .seq = 56,
          .from = SLICE_OF("bob"),
          .payload = SLICE_OF("{}"),
          .timestamp = 2000,
          .reply_to = SLICE_OF("00000000000000aa") },
    };
    const struct message_post_admin_import part = { .channels = { &channel, 1 },
                                                    .messages = { messages, 2 } };
    assert_taken(import(fleet, &part), 3, 0, 0);
    assert_taken(import(fleet, &part), 0, 3, 0);

    const struct message_get_channel_history_answer *found = history(fleet);
    const struct message_channel_entry *entries = found->messages.items;
    assert_int_equal(found->count, 2);
    assert_int_equal(entries[0].seq, 55);
    assert_true(slice_equal_text(entries[0].message->id, "00000000000000aa"));
    assert_int_equal(entries[0].message->timestamp, 1000);
    assert_int_equal(entries[1].seq, 56);
    struct message thread = { .type = MESSAGE_GET_THREAD };
    thread.as.get_thread.message_id = SLICE_OF("00000000000000ab");
    fleet_do(fleet, &thread);
    assert_int_equal(fleet_answer(fleet)->message.as.get_thread_answer.count, 2);

    struct message get = { .type = MESSAGE_GET_CHANNEL };
    get.as.get_channel.channel = SLICE_OF("general");
    fleet_do(fleet, &get);
    const struct message_get_channel_answer *shown =
        &fleet_answer(fleet)->message.as.get_channel_answer;
    assert_int_equal(shown->subscriber_count, 2);
    assert_int_equal(shown->created_at, 500);
    assert_true(slice_equal_text(shown->created_by, "boss"));

    /* What is published from now on goes to the subscribers, the old does not again. */
    struct message publish = { .type = MESSAGE_POST_CHANNEL_PUBLISH };
    publish.as.post_channel_publish.channel = SLICE_OF("general");
    publish.as.post_channel_publish.payload = SLICE_OF("{}");
    fleet_as_client(fleet, "boss", ROLE_AGENT);
    fleet_do(fleet, &publish);
    assert_int_equal(fleet_answer(fleet)->message.as.post_channel_publish_answer.seq, 57);
    fleet_settle(fleet);
    struct message box = { .type = MESSAGE_GET_MAILBOX };
    box.as.get_mailbox.agent_id = SLICE_OF("bob");
    fleet_as_client(fleet, "bob", ROLE_AGENT);
    fleet_do(fleet, &box);
    assert_int_equal(fleet_answer(fleet)->message.as.get_mailbox_answer.count, 1);
}

static void mailboxes_go_on_behind_what_their_readers_know(void **state)
{
    struct fleet *fleet = *state;
    struct message_import_message message = {
        .mailbox = SLICE_OF("ada"),
        .id = SLICE_OF("00000000000000ac"),
        .seq = 40,
        .from = SLICE_OF("bob"),
        .to = SLICE_OF("ada"),
        .payload = SLICE_OF("{}"),
        .timestamp = fleet->command.wall_ms - 1000,
    };
    struct message_import_mailbox boxes[] = {
        { .agent_id = SLICE_OF("ada"), .last_seq = 90 },
        { .agent_id = SLICE_OF("carol"), .last_seq = 90 },
    };
    const struct message_post_admin_import part = { .messages = { &message, 1 },
                                                    .mailboxes = { boxes, 2 } };
    assert_taken(import(fleet, &part), 3, 0, 0);
    assert_taken(import(fleet, &part), 0, 3, 0);
    struct message say = { .type = MESSAGE_POST_MESSAGE };
    say.as.post_message.to = SLICE_OF("ada");
    say.as.post_message.payload = SLICE_OF("{}");
    fleet_as_client(fleet, "bob", ROLE_AGENT);
    fleet_do(fleet, &say);

    struct message box = { .type = MESSAGE_GET_MAILBOX };
    box.as.get_mailbox.agent_id = SLICE_OF("ada");
    fleet_as_client(fleet, "ada", ROLE_AGENT);
    fleet_do(fleet, &box);
    const struct message_get_mailbox_answer *answer =
        &fleet_answer(fleet)->message.as.get_mailbox_answer;
    const struct message_stored_message *items = answer->messages.items;
    assert_int_equal(answer->count, 2);
    assert_int_equal(items[0].seq, 40);
    assert_true(slice_equal_text(items[0].id, "00000000000000ac"));
    assert_int_equal(items[1].seq, 91);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(each_task_comes_as_it_was),
        TEST(old_tasks_are_worked_on_before_new_ones_by_their_old_ids),
        TEST(what_is_sent_twice_comes_once),
        TEST(no_new_task_gets_the_id_of_an_old_one),
        TEST(what_contradicts_itself_or_finds_no_room_leaves_the_rest_alone),
        TEST(a_finished_one_goes_when_its_time_is_over),
        TEST(channels_come_with_subscribers_and_history),
        TEST(mailboxes_go_on_behind_what_their_readers_know),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
