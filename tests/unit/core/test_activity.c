/*
 * Goal: each message is counted for who said it and for who heard it, in its hour, and
 * connections by how long they lasted; what is kept is bounded.
 */
#include "core/scene.h"

#include "core/activity.h"

#include "cmocka_all.h"

#include <stdio.h>

enum {
    MINUTE_MS = 60000,
    HOUR_MS = 60 * MINUTE_MS,
};

static const struct scene_agent ADA = { "ada", 11 };
static const struct scene_agent BOB = { "bob", 12 };
static const struct scene_agent BOB_AGAIN = { "bob", 13 };
static const struct scene_agent CAROL = { "carol", 14 };

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

/* By HTTP; to nobody in particular: to all. */
static void say(struct fleet *fleet, const char *from, const char *to)
{
    struct message message = { .type = MESSAGE_POST_MESSAGE };
    message.as.post_message.to = slice_from_text(to);
    message.as.post_message.payload = SLICE_OF("{}");
    fleet_as_client(fleet, from, ROLE_AGENT);
    fleet_do(fleet, &message);
    fleet_settle(fleet);
}

static const struct message_get_analytics_agents_answer *list(struct fleet *fleet,
                                                              int64_t limit,
                                                              const char *cursor)
{
    struct message message = { .type = MESSAGE_GET_ANALYTICS_AGENTS };
    message.as.get_analytics_agents.has_limit = limit > 0;
    message.as.get_analytics_agents.limit = limit;
    message.as.get_analytics_agents.cursor = slice_from_text(cursor);
    fleet_as_client(fleet, "viewer", ROLE_VIEWER);
    fleet_do(fleet, &message);
    return &fleet_answer(fleet)->message.as.get_analytics_agents_answer;
}

static const struct message_agent_analytics *of(struct fleet *fleet, const char *agent)
{
    const struct message_list *agents = &list(fleet, 0, NULL)->agents;
    const struct message_agent_analytics *items = agents->items;
    for (size_t i = 0; i < agents->count; i++) {
        if (slice_equal_text(items[i].agent_id, agent))
            return &items[i];
    }
    return NULL;
}

static void assert_counts(struct fleet *fleet, const char *agent, int64_t sent,
                          int64_t received)
{
    const struct message_agent_analytics *item = of(fleet, agent);
    assert_non_null(item);
    assert_int_equal(item->messages_sent_24h, sent);
    assert_int_equal(item->messages_received_24h, received);
}

static const struct message_get_analytics_summary_answer *summary(struct fleet *fleet)
{
    const struct message message = { .type = MESSAGE_GET_ANALYTICS_SUMMARY };
    fleet_as_client(fleet, "viewer", ROLE_VIEWER);
    fleet_do(fleet, &message);
    return &fleet_answer(fleet)->message.as.get_analytics_summary_answer;
}

static void a_direct_message_counts_once_on_each_side(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    scene_identify(fleet, BOB, 1);
    scene_link_closed(fleet, BOB.link);
    say(fleet, "ada", "bob");
    say(fleet, "bob", "ada");
    say(fleet, "bob", "ada");
    say(fleet, "bob", "nobody");
    assert_counts(fleet, "ada", 1, 2);
    assert_counts(fleet, "bob", 3, 1);
    assert_null(of(fleet, "nobody"));
    assert_int_equal(summary(fleet)->total_messages_24h, 4);
}

static void what_is_said_to_all_is_heard_by_who_is_connected(void **state)
{
    struct fleet *fleet = *state;
    say(fleet, "boss", NULL);
    scene_identify(fleet, ADA, 1);
    say(fleet, "boss", NULL);
    scene_identify(fleet, BOB, 1);
    say(fleet, "boss", NULL);
    fleet_pass(fleet, HOUR_MS);
    say(fleet, "boss", "broadcast");
    assert_counts(fleet, "ada", 0, 3);
    assert_counts(fleet, "bob", 0, 2);
    assert_counts(fleet, "boss", 4, 0);
    scene_link_closed(fleet, BOB.link);
    say(fleet, "boss", NULL);
    assert_counts(fleet, "ada", 0, 4);
    assert_counts(fleet, "bob", 0, 2);
    scene_identify(fleet, BOB_AGAIN, 1);
    assert_counts(fleet, "bob", 0, 2);
    say(fleet, "boss", NULL);
    assert_counts(fleet, "bob", 0, 3);
}

static void what_is_published_counts_for_its_subscribers(void **state)
{
    struct fleet *fleet = *state;
    struct message message = { .type = MESSAGE_POST_CHANNEL };
    scene_identify(fleet, ADA, 1);
    scene_identify(fleet, CAROL, 1);
    message.as.post_channel.name = SLICE_OF("general");
    fleet_as_client(fleet, "ada", ROLE_AGENT);
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_POST_CHANNEL_SUBSCRIBE };
    message.as.post_channel_subscribe.channel = SLICE_OF("general");
    fleet_do(fleet, &message);
    message = (struct message){ .type = MESSAGE_POST_CHANNEL_PUBLISH };
    message.as.post_channel_publish.channel = SLICE_OF("general");
    message.as.post_channel_publish.payload = SLICE_OF("{}");
    fleet_as_client(fleet, "boss", ROLE_AGENT);
    fleet_do(fleet, &message);
    fleet_settle(fleet);
    assert_counts(fleet, "boss", 1, 0);
    assert_counts(fleet, "ada", 0, 1);
    assert_counts(fleet, "carol", 0, 0);
}

static void hours_are_kept_apart_for_a_day(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    for (int i = 0; i < 30; i++) {
        say(fleet, "ada", "ada");
        fleet_pass(fleet, HOUR_MS);
    }
    assert_counts(fleet, "ada", 23, 23);
    assert_int_equal(of(fleet, "ada")->messages_sent_this_hour, 0);
    say(fleet, "ada", "ada");
    assert_int_equal(of(fleet, "ada")->messages_sent_this_hour, 1);
    assert_counts(fleet, "ada", 24, 24);

    struct message message = { .type = MESSAGE_GET_ANALYTICS_AGENT_HOURLY };
    message.as.get_analytics_agent_hourly.agent_id = SLICE_OF("ada");
    fleet_as_client(fleet, "viewer", ROLE_VIEWER);
    fleet_do(fleet, &message);
    const struct message_get_analytics_agent_hourly_answer *answer =
        &fleet_answer(fleet)->message.as.get_analytics_agent_hourly_answer;
    const struct message_hourly *hours = answer->hourly.items;
    assert_int_equal(answer->hourly.count, 24);
    for (int i = 0; i < 24; i++) {
        assert_int_equal(hours[i].sent, 1);
        assert_int_equal(hours[i].received, 1);
        assert_int_equal(hours[i].bucket, hours[0].bucket + i);
    }
    /* The clock of the tests began at midnight. */
    assert_true(slice_equal_text(hours[23].hour, "06:00"));
    fleet_pass(fleet, (int64_t)100 * HOUR_MS);
    assert_counts(fleet, "ada", 0, 0);
}

static void connections_are_measured_while_the_hub_runs(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, BOB, 1);
    fleet_pass(fleet, 90 * MINUTE_MS);
    assert_int_equal(of(fleet, "bob")->connection_time_24h_ms, 90 * MINUTE_MS);
    scene_identify(fleet, BOB_AGAIN, 1);
    fleet_pass(fleet, 10 * MINUTE_MS);
    scene_link_closed(fleet, BOB_AGAIN.link);
    fleet_pass(fleet, 10 * MINUTE_MS);
    const struct message_agent_analytics *bob = of(fleet, "bob");
    assert_int_equal(bob->connection_time_24h_ms, 100 * MINUTE_MS);
    assert_int_equal(bob->total_connections, 2);
    assert_int_equal(bob->last_seen, fleet->command.wall_ms - 10 * MINUTE_MS);

    /* The hub is away for two hours, and with it everybody's connection. */
    scene_identify(fleet, BOB, 1);
    fleet_pass(fleet, MINUTE_MS);
    fleet->command.wall_ms += 2 * HOUR_MS;
    scene_hub_started(fleet);
    bob = of(fleet, "bob");
    assert_int_equal(bob->connection_time_24h_ms, 101 * MINUTE_MS);
    assert_int_equal(bob->total_connections, 3);
    fleet_pass(fleet, (int64_t)20 * HOUR_MS);
    scene_identify(fleet, BOB, 1);
    fleet_pass(fleet, (int64_t)40 * HOUR_MS);
    assert_in_range(of(fleet, "bob")->connection_time_24h_ms, 23 * HOUR_MS, 24 * HOUR_MS);
}

static void who_does_nothing_but_ping_is_idle(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    scene_identify(fleet, BOB, 1);
    scene_identify(fleet, CAROL, 1);
    scene_link_closed(fleet, CAROL.link);
    uint64_t task = scene_submit_plain(fleet);
    fleet_pass(fleet, 4 * MINUTE_MS);
    scene_ping(fleet, BOB);
    scene_accepted(fleet, ADA, task, 1);
    fleet_pass(fleet, 2 * MINUTE_MS);
    assert_true(slice_equal_text(of(fleet, "ada")->status, "active"));
    assert_true(slice_equal_text(of(fleet, "bob")->status, "idle"));
    assert_true(slice_equal_text(of(fleet, "carol")->status, "offline"));
    assert_int_equal(of(fleet, "bob")->idle_ms, 6 * MINUTE_MS);
    const struct message_get_analytics_summary_answer *sum = summary(fleet);
    assert_int_equal(sum->total_agents, 3);
    assert_int_equal(sum->agents_connected, 2);
    assert_int_equal(sum->agents_active, 1);
    assert_int_equal(sum->agents_idle, 1);
    assert_int_equal(sum->agents_offline, 1);
    assert_int_equal(sum->timestamp, fleet->command.wall_ms);
}

static void beyond_the_bound_who_is_gone_longest_is_forgotten(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.activities_max = 3;
    scene_identify(fleet, ADA, 1);
    say(fleet, "one", "ada");
    fleet_pass(fleet, HOUR_MS);
    say(fleet, "two", "ada");
    fleet_pass(fleet, HOUR_MS);
    say(fleet, "one", "ada");
    say(fleet, "three", "ada");
    assert_null(of(fleet, "two"));
    assert_counts(fleet, "one", 2, 0);
    assert_counts(fleet, "three", 1, 0);
    assert_counts(fleet, "ada", 0, 4);

    /* Who is connected is never forgotten; then there is no room for others. */
    scene_identify(fleet, BOB, 1);
    scene_identify(fleet, CAROL, 1);
    say(fleet, "four", "ada");
    assert_null(of(fleet, "four"));
    assert_int_equal(list(fleet, 0, NULL)->agents.count, 3);
}

static void a_long_list_comes_in_pages(void **state)
{
    struct fleet *fleet = *state;
    char name[32];
    char cursor[16] = "";
    size_t found = 0;
    for (int i = 0; i < 25; i++) {
        snprintf(name, sizeof name, "agent-%02d", i);
        say(fleet, name, "agent-00");
    }
    for (int page = 0; page < 3; page++) {
        const struct message_get_analytics_agents_answer *answer =
            list(fleet, 10, page == 0 ? NULL : cursor);
        const struct message_agent_analytics *items = answer->agents.items;
        for (size_t i = 0; i < answer->agents.count; i++) {
            snprintf(name, sizeof name, "agent-%02zu", found++);
            assert_true(slice_equal_text(items[i].agent_id, name));
        }
        assert_int_equal(slice_is_present(answer->cursor), page < 2);
        snprintf(cursor, sizeof cursor, "%.*s", (int)answer->cursor.size,
                 answer->cursor.size > 0 ? answer->cursor.data : "");
    }
    assert_int_equal(found, 25);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_direct_message_counts_once_on_each_side),
        TEST(what_is_said_to_all_is_heard_by_who_is_connected),
        TEST(what_is_published_counts_for_its_subscribers),
        TEST(hours_are_kept_apart_for_a_day),
        TEST(connections_are_measured_while_the_hub_runs),
        TEST(who_does_nothing_but_ping_is_idle),
        TEST(beyond_the_bound_who_is_gone_longest_is_forgotten),
        TEST(a_long_list_comes_in_pages),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
