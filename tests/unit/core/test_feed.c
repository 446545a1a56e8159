/*
 * Goal: a subscriber knows every agent as it is: by a snapshot in pages, by deltas that
 * show each agent once however often it changed, and after a pause by what has changed
 * since; and whoever is not subscribed costs nobody anything.
 * Method: stories with a subscriber that keeps what it is told; at every end what it
 * keeps is compared with the hub's own list.
 */
#include "core/scene.h"

#include "core/feed.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

static const struct scene_agent ADA = { "ada", 11 };
static const struct scene_agent BOB = { "bob", 12 };
static const struct scene_agent BOB_AGAIN = { "bob", 22 };
static const struct scene_agent EYE = { "eye", 99 };

enum {
    KNOWN_MAX = 300,
    LINGER_MS = 10 * 60 * 1000,
};

/* What a subscriber knows. */
struct known {
    char id[32];
    char state[16];
    char status[16];
};

struct watcher {
    struct known agents[KNOWN_MAX];
    size_t count;
    int64_t epoch;
    int64_t sequence;
    char cursor[32];
    bool resumed;
    size_t frames;
    size_t shown; /* agents in the last frame */
};

static struct watcher eye;

static int begin(void **state)
{
    static struct fleet fleet;
    fleet_init(&fleet);
    eye = (struct watcher){ .count = 0 };
    scene_hub_started(&fleet);
    scene_identify(&fleet, EYE, 0);
    scene_identify(&fleet, ADA, 1);
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

static void text_keep(char *space, size_t room, struct slice text)
{
    assert_true(text.size < room);
    if (text.size > 0)
        memcpy(space, text.data, text.size);
    space[text.size] = '\0';
}

static void learn(const struct message_list *agents)
{
    const struct message_agent_listed *items = agents->items;
    eye.shown = agents->count;
    for (size_t i = 0; i < agents->count; i++) {
        size_t at = 0;
        while (at < eye.count && !slice_equal_text(items[i].agent_id, eye.agents[at].id))
            at++;
        if (slice_equal_text(items[i].fsm_state, "offline")) {
            if (at < eye.count)
                eye.agents[at] = eye.agents[--eye.count];
            continue;
        }
        if (at == eye.count)
            assert_true(++eye.count <= KNOWN_MAX);
        text_keep(eye.agents[at].id, sizeof eye.agents[at].id, items[i].agent_id);
        text_keep(eye.agents[at].state, sizeof eye.agents[at].state, items[i].fsm_state);
        text_keep(eye.agents[at].status, sizeof eye.agents[at].status, items[i].status);
    }
}

static bool page_ask(struct fleet *fleet, struct scene_agent who,
                     const struct message_presence_subscribe *asked)
{
    struct message message = { .type = MESSAGE_PRESENCE_SUBSCRIBE };
    message.as.presence_subscribe = *asked;
    fleet_as_agent(fleet, who.name, who.link);
    fleet_do(fleet, &message);
    const struct message *sent = fleet_sent(fleet, who.link, MESSAGE_PRESENCE_SNAPSHOT);
    if (sent == NULL)
        return false;
    const struct message_presence_snapshot *page = &sent->as.presence_snapshot;
    if (!page->resumed && !slice_is_present(asked->cursor))
        eye.count = 0;
    learn(&page->agents);
    eye.epoch = page->epoch;
    eye.sequence = page->sequence;
    eye.resumed = page->resumed;
    text_keep(eye.cursor, sizeof eye.cursor, page->cursor);
    return true;
}

/* All pages, from the start or from where the watcher was. */
static void subscribe(struct fleet *fleet, bool resume, int64_t limit)
{
    char cursor[32];
    assert_true(page_ask(fleet, EYE,
                         &(struct message_presence_subscribe){
                             .has_epoch = resume,
                             .epoch = eye.epoch,
                             .has_sequence = resume,
                             .sequence = eye.sequence,
                             .has_limit = true,
                             .limit = limit,
                         }));
    while (eye.cursor[0] != '\0') {
        memcpy(cursor, eye.cursor, sizeof cursor);
        assert_true(page_ask(
            fleet, EYE,
            &(struct message_presence_subscribe){
                .cursor = slice_from_text(cursor), .has_limit = true, .limit = limit }));
    }
}

/* Time goes on in ticks; what is published is learnt. */
static void listen(struct fleet *fleet, int64_t ms)
{
    const struct message tick = { .type = MESSAGE_TICK };
    for (int64_t left = ms; left >= 0; left -= 10) {
        fleet_as_hub(fleet);
        fleet_do(fleet, &tick);
        for (const struct effect *effect = fleet->effects.first; effect != NULL;
             effect = effect->next) {
            if (effect->kind != EFFECT_PUBLISH)
                continue;
            const struct message_presence_changed *changed =
                &effect->message.as.presence_changed;
            assert_int_equal(changed->from, eye.sequence);
            assert_true(changed->sequence > changed->from);
            eye.sequence = changed->sequence;
            eye.frames++;
            learn(&changed->agents);
        }
        fleet_pass(fleet, 10);
    }
}

/* The watcher knows what the hub knows. */
static void compare(struct fleet *fleet)
{
    const struct message message = { .type = MESSAGE_GET_AGENTS };
    fleet_as_client(fleet, NULL, ROLE_ANYBODY);
    fleet_do(fleet, &message);
    const struct message_list *list =
        &fleet_answer(fleet)->message.as.get_agents_answer.agents;
    const struct message_agent_listed *items = list->items;
    assert_int_equal(list->count, eye.count);
    for (size_t i = 0; i < list->count; i++) {
        size_t at = 0;
        while (at < eye.count && !slice_equal_text(items[i].agent_id, eye.agents[at].id))
            at++;
        assert_true(at < eye.count);
        assert_true(slice_equal_text(items[i].fsm_state, eye.agents[at].state));
        assert_true(slice_equal_text(items[i].status, eye.agents[at].status));
    }
}

static void status(struct fleet *fleet, struct scene_agent agent, const char *text)
{
    struct message message = { .type = MESSAGE_STATUS };
    message.as.status.status = slice_from_text(text);
    fleet_as_agent(fleet, agent.name, agent.link);
    fleet_do(fleet, &message);
}

static struct feed feed_of(struct fleet *fleet)
{
    struct feed feed;
    struct step step = fleet_step(fleet);
    feed_load(&step, &feed);
    return feed;
}

static void crowd(struct fleet *fleet, int count)
{
    static char names[KNOWN_MAX][16];
    const char *can[] = {
        "something that takes a hundred characters or so to say, for the "
        "frames to be large that show it",
        NULL
    };
    for (int i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "a%d", i);
        fleet_identify(fleet, names[i], 1000 + (uint64_t)i, can, 1);
    }
}

static void a_snapshot_shows_everybody_and_deltas_follow(void **state)
{
    struct fleet *fleet = *state;
    subscribe(fleet, false, 500);
    assert_false(eye.resumed);
    assert_int_equal(eye.count, 2);
    assert_int_equal(fleet_count(fleet, EFFECT_SUBSCRIBE), 1);
    compare(fleet);

    scene_identify(fleet, BOB, 1);
    listen(fleet, 500);
    assert_int_equal(eye.frames, 1);
    compare(fleet);
    uint64_t task = scene_submit_plain(fleet);
    listen(fleet, 500);
    compare(fleet);
    scene_accepted(fleet, ADA, task, 1);
    listen(fleet, 500);
    compare(fleet);
    scene_blocked(fleet, ADA, task, 1, "why?");
    listen(fleet, 500);
    compare(fleet);
    scene_drain(fleet, BOB, true);
    listen(fleet, 500);
    scene_complete(fleet, ADA, task, 1);
    scene_link_closed(fleet, BOB.link);
    listen(fleet, 500);
    assert_int_equal(eye.frames, 6);
    compare(fleet);
    listen(fleet, 2000);
    assert_int_equal(eye.frames, 6);
}

static void who_changes_often_is_told_once(void **state)
{
    struct fleet *fleet = *state;
    subscribe(fleet, false, 500);
    char text[16];
    /* The first change after a silence is told at once. */
    status(fleet, ADA, "first");
    listen(fleet, 0);
    assert_int_equal(eye.frames, 1);
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof text, "%d", i);
        status(fleet, ADA, text);
    }
    listen(fleet, fleet->settings.presence_interval_ms);
    assert_int_equal(eye.frames, 2);
    assert_int_equal(eye.shown, 1);
    compare(fleet);
}

static void many_changes_come_in_bounded_frames(void **state)
{
    struct fleet *fleet = *state;
    subscribe(fleet, false, 500);
    crowd(fleet, 290);
    listen(fleet, 1000);
    assert_int_equal(eye.frames, 2); /* by bytes */
    assert_int_equal(eye.count, 292);
    compare(fleet);
}

static void a_snapshot_comes_in_pages_while_changes_go_on(void **state)
{
    struct fleet *fleet = *state;
    crowd(fleet, 40);
    char cursor[32];
    struct message_presence_subscribe asked = { .has_limit = true, .limit = 7 };
    assert_true(page_ask(fleet, EYE, &asked));
    for (int page = 0; eye.cursor[0] != '\0'; page++) {
        status(fleet, ADA, page % 2 == 0 ? "even" : "odd");
        if (page == 2)
            scene_link_closed(fleet, 1003);
        if (page == 3)
            scene_identify(fleet, BOB, 1);
        listen(fleet, 300);
        memcpy(cursor, eye.cursor, sizeof cursor);
        asked.cursor = slice_from_text(cursor);
        assert_true(page_ask(fleet, EYE, &asked));
    }
    listen(fleet, 500);
    assert_int_equal(eye.count, 42);
    compare(fleet);
}

static void who_comes_back_hears_only_what_has_changed(void **state)
{
    struct fleet *fleet = *state;
    crowd(fleet, 60);
    scene_identify(fleet, BOB, 1);
    subscribe(fleet, false, 500);
    status(fleet, ADA, "before");
    listen(fleet, 300);
    scene_link_closed(fleet, EYE.link);
    status(fleet, ADA, "after");
    status(fleet, ADA, "after that");
    scene_link_closed(fleet, BOB.link);
    fleet_settle(fleet);
    fleet_pass(fleet, LINGER_MS - 1000);
    fleet_settle(fleet);
    scene_identify(fleet, EYE, 0);
    subscribe(fleet, true, 2);
    assert_true(eye.resumed);
    listen(fleet, 300);
    compare(fleet);

    /* A hub that is started again drops everybody, and tells it likewise. */
    scene_hub_started(fleet);
    assert_int_equal(feed_of(fleet).subscribers, 0);
    scene_identify(fleet, EYE, 0);
    scene_identify(fleet, BOB_AGAIN, 1);
    subscribe(fleet, true, 10);
    assert_true(eye.resumed);
    listen(fleet, 300);
    assert_int_equal(eye.count, 2);
    compare(fleet);
}

static void what_is_not_known_any_more_is_a_new_snapshot(void **state)
{
    struct fleet *fleet = *state;
    subscribe(fleet, false, 500);
    scene_link_closed(fleet, EYE.link);
    status(fleet, ADA, "unheard");
    fleet_pass(fleet, LINGER_MS + 1000);
    fleet_settle(fleet);
    assert_int_equal(feed_of(fleet).floor, 0);
    uint64_t writes = memory_rows(fleet->store, TABLE_PRESENCE_CHANGE);
    scene_identify(fleet, BOB, 1);
    assert_int_equal(memory_rows(fleet->store, TABLE_PRESENCE_CHANGE), writes);

    scene_identify(fleet, EYE, 0);
    subscribe(fleet, true, 500);
    assert_false(eye.resumed);
    compare(fleet);

    eye.sequence += 1000; /* of another hub */
    subscribe(fleet, true, 500);
    assert_false(eye.resumed);
    eye.epoch += 1;
    subscribe(fleet, true, 500);
    assert_false(eye.resumed);
    compare(fleet);
}

static void a_second_subscriber_is_told_the_same_once(void **state)
{
    struct fleet *fleet = *state;
    subscribe(fleet, false, 500);
    scene_identify(fleet, BOB, 0);
    assert_true(page_ask(fleet, BOB, &(struct message_presence_subscribe){ .limit = 0 }));
    assert_int_equal(feed_of(fleet).subscribers, 2);
    subscribe(fleet, false, 500);
    assert_int_equal(feed_of(fleet).subscribers, 2);
    listen(fleet, 300);
    size_t before = eye.frames;
    status(fleet, ADA, "x");
    listen(fleet, 300);
    assert_int_equal(eye.frames, before + 1);

    const struct message leave = { .type = MESSAGE_PRESENCE_UNSUBSCRIBE };
    fleet_as_agent(fleet, BOB.name, BOB.link);
    fleet_do(fleet, &leave);
    assert_non_null(fleet_sent(fleet, BOB.link, MESSAGE_PRESENCE_UNSUBSCRIBED));
    assert_int_equal(fleet_count(fleet, EFFECT_UNSUBSCRIBE), 1);
    fleet_do(fleet, &leave);
    assert_non_null(fleet_sent(fleet, BOB.link, MESSAGE_PRESENCE_UNSUBSCRIBED));
    assert_int_equal(fleet_count(fleet, EFFECT_UNSUBSCRIBE), 0);
    assert_int_equal(feed_of(fleet).subscribers, 1);
    /* A newer connection has to subscribe itself. */
    scene_identify(fleet, (struct scene_agent){ "eye", 199 }, 0);
    assert_int_equal(feed_of(fleet).subscribers, 0);
}

static void there_are_no_more_subscribers_than_allowed(void **state)
{
    struct fleet *fleet = *state;
    fleet->settings.presence_subscribers_max = 1;
    subscribe(fleet, false, 500);
    scene_identify(fleet, BOB, 0);
    assert_false(
        page_ask(fleet, BOB, &(struct message_presence_subscribe){ .limit = 0 }));
    assert_string_equal(scene_error(fleet, BOB.link), "too_many_subscribers");
    subscribe(fleet, true, 500);
}

static void a_cursor_is_good_for_its_own_subscription_alone(void **state)
{
    struct fleet *fleet = *state;
    static const char *const cursors[] = { "a0000000000000001", "c0000000000000001" };
    for (size_t i = 0; i < 2; i++) {
        struct message_presence_subscribe asked = { .cursor =
                                                        slice_from_text(cursors[i]) };
        assert_false(page_ask(fleet, EYE, &asked));
        assert_string_equal(scene_error(fleet, EYE.link), "validation_failed");
    }
    subscribe(fleet, false, 500);
    static const char *const bad[] = { "", "a", "x0000000000000001", "a000000000000000g",
                                       "a00000000000000010" };
    for (size_t i = 0; i < 5; i++) {
        struct message_presence_subscribe asked = { .cursor = slice_from_text(bad[i]) };
        assert_false(page_ask(fleet, EYE, &asked));
        assert_string_equal(scene_error(fleet, EYE.link), "validation_failed");
    }
    assert_true(page_ask(
        fleet, EYE,
        &(struct message_presence_subscribe){ .cursor = slice_from_text(cursors[0]) }));
}

static void spoil(struct fleet *fleet, enum table table, uint64_t key, uint64_t number)
{
    struct step step = fleet_step(fleet);
    struct number_key space;
    step_put_number(&step, table, key_one(&space, key), number);
    memory_commit(fleet->store);
}

static void broken(struct fleet *fleet, const char *wanted)
{
    const char *text = NULL;
    assert_int_equal(core_verify(memory_transaction(fleet->store), &text), ERR_CORRUPT);
    assert_string_equal(text, wanted);
}

static void a_feed_that_does_not_fit_together_is_found(void **state)
{
    struct fleet *fleet = *state;
    struct number_key space;
    subscribe(fleet, false, 500);
    status(fleet, ADA, "x");
    listen(fleet, 300);
    fleet_verify(fleet);
    uint64_t ada = scene_agent_row(fleet, ADA).number;
    uint64_t last = feed_of(fleet).last;

    spoil(fleet, TABLE_PRESENCE_AGENT, ada, last - 1);
    broken(fleet, "a change is not its agent's last");
    spoil(fleet, TABLE_PRESENCE_AGENT, ada, last);
    spoil(fleet, TABLE_PRESENCE_AGENT, ada + 100, last);
    broken(fleet, "an agent's last change is not there");
    transaction_remove(memory_transaction(fleet->store), TABLE_PRESENCE_AGENT,
                       key_one(&space, ada + 100));
    struct step step = fleet_step(fleet);
    step_put_mark(&step, TABLE_PRESENCE_LINK, key_one(&space, 4711));
    broken(fleet, "a subscriber is not connected");
    step_remove(&step, TABLE_PRESENCE_LINK, key_one(&space, 4711));
    step_put_mark(&step, TABLE_PRESENCE_LINK, key_one(&space, ADA.link));
    broken(fleet, "the count of subscribers is wrong");
    step_remove(&step, TABLE_PRESENCE_LINK, key_one(&space, ADA.link));
    memory_commit(fleet->store);
    fleet_verify(fleet);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_snapshot_shows_everybody_and_deltas_follow),
        STORY(who_changes_often_is_told_once),
        STORY(many_changes_come_in_bounded_frames),
        STORY(a_snapshot_comes_in_pages_while_changes_go_on),
        STORY(who_comes_back_hears_only_what_has_changed),
        STORY(what_is_not_known_any_more_is_a_new_snapshot),
        STORY(a_second_subscriber_is_told_the_same_once),
        STORY(there_are_no_more_subscribers_than_allowed),
        STORY(a_cursor_is_good_for_its_own_subscription_alone),
        STORY(a_feed_that_does_not_fit_together_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
