/*
 * Goal: a token is known by its digest from the commit on, and by nothing afterwards.
 * Method: the routes of tokens against tables in memory.
 */
#include "cmocka_all.h"

#include "core/fleet.h"
#include "core/role.h"
#include "core/token.h"

#include <string.h>

static void mint_as(struct fleet *fleet, uint8_t mark)
{
    fleet->command.minted = true;
    memset(fleet->command.minted_digest, mark, DIGEST_BYTES);
    memset(fleet->command.minted_prefix, 'a' + mark % 26, 8);
}

static void ask_for(struct fleet *fleet, const char *agent_id, const char *role,
                    uint8_t mark)
{
    struct message message = { .type = MESSAGE_POST_ADMIN_TOKEN };
    message.as.post_admin_token.agent_id = slice_from_text(agent_id);
    message.as.post_admin_token.role = slice_from_text(role);
    mint_as(fleet, mark);
    fleet_as_client(fleet, "root", ROLE_ADMIN);
    fleet_do(fleet, &message);
}

static void register_agent(struct fleet *fleet, const char *agent_id, uint8_t mark)
{
    struct message message = { .type = MESSAGE_POST_ONBOARD_REGISTER };
    message.as.post_onboard_register.agent_id = slice_from_text(agent_id);
    mint_as(fleet, mark);
    fleet_as_client(fleet, NULL, ROLE_ANYBODY);
    fleet_do(fleet, &message);
}

static void revoke(struct fleet *fleet, const char *agent_id)
{
    struct message message = { .type = MESSAGE_DELETE_ADMIN_TOKEN };
    message.as.delete_admin_token.agent_id = slice_from_text(agent_id);
    fleet_do(fleet, &message);
}

/* The next commands come with the token whose digest is made of this mark. */
static void comes_with(struct fleet *fleet, uint8_t mark)
{
    fleet->command.credential_present = true;
    memset(fleet->command.credential, mark, DIGEST_BYTES);
}

static size_t keys(struct fleet *fleet)
{
    uint8_t position[DIGEST_BYTES] = { 0 };
    struct core_key key;
    size_t count = 0;
    while (core_key_next(memory_transaction(fleet->store), position, &key) == ERR_OK)
        count++;
    return count;
}

static void assert_refused(struct fleet *fleet, const char *code)
{
    const struct effect *answer = fleet_answer(fleet);
    assert_non_null(answer);
    assert_int_equal(answer->message.type, MESSAGE_HTTP_ERROR);
    assert_true(slice_equal_text(answer->message.as.http_error.error, code));
}

static void assert_answered(struct fleet *fleet, enum message_type type)
{
    const struct effect *answer = fleet_answer(fleet);
    assert_non_null(answer);
    assert_int_equal(answer->message.type, type);
}

static void a_minted_token_joins_the_ring_with_its_role(void **state)
{
    (void)state;
    struct fleet fleet;
    uint8_t position[DIGEST_BYTES] = { 0 };
    struct core_key key;

    fleet_init(&fleet);
    ask_for(&fleet, "ci", "submitter", 7);
    assert_answered(&fleet, MESSAGE_POST_ADMIN_TOKEN_ANSWER);
    const struct message *answer = &fleet_answer(&fleet)->message;
    assert_true(slice_equal_text(answer->as.post_admin_token_answer.role, "submitter"));
    assert_false(slice_is_present(answer->as.post_admin_token_answer.token));
    assert_int_equal(fleet_count(&fleet, EFFECT_KEY_ADD), 1);

    assert_int_equal(core_key_next(memory_transaction(fleet.store), position, &key),
                     ERR_OK);
    assert_int_equal(key.digest[0], 7);
    assert_int_equal(key.role, ROLE_SUBMITTER);
    assert_true(slice_equal_text(key.actor, "ci"));
    assert_int_equal(core_key_next(memory_transaction(fleet.store), position, &key),
                     ERR_NOT_FOUND);
    fleet_verify(&fleet);
    fleet_finish(&fleet);
}

static void a_token_without_a_role_is_an_agents(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    ask_for(&fleet, "ada", NULL, 1);
    assert_true(slice_equal_text(
        fleet_answer(&fleet)->message.as.post_admin_token_answer.role, "agent"));
    fleet_finish(&fleet);
}

static void an_unknown_role_is_refused_and_makes_nothing(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    ask_for(&fleet, "ada", "emperor", 1);
    assert_refused(&fleet, "validation_failed");
    assert_int_equal(fleet_count(&fleet, EFFECT_KEY_ADD), 0);
    assert_int_equal(keys(&fleet), 0);
    fleet_finish(&fleet);
}

static bool knows(struct fleet *fleet, const char *agent_id)
{
    struct step step = fleet_step(fleet);
    return token_exists(&step, slice_from_text(agent_id));
}

static void a_name_registers_once(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    register_agent(&fleet, "ada", 1);
    assert_answered(&fleet, MESSAGE_POST_ONBOARD_REGISTER_ANSWER);
    register_agent(&fleet, "ada", 2);
    assert_refused(&fleet, "already_registered");
    assert_int_equal(keys(&fleet), 1);
    /* The next name in order, and a longer one that begins the same, are others. */
    assert_false(knows(&fleet, "acz"));
    register_agent(&fleet, "adam", 3);
    assert_answered(&fleet, MESSAGE_POST_ONBOARD_REGISTER_ANSWER);
    assert_int_equal(keys(&fleet), 2);
    fleet_verify(&fleet);
    fleet_finish(&fleet);
}

static void a_revocation_takes_all_tokens_of_the_name_and_of_no_other(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    ask_for(&fleet, "ada", NULL, 1);
    ask_for(&fleet, "ada", "viewer", 2);
    ask_for(&fleet, "adam", NULL, 3);

    fleet_as_client(&fleet, "root", ROLE_ADMIN);
    revoke(&fleet, "ada");
    assert_answered(&fleet, MESSAGE_DELETE_ADMIN_TOKEN_ANSWER);
    assert_int_equal(fleet_count(&fleet, EFFECT_KEY_REMOVE), 2);
    assert_int_equal(keys(&fleet), 1);
    register_agent(&fleet, "adam", 4);
    assert_refused(&fleet, "already_registered");
    fleet_verify(&fleet);
    fleet_finish(&fleet);
}

static void a_revocation_of_nothing_is_answered_all_the_same(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    fleet_as_client(&fleet, "root", ROLE_ADMIN);
    revoke(&fleet, "nobody");
    assert_answered(&fleet, MESSAGE_DELETE_ADMIN_TOKEN_ANSWER);
    assert_true(slice_equal_text(
        fleet_answer(&fleet)->message.as.delete_admin_token_answer.status, "revoked"));
    fleet_finish(&fleet);
}

static void only_an_admin_revokes_the_tokens_of_others(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    ask_for(&fleet, "ada", NULL, 1);
    ask_for(&fleet, "bob", NULL, 2);

    fleet_as_client(&fleet, "bob", ROLE_AGENT);
    comes_with(&fleet, 2);
    revoke(&fleet, "ada");
    assert_refused(&fleet, "forbidden");
    assert_int_equal(keys(&fleet), 2);
    revoke(&fleet, "bob");
    assert_answered(&fleet, MESSAGE_DELETE_ADMIN_TOKEN_ANSWER);
    assert_int_equal(keys(&fleet), 1);
    fleet_finish(&fleet);
}

static void the_list_shows_prefixes_and_roles_by_name(void **state)
{
    (void)state;
    struct fleet fleet;
    const struct message message = { .type = MESSAGE_GET_ADMIN_TOKENS };
    fleet_init(&fleet);
    ask_for(&fleet, "bob", "viewer", 9);
    ask_for(&fleet, "ada", NULL, 2);
    fleet_do(&fleet, &message);

    const struct message_list *list =
        &fleet_answer(&fleet)->message.as.get_admin_tokens_answer.tokens;
    const struct message_token_listed *items = list->items;
    assert_int_equal(list->count, 2);
    assert_true(slice_equal_text(items[0].agent_id, "ada"));
    assert_true(slice_equal_text(items[0].token_prefix, "cccccccc..."));
    assert_true(slice_equal_text(items[1].agent_id, "bob"));
    assert_true(slice_equal_text(items[1].role, "viewer"));
    fleet_finish(&fleet);
}

static void the_list_is_whole_when_it_is_long(void **state)
{
    (void)state;
    struct fleet fleet;
    const struct message message = { .type = MESSAGE_GET_ADMIN_TOKENS };
    char name[8] = "agent-0";
    fleet_init(&fleet);
    for (uint8_t i = 0; i < 200; i++) {
        name[6] = (char)('0' + i % 10);
        ask_for(&fleet, name, NULL, (uint8_t)(i + 1));
    }
    fleet_do(&fleet, &message);
    assert_int_equal(
        fleet_answer(&fleet)->message.as.get_admin_tokens_answer.tokens.count, 200);
    fleet_finish(&fleet);
}

static void one_name_has_a_bounded_number_of_tokens(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    for (uint8_t i = 0; i < 100; i++)
        ask_for(&fleet, "ada", NULL, (uint8_t)(i + 1));
    ask_for(&fleet, "ada", NULL, 101);
    assert_refused(&fleet, "validation_failed");
    assert_int_equal(keys(&fleet), 100);
    fleet_finish(&fleet);
}

static void names_that_cannot_be_a_key_are_refused(void **state)
{
    (void)state;
    struct fleet fleet;
    static char name[490];
    fleet_init(&fleet);
    memset(name, 'x', sizeof name - 1);
    ask_for(&fleet, name, NULL, 1);
    assert_refused(&fleet, "validation_failed");
    ask_for(&fleet, "", NULL, 1);
    assert_refused(&fleet, "validation_failed");
    register_agent(&fleet, name, 1);
    assert_refused(&fleet, "validation_failed");
    fleet_finish(&fleet);
}

static void every_role_has_a_word_that_leads_back_to_it(void **state)
{
    (void)state;
    uint32_t found;
    for (uint32_t role = ROLE_AGENT; role <= ROLE_ENROL; role <<= 1) {
        assert_true(role_parse(role_name(role), &found));
        assert_int_equal(found, role);
    }
    assert_false(slice_is_present(role_name(ROLE_HUB)));
    assert_false(role_parse(SLICE_OF("hub"), &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minted_token_joins_the_ring_with_its_role),
        cmocka_unit_test(a_token_without_a_role_is_an_agents),
        cmocka_unit_test(an_unknown_role_is_refused_and_makes_nothing),
        cmocka_unit_test(a_name_registers_once),
        cmocka_unit_test(a_revocation_takes_all_tokens_of_the_name_and_of_no_other),
        cmocka_unit_test(a_revocation_of_nothing_is_answered_all_the_same),
        cmocka_unit_test(only_an_admin_revokes_the_tokens_of_others),
        cmocka_unit_test(the_list_shows_prefixes_and_roles_by_name),
        cmocka_unit_test(the_list_is_whole_when_it_is_long),
        cmocka_unit_test(one_name_has_a_bounded_number_of_tokens),
        cmocka_unit_test(names_that_cannot_be_a_key_are_refused),
        cmocka_unit_test(every_role_has_a_word_that_leads_back_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
