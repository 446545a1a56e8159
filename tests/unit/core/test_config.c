/*
 * Goal: what operators set is kept in the tables, told to who asks and to who comes.
 */
#include "core/scene.h"

#include "cmocka_all.h"

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
    fleet_verify(fleet);
    fleet_finish(fleet);
    return 0;
}

static const struct message *ask(struct fleet *fleet, enum message_type type)
{
    const struct message message = { .type = type };
    fleet_as_client(fleet, NULL, ROLE_ANYBODY);
    fleet_do(fleet, &message);
    return &fleet_answer(fleet)->message;
}

static void set_heartbeat(struct fleet *fleet, int64_t interval_ms)
{
    struct message message = { .type = MESSAGE_PUT_HEARTBEAT_INTERVAL };
    message.as.put_heartbeat_interval.heartbeat_interval_ms = interval_ms;
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

static void assert_heartbeat(struct fleet *fleet, int64_t interval_ms, int64_t told_ms)
{
    const struct message_get_heartbeat_interval_answer *answer =
        &ask(fleet, MESSAGE_GET_HEARTBEAT_INTERVAL)->as.get_heartbeat_interval_answer;
    assert_int_equal(answer->heartbeat_interval_ms, interval_ms);
    assert_int_equal(answer->effective_interval_ms, told_ms);

    scene_identify(fleet, ADA, 1);
    const struct message *identified = fleet_sent(fleet, ADA.link, MESSAGE_IDENTIFIED);
    assert_true(identified->as.identified.has_heartbeat_interval_ms);
    assert_int_equal(identified->as.identified.heartbeat_interval_ms, told_ms);
}

static void an_agent_is_told_to_speak_before_its_connection_is_given_up(void **state)
{
    struct fleet *fleet = *state;
    assert_heartbeat(fleet, 900000, 30000);
    set_heartbeat(fleet, 10000);
    assert_heartbeat(fleet, 10000, 10000);
    set_heartbeat(fleet, 1);
    assert_heartbeat(fleet, 1, 1000);
    set_heartbeat(fleet, 31536000000000);
    assert_heartbeat(fleet, 31536000000000, 30000);
}

static struct slice repo(struct fleet *fleet, bool *ret_configured)
{
    const struct message_get_default_repo_answer *answer =
        &ask(fleet, MESSAGE_GET_DEFAULT_REPO)->as.get_default_repo_answer;
    *ret_configured = answer->configured;
    return answer->default_repo;
}

static void set_repo(struct fleet *fleet, const char *url)
{
    struct message message = { .type = MESSAGE_PUT_DEFAULT_REPO };
    message.as.put_default_repo.url = slice_from_text(url);
    fleet_as_client(fleet, "ops", ROLE_OPERATOR);
    fleet_do(fleet, &message);
}

static struct slice repo_of_new_agent(struct fleet *fleet, const char *name)
{
    struct message message = { .type = MESSAGE_POST_ONBOARD_REGISTER };
    message.as.post_onboard_register.agent_id = slice_from_text(name);
    fleet_as_client(fleet, NULL, ROLE_ANYBODY);
    fleet->command.minted = true;
    fleet->command.minted_digest[0]++;
    fleet_do(fleet, &message);
    fleet->command.minted = false;
    return fleet_answer(fleet)->message.as.post_onboard_register_answer.default_repo;
}

static void the_default_repo_is_told_to_who_registers_until_it_is_taken_away(void **state)
{
    struct fleet *fleet = *state;
    bool configured;
    assert_false(slice_is_present(repo(fleet, &configured)));
    assert_false(configured);
    assert_false(slice_is_present(repo_of_new_agent(fleet, "ada")));

    set_repo(fleet, "https://git.example/fleet.git");
    assert_true(
        slice_equal_text(repo(fleet, &configured), "https://git.example/fleet.git"));
    assert_true(configured);
    assert_true(slice_equal_text(repo_of_new_agent(fleet, "bob"),
                                 "https://git.example/fleet.git"));

    set_repo(fleet, "");
    assert_false(slice_is_present(repo(fleet, &configured)));
    assert_false(configured);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_agent_is_told_to_speak_before_its_connection_is_given_up, begin, end),
        cmocka_unit_test_setup_teardown(
            the_default_repo_is_told_to_who_registers_until_it_is_taken_away, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
