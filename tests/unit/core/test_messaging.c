/*
 * Goal: what is said reaches each it is for once: on the socket of who is there, in the
 * mailbox of who is away, in order, within its bounds.
 * Method: stories; the tables are verified after each.
 */
#include "core/scene.h"
#include "core/talk.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

static const struct scene_agent ADA = { "ada", 11 };
static const struct scene_agent BOB = { "bob", 12 };

static int begin(void **state)
{
    static struct fleet fleet;
    fleet_init(&fleet);
    scene_identify(&fleet, ADA, 0);
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

static void who_is_away_finds_it_in_the_mailbox(void **state)
{
    struct fleet *fleet = *state;
    assert_true(slice_equal_text(talk_say(fleet, "bob", "ada", "{}", NULL)->delivery,
                                 "delivered"));
    assert_non_null(fleet_sent(fleet, ADA.link, MESSAGE_MESSAGE_OUT));
    assert_int_equal(talk_mailbox(fleet, "ada", 0)->count, 0);

    assert_true(slice_equal_text(
        talk_say(fleet, "ada", "bob", "{\"a\": 1.0}", NULL)->delivery, "queued"));
    const struct message_get_mailbox_answer *box = talk_mailbox(fleet, "bob", 0);
    assert_int_equal(box->count, 1);
    assert_int_equal(box->last_seq, 1);
    assert_false(box->more);
    assert_true(slice_equal_text(talk_mail(box, 0)->payload, "{\"a\": 1.0}"));
    assert_true(slice_equal_text(talk_mail(box, 0)->from, "ada"));
    assert_int_equal(talk_mailbox(fleet, "bob", 1)->count, 0);
    assert_int_equal(talk_mailbox(fleet, "bob", 1)->last_seq, 1);
}

static void a_sequence_never_starts_again(void **state)
{
    struct fleet *fleet = *state;
    talk_say(fleet, "ada", "bob", "{}", NULL);
    talk_say(fleet, "ada", "bob", "{}", NULL);
    talk_acknowledge(fleet, "bob", 2);
    assert_int_equal(talk_mailbox(fleet, "bob", 0)->count, 0);
    talk_say(fleet, "ada", "bob", "{}", NULL);
    assert_int_equal(talk_mail(talk_mailbox(fleet, "bob", 2), 0)->seq, 3);
    fleet_verify(fleet);
}

static void a_full_mailbox_drops_its_oldest(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.mailbox_max = 3;
    for (int i = 0; i < 5; i++)
        talk_say(fleet, "ada", "bob", "{}", NULL);
    const struct message_get_mailbox_answer *box = talk_mailbox(fleet, "bob", 0);
    assert_int_equal(box->count, 3);
    assert_int_equal(talk_mail(box, 0)->seq, 3);
    assert_int_equal(talk_mail(box, 2)->seq, 5);
}

static void mail_goes_when_its_time_is_over(void **state)
{
    struct fleet *fleet = *state;
    talk_say(fleet, "ada", "bob", "{}", NULL);
    scene_wait(fleet, 1000);
    talk_say(fleet, "ada", "bob", "{}", NULL);
    scene_wait(fleet, fleet->settings.mailbox_ttl_ms - 1001);
    assert_int_equal(talk_mailbox(fleet, "bob", 0)->count, 2);
    scene_wait(fleet, 1);
    assert_int_equal(talk_mailbox(fleet, "bob", 0)->count, 1);
    scene_wait(fleet, 1000);
    assert_int_equal(talk_mailbox(fleet, "bob", 0)->count, 0);
}

static void a_shorter_retention_holds_for_what_is_there(void **state)
{
    struct fleet *fleet = *state;
    struct message message = { .type = MESSAGE_PUT_MAILBOX_RETENTION };
    talk_say(fleet, "ada", "bob", "{}", NULL);
    scene_wait(fleet, 5000);
    message.as.put_mailbox_retention.mailbox_ttl_ms = 4000;
    talk_ask(fleet, "root", &message);
    fleet_settle(fleet);
    fleet_verify(fleet);
    assert_int_equal(talk_mailbox(fleet, "bob", 0)->count, 0);
    message = (struct message){ .type = MESSAGE_GET_MAILBOX_RETENTION };
    assert_int_equal(
        talk_ask(fleet, "root", &message)->as.get_mailbox_retention_answer.mailbox_ttl_ms,
        4000);
}

static void a_mailbox_is_its_owners_alone(void **state)
{
    struct fleet *fleet = *state;
    struct message message = { .type = MESSAGE_GET_MAILBOX };
    message.as.get_mailbox.agent_id = SLICE_OF("bob");
    talk_ask(fleet, "ada", &message);
    assert_string_equal(scene_http_error(fleet), "unauthorized");
    message = (struct message){ .type = MESSAGE_POST_MAILBOX_ACK };
    message.as.post_mailbox_ack.agent_id = SLICE_OF("bob");
    talk_ask(fleet, "ada", &message);
    assert_string_equal(scene_http_error(fleet), "unauthorized");
}

static void a_broadcast_is_kept_for_the_absent_in_bounded_steps(void **state)
{
    struct fleet *fleet = *state;
    static const char *const absent[] = { "carol", "dora", "emil", "fritz" };
    fleet->settings.fanout_max = 2;
    talk_token(fleet, "ada");
    for (size_t i = 0; i < 4; i++)
        talk_token(fleet, absent[i]);
    fleet_pass(fleet, 10);
    talk_say(fleet, "dora", NULL, "{}", NULL);
    assert_int_equal(fleet_count(fleet, EFFECT_BROADCAST), 1);
    talk_say(fleet, "dora", "broadcast", "{}", NULL);
    fleet_verify(fleet);
    assert_int_equal(talk_mailbox(fleet, "fritz", 0)->count, 0);
    fleet_settle(fleet);
    fleet_verify(fleet);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(talk_mailbox(fleet, absent[i], 0)->count, i == 1 ? 0 : 2);
    assert_int_equal(talk_mailbox(fleet, "ada", 0)->count, 0);
}

static void the_mailbox_is_pushed_to_who_asks_for_it(void **state)
{
    struct fleet *fleet = *state;
    struct message message = { .type = MESSAGE_IDENTIFY };
    for (int i = 0; i < 3; i++)
        talk_say(fleet, "ada", "bob", "{}", NULL);
    message.as.identify.agent_id = SLICE_OF("bob");
    message.as.identify.mailbox = true;
    message.as.identify.mailbox_since = 1;
    fleet_as_agent(fleet, BOB.name, BOB.link);
    fleet_do(fleet, &message);
    const struct message *pushed = fleet_sent(fleet, BOB.link, MESSAGE_MAILBOX);
    assert_non_null(pushed);
    assert_int_equal(pushed->as.mailbox.count, 2);
    assert_int_equal(pushed->as.mailbox.last_seq, 3);

    /* Sequences of another epoch mean nothing: all is given. */
    message = (struct message){ .type = MESSAGE_MAILBOX_READ };
    message.as.mailbox_read.since = 3;
    message.as.mailbox_read.has_epoch = true;
    message.as.mailbox_read.epoch = 99;
    fleet_do(fleet, &message);
    pushed = fleet_sent(fleet, BOB.link, MESSAGE_MAILBOX);
    assert_int_equal(pushed->as.mailbox.count, 3);

    message = (struct message){ .type = MESSAGE_MAILBOX_ACK };
    message.as.mailbox_ack.seq = 3;
    fleet_do(fleet, &message);
    assert_non_null(fleet_sent(fleet, BOB.link, MESSAGE_MAILBOX_ACKED));
    assert_int_equal(talk_mailbox(fleet, "bob", 0)->count, 0);
}

static void too_many_mailboxes_are_not_opened(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.mailboxes_max = 1;
    talk_say(fleet, "ada", "bob", "{}", NULL);
    talk_say(fleet, "ada", "carol", "{}", NULL);
    assert_string_equal(scene_http_error(fleet), "unavailable");
    assert_true(
        slice_equal_text(talk_say(fleet, "ada", "bob", "{}", NULL)->delivery, "queued"));
}

static size_t found(struct fleet *fleet, struct message_get_messages asked)
{
    const struct message message = { .type = MESSAGE_GET_MESSAGES,
                                     .as.get_messages = asked };
    return talk_ask(fleet, "ada", &message)->as.get_messages_answer.messages.count;
}

static void the_history_is_searched(void **state)
{
    struct fleet *fleet = *state;
    talk_channel(fleet, "general");
    int64_t start_ms = fleet->command.wall_ms;
    talk_say(fleet, "ada", "bob", "{}", NULL);
    fleet_pass(fleet, 100);
    talk_say(fleet, "bob", "ada", "{}", NULL);
    talk_say(fleet, "bob", NULL, "{}", NULL);
    fleet_pass(fleet, 100);
    talk_publish(fleet, "ada", "#General");

    struct message_get_messages asked = { .limit = 0 };
    assert_int_equal(found(fleet, asked), 4);
    asked.from = SLICE_OF("bob");
    assert_int_equal(found(fleet, asked), 2);
    asked.to = SLICE_OF("broadcast");
    assert_int_equal(found(fleet, asked), 1);
    asked = (struct message_get_messages){ .to = SLICE_OF("ada") };
    assert_int_equal(found(fleet, asked), 1);
    asked = (struct message_get_messages){ .channel = SLICE_OF("general") };
    assert_int_equal(found(fleet, asked), 1);
    asked.channel = SLICE_OF("nowhere");
    assert_int_equal(found(fleet, asked), 0);
    asked = (struct message_get_messages){ .has_start_time = true,
                                           .start_time = start_ms + 100 };
    assert_int_equal(found(fleet, asked), 3);
    asked.has_end_time = true;
    asked.end_time = start_ms + 100;
    assert_int_equal(found(fleet, asked), 2);
    asked.has_limit = true;
    asked.limit = 1;
    assert_int_equal(found(fleet, asked), 1);
    asked.has_cursor = true;
    asked.cursor = 3;
    assert_int_equal(found(fleet, asked), 0);
}

static void the_history_forgets_its_oldest_but_mailboxes_do_not(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.messages_max = 2;
    for (int i = 0; i < 5; i++)
        talk_say(fleet, "ada", "bob", "{}", NULL);
    assert_int_equal(found(fleet, (struct message_get_messages){ .limit = 0 }), 2);
    assert_int_equal(talk_mailbox(fleet, "bob", 0)->count, 5);
    fleet_verify(fleet);
    talk_acknowledge(fleet, "bob", 5);
    assert_int_equal(memory_rows(fleet->store, TABLE_LETTER), 2);
}

static void id_keep(char space[17], struct slice id)
{
    assert_int_equal(id.size, 16);
    memcpy(space, id.data, 16);
    space[16] = '\0';
}

static void a_thread_is_the_whole_tree_oldest_first(void **state)
{
    struct fleet *fleet = *state;
    char root[17];
    char left[17];
    char right[17];
    char leaf[17];
    id_keep(root, talk_say(fleet, "ada", "bob", "{}", "never-heard-of")->id);
    id_keep(left, talk_say(fleet, "bob", "ada", "{}", root)->id);
    id_keep(right, talk_say(fleet, "bob", "ada", "{}", root)->id);
    id_keep(leaf, talk_say(fleet, "ada", "bob", "{}", left)->id);

    struct message message = { .type = MESSAGE_GET_THREAD };
    message.as.get_thread.message_id = slice_from_text(leaf);
    const struct message_get_thread_answer *thread =
        &talk_ask(fleet, "ada", &message)->as.get_thread_answer;
    const struct message_stored_message *seen = thread->messages.items;
    const char *wanted[] = { root, left, right, leaf };
    assert_true(slice_equal_text(thread->root, root));
    assert_int_equal(thread->count, 4);
    for (int i = 0; i < 4; i++)
        assert_true(slice_equal_text(seen[i].id, wanted[i]));

    message = (struct message){ .type = MESSAGE_GET_THREAD_REPLIES };
    message.as.get_thread_replies.message_id = slice_from_text(root);
    assert_int_equal(talk_ask(fleet, "ada", &message)->as.get_thread_replies_answer.count,
                     2);
    message = (struct message){ .type = MESSAGE_GET_THREAD_ROOT };
    message.as.get_thread_root.message_id = slice_from_text(right);
    assert_true(slice_equal_text(
        talk_ask(fleet, "ada", &message)->as.get_thread_root_answer.root, root));
    message.as.get_thread_root.message_id = SLICE_OF("ffffffffffffffff");
    assert_true(
        slice_equal_text(talk_ask(fleet, "ada", &message)->as.get_thread_root_answer.root,
                         "ffffffffffffffff"));
}

static void a_publish_reaches_each_subscriber_once(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, BOB, 0);
    talk_channel(fleet, "#General");
    talk_join(fleet, "ada", "general");
    talk_join(fleet, "bob", "GENERAL");
    assert_non_null(fleet_sent(fleet, ADA.link, MESSAGE_CHANNEL_AGENT_JOINED));
    assert_null(fleet_sent(fleet, BOB.link, MESSAGE_CHANNEL_AGENT_JOINED));
    talk_join(fleet, "carol", "general");

    assert_int_equal(talk_publish(fleet, "ada", "general"), 1);
    const struct message *heard = fleet_sent(fleet, BOB.link, MESSAGE_CHANNEL_MESSAGE);
    assert_non_null(heard);
    assert_true(slice_equal_text(heard->as.channel_message.payload, "{\"n\": 1.50}"));
    assert_null(fleet_sent(fleet, ADA.link, MESSAGE_CHANNEL_MESSAGE));
    assert_int_equal(talk_mailbox(fleet, "bob", 0)->count, 0);
    assert_int_equal(talk_mailbox(fleet, "ada", 0)->count, 0);
    const struct message_get_mailbox_answer *box = talk_mailbox(fleet, "carol", 0);
    assert_int_equal(box->count, 1);
    assert_true(slice_equal_text(talk_mail(box, 0)->channel, "general"));
}

static void many_subscribers_hear_it_in_bounded_steps_and_in_order(void **state)
{
    struct fleet *fleet = *state;
    char name[32];
    fleet->settings.fanout_max = 3;
    talk_channel(fleet, "general");
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "agent%d", i);
        talk_join(fleet, name, "general");
    }
    talk_publish(fleet, "ada", "general");
    talk_publish(fleet, "ada", "general");
    fleet_verify(fleet);
    fleet_settle(fleet);
    fleet_verify(fleet);
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "agent%d", i);
        const struct message_get_mailbox_answer *box = talk_mailbox(fleet, name, 0);
        assert_int_equal(box->count, 2);
        struct slice first = talk_mail(box, 0)->id;
        assert_false(slice_equal(first, talk_mail(box, 1)->id));
    }
    assert_int_equal(memory_rows(fleet->store, TABLE_FANOUT), 0);
}

static const struct message_get_channel_history_answer *history(
    struct fleet *fleet, struct message_get_channel_history asked)
{
    struct message message = { .type = MESSAGE_GET_CHANNEL_HISTORY,
                               .as.get_channel_history = asked };
    message.as.get_channel_history.channel = SLICE_OF("general");
    return &talk_ask(fleet, "ada", &message)->as.get_channel_history_answer;
}

static int64_t first_seq(const struct message_get_channel_history_answer *page)
{
    return ((const struct message_channel_entry *)page->messages.items)->seq;
}

static void a_channels_history_is_paged_both_ways(void **state)
{
    struct fleet *fleet = *state;
    talk_channel(fleet, "general");
    fleet->settings.channel_messages_max = 10;
    for (int i = 0; i < 15; i++)
        talk_publish(fleet, "ada", "general");
    struct message_get_channel_history asked = { .has_limit = true, .limit = 4 };
    const struct message_get_channel_history_answer *page = history(fleet, asked);
    assert_int_equal(page->count, 4);
    assert_int_equal(first_seq(page), 12);
    assert_true(page->more);
    asked.has_before = true;
    asked.before = 12;
    page = history(fleet, asked);
    assert_int_equal(first_seq(page), 8);
    asked.before = 8;
    page = history(fleet, asked);
    assert_int_equal(page->count, 2);
    assert_int_equal(first_seq(page), 6);
    assert_false(page->more);

    asked = (struct message_get_channel_history){ .has_limit = true, .limit = 4 };
    asked.has_since = true;
    for (int64_t since = 0, wanted = 6; wanted <= 14; wanted += 4) {
        asked.since = since;
        page = history(fleet, asked);
        assert_int_equal(first_seq(page), wanted);
        assert_int_equal(page->count, wanted == 14 ? 2 : 4);
        assert_int_equal(page->more, wanted != 14);
        since = wanted + page->count - 1;
    }
}

static void names_of_nothing_are_refused(void **state)
{
    struct fleet *fleet = *state;
    static const char *const empty[] = { "#", "###", "\xc3\xa9", "!?" };
    for (size_t i = 0; i < 4; i++) {
        talk_channel(fleet, empty[i]);
        assert_string_equal(scene_http_error(fleet), "validation_failed");
    }
    talk_channel(fleet, "#Dev Ops_1");
    assert_true(slice_equal_text(fleet_answer(fleet)->message.as.post_channel_answer.name,
                                 "devops_1"));
    talk_channel(fleet, "devops_1");
    assert_string_equal(scene_http_error(fleet), "channel_exists");
    talk_join(fleet, "ada", "nowhere");
    assert_string_equal(scene_http_error(fleet), "channel_not_found");
}

static void leaving_all_leaves_all(void **state)
{
    struct fleet *fleet = *state;
    struct message message = { .type = MESSAGE_CHANNEL_UNSUBSCRIBE };
    talk_channel(fleet, "one");
    talk_channel(fleet, "two");
    talk_join(fleet, "ada", "one");
    talk_join(fleet, "ada", "two");
    message.as.channel_unsubscribe.channel = SLICE_OF("*");
    fleet_as_agent(fleet, ADA.name, ADA.link);
    fleet_do(fleet, &message);
    const struct message *left =
        fleet_sent(fleet, ADA.link, MESSAGE_CHANNEL_UNSUBSCRIBED);
    assert_non_null(left);
    assert_int_equal(left->as.channel_unsubscribed.count, 2);
    message = (struct message){ .type = MESSAGE_GET_AGENT_SUBSCRIPTIONS };
    message.as.get_agent_subscriptions.agent_id = SLICE_OF("ada");
    assert_int_equal(talk_ask(fleet, "ada", &message)
                         ->as.get_agent_subscriptions_answer.channels.count,
                     0);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        STORY(who_is_away_finds_it_in_the_mailbox),
        STORY(a_sequence_never_starts_again),
        STORY(a_full_mailbox_drops_its_oldest),
        STORY(mail_goes_when_its_time_is_over),
        STORY(a_shorter_retention_holds_for_what_is_there),
        STORY(a_mailbox_is_its_owners_alone),
        STORY(a_broadcast_is_kept_for_the_absent_in_bounded_steps),
        STORY(the_mailbox_is_pushed_to_who_asks_for_it),
        STORY(too_many_mailboxes_are_not_opened),
        STORY(the_history_is_searched),
        STORY(the_history_forgets_its_oldest_but_mailboxes_do_not),
        STORY(a_thread_is_the_whole_tree_oldest_first),
        STORY(a_publish_reaches_each_subscriber_once),
        STORY(many_subscribers_hear_it_in_bounded_steps_and_in_order),
        STORY(a_channels_history_is_paged_both_ways),
        STORY(names_of_nothing_are_refused),
        STORY(leaving_all_leaves_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
