/*
 * Goal: limits of single names are kept and told to the gate; who goes too far gets no
 * task until it is over, and then what waits for it.
 */
#include "core/rate.h"
#include "core/scene.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

static const struct scene_agent ADA = { "ada", 11 };
static const struct scene_agent BOB = { "bob", 12 };

enum { WINDOW_MS = 60 * 1000 };

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
    fleet_verify(fleet);
    fleet_finish(fleet);
    return 0;
}

static const struct effect *effect_of(const struct fleet *fleet, enum effect_kind kind)
{
    for (const struct effect *effect = fleet->effects.first; effect != NULL;
         effect = effect->next)
        if (effect->kind == kind)
            return effect;
    return NULL;
}

static const struct message *ask(struct fleet *fleet, const struct message *message)
{
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, message);
    return &fleet_answer(fleet)->message;
}

static const struct message * override(struct fleet *fleet, const char *name,
                                       struct message_rate_limit *heavy)
{
    struct message message = { .type = MESSAGE_PUT_RATE_LIMIT };
    message.as.put_rate_limit.agent_id = slice_from_text(name);
    message.as.put_rate_limit.heavy = heavy;
    return ask(fleet, &message);
}

static const struct message *exempt(struct fleet *fleet, const char *name)
{
    struct message message = { .type = MESSAGE_POST_RATE_WHITELIST };
    message.as.post_rate_whitelist.agent_id = slice_from_text(name);
    return ask(fleet, &message);
}

static void violate(struct fleet *fleet, const char *name)
{
    struct message message = { .type = MESSAGE_RATE_VIOLATED };
    message.as.rate_violated =
        (struct message_rate_violated){ slice_from_text(name), WINDOW_MS };
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
}

static bool was_assigned(const struct fleet *fleet, struct scene_agent agent)
{
    return fleet_sent(fleet, agent.link, MESSAGE_TASK_ASSIGN) != NULL;
}

static void an_override_is_kept_and_told_to_the_gate(void **state)
{
    struct fleet *fleet = *state;
    struct message_rate_limit heavy = { 100, 50 };
    struct rate_override kept;

    const struct message *answer = override(fleet, "ada", &heavy);
    assert_int_equal(answer->type, MESSAGE_PUT_RATE_LIMIT_ANSWER);
    assert_int_equal(answer->as.put_rate_limit_answer.overrides->heavy->capacity, 100);
    const struct effect *effect = effect_of(fleet, EFFECT_RATE_OVERRIDE);
    assert_true(slice_equal_text(effect->actor, "ada"));
    assert_true(effect->override.set[RATE_HEAVY] && !effect->override.set[RATE_LIGHT]);
    assert_int_equal(effect->override.rates[RATE_HEAVY].per_minute, 50);

    struct step step = fleet_step(fleet);
    assert_true(rate_override_load(&step, SLICE_OF("ada"), &kept));
    assert_int_equal(kept.rates[RATE_HEAVY].capacity, 100);
}

static void an_override_taken_away_is_told_as_none(void **state)
{
    struct fleet *fleet = *state;
    struct message_rate_limit heavy = { 100, 50 };
    struct message message = { .type = MESSAGE_DELETE_RATE_LIMIT };
    message.as.delete_rate_limit.agent_id = SLICE_OF("ada");

    override(fleet, "ada", &heavy);
    assert_int_equal(ask(fleet, &message)->type, MESSAGE_DELETE_RATE_LIMIT_ANSWER);
    assert_true(
        rate_override_is_empty(&effect_of(fleet, EFFECT_RATE_OVERRIDE)->override));
    /* Again there is nothing to take, and nothing to tell. */
    assert_int_equal(ask(fleet, &message)->type, MESSAGE_DELETE_RATE_LIMIT_ANSWER);
    assert_null(effect_of(fleet, EFFECT_RATE_OVERRIDE));
}

static void an_override_of_nothing_is_refused(void **state)
{
    struct fleet *fleet = *state;
    const struct message *answer = override(fleet, "ada", NULL);
    assert_true(slice_equal_text(answer->as.http_error.error, "invalid_overrides"));
    assert_int_equal(answer->as.http_error.errors.count, 1);
}

static void a_name_that_is_no_key_is_refused(void **state)
{
    struct fleet *fleet = *state;
    char name[RATE_NAME_BYTES_MAX + 2];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    struct message_rate_limit heavy = { 1, 1 };
    assert_true(slice_equal_text(override(fleet, name, &heavy)->as.http_error.error,
                                 "invalid_overrides"));
    assert_true(
        slice_equal_text(exempt(fleet, name)->as.http_error.error, "invalid_agent_id"));
}

static void there_is_room_for_so_many_and_no_more(void **state)
{
    struct fleet *fleet = *state;
    char name[32];
    struct message_rate_limit heavy = { 1, 1 };
    for (int i = 0; i < RATE_OVERRIDES_MAX; i++) {
        snprintf(name, sizeof name, "name-%d", i);
        assert_int_equal(override(fleet, name, &heavy)->type,
                         MESSAGE_PUT_RATE_LIMIT_ANSWER);
    }
    assert_true(slice_equal_text(override(fleet, "more", &heavy)->as.http_error.error,
                                 "too_many_rate_limits"));
    assert_int_equal(override(fleet, "name-7", &heavy)->type,
                     MESSAGE_PUT_RATE_LIMIT_ANSWER);
}

static void a_new_whitelist_takes_the_old_ones_place(void **state)
{
    struct fleet *fleet = *state;
    struct slice names[] = { SLICE("cy"), SLICE("bob"), SLICE("cy") };
    struct message message = { .type = MESSAGE_PUT_RATE_WHITELIST };
    message.as.put_rate_whitelist.agent_ids = (struct slice_list){ names, 3 };

    exempt(fleet, "ada");
    exempt(fleet, "bob");
    const struct slice_list list =
        ask(fleet, &message)->as.put_rate_whitelist_answer.whitelist;
    assert_int_equal(list.count, 2);
    assert_true(slice_equal_text(list.items[0], "bob"));
    assert_true(slice_equal_text(list.items[1], "cy"));
    /* ada leaves, cy joins, and bob stays as it was. */
    assert_int_equal(fleet_count(fleet, EFFECT_RATE_EXEMPT), 2);
}

static void who_goes_too_far_gets_no_task_until_it_is_over(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    violate(fleet, "ada");
    fleet_submit(fleet, "work");
    assert_false(was_assigned(fleet, ADA));
    assert_int_equal(fleet_next_due_ms(fleet), WINDOW_MS);
    fleet_pass(fleet, WINDOW_MS - 1);
    fleet_settle(fleet);
    assert_false(was_assigned(fleet, ADA));
    fleet_pass(fleet, 1);
    fleet_as_hub(fleet);
    fleet_do(fleet, &(struct message){ .type = MESSAGE_TICK });
    assert_true(was_assigned(fleet, ADA));
}

static void another_agent_gets_the_task_instead(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    scene_identify(fleet, BOB, 1);
    violate(fleet, "ada");
    fleet_submit(fleet, "work");
    assert_true(was_assigned(fleet, BOB));
}

static void a_later_violation_moves_the_end(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    violate(fleet, "ada");
    fleet_pass(fleet, WINDOW_MS / 2);
    violate(fleet, "ada");
    assert_int_equal(fleet_next_due_ms(fleet), WINDOW_MS);
}

static void coming_anew_changes_nothing_about_it(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    violate(fleet, "ada");
    scene_identify(fleet, (struct scene_agent){ "ada", 99 }, 1);
    fleet_submit(fleet, "work");
    assert_null(fleet_sent(fleet, 99, MESSAGE_TASK_ASSIGN));
}

static void who_is_given_other_limits_is_forgiven_at_once(void **state)
{
    struct fleet *fleet = *state;
    struct message_rate_limit heavy = { 100, 50 };
    scene_identify(fleet, ADA, 1);
    violate(fleet, "ada");
    fleet_submit(fleet, "work");
    override(fleet, "ada", &heavy);
    assert_true(was_assigned(fleet, ADA));
}

static void who_is_exempt_is_never_held_back(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    exempt(fleet, "ada");
    violate(fleet, "ada");
    fleet_submit(fleet, "work");
    assert_true(was_assigned(fleet, ADA));
}

static void what_it_holds_it_keeps(void **state)
{
    struct fleet *fleet = *state;
    scene_identify(fleet, ADA, 1);
    fleet_submit(fleet, "work");
    violate(fleet, "ada");
    assert_int_equal(scene_agent_row(fleet, ADA).held, 1);
}

static void names_the_fleet_does_not_know_are_nobodys(void **state)
{
    struct fleet *fleet = *state;
    violate(fleet, "nobody");
    assert_int_equal(fleet_next_due_ms(fleet), INT64_MAX);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(an_override_is_kept_and_told_to_the_gate),
        CASE(an_override_taken_away_is_told_as_none),
        CASE(an_override_of_nothing_is_refused),
        CASE(a_name_that_is_no_key_is_refused),
        CASE(there_is_room_for_so_many_and_no_more),
        CASE(a_new_whitelist_takes_the_old_ones_place),
        CASE(who_goes_too_far_gets_no_task_until_it_is_over),
        CASE(another_agent_gets_the_task_instead),
        CASE(a_later_violation_moves_the_end),
        CASE(coming_anew_changes_nothing_about_it),
        CASE(who_is_given_other_limits_is_forgiven_at_once),
        CASE(who_is_exempt_is_never_held_back),
        CASE(what_it_holds_it_keeps),
        CASE(names_the_fleet_does_not_know_are_nobodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
