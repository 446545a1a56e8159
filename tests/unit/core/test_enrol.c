/*
 * Goal: a secret makes one administrator, whatever else is asked at the same time.
 * Method: the offer and the route against tables in memory.
 */
#include "cmocka_all.h"

#include "core/fleet.h"
#include "core/token.h"

#include <string.h>

static void offer(struct fleet *fleet, uint8_t mark)
{
    const struct message message = { .type = MESSAGE_ENROLMENT_OFFERED };
    fleet_as_hub(fleet);
    fleet->command.minted = true;
    memset(fleet->command.minted_digest, mark, DIGEST_BYTES);
    fleet_do(fleet, &message);
}

/* Shows the secret `shown`; the door has minted `mark`. */
static void enrol(struct fleet *fleet, const char *agent_id, uint8_t shown, uint8_t mark)
{
    struct message message = { .type = MESSAGE_POST_ENROL };
    message.as.post_enrol.agent_id = slice_from_text(agent_id);
    fleet_as_client(fleet, "", ROLE_BOOTSTRAP);
    fleet->command.credential_present = true;
    memset(fleet->command.credential, shown, DIGEST_BYTES);
    fleet->command.minted = true;
    memset(fleet->command.minted_digest, mark, DIGEST_BYTES);
    fleet_do(fleet, &message);
}

/* How many keys of a role stand on the ring. */
static size_t keys(struct fleet *fleet, uint32_t role)
{
    uint8_t position[DIGEST_BYTES] = { 0 };
    struct core_key key;
    size_t count = 0;
    while (core_key_next(memory_transaction(fleet->store), position, &key) == ERR_OK)
        count += key.role == role;
    return count;
}

static enum message_type answered(struct fleet *fleet)
{
    assert_non_null(fleet_answer(fleet));
    return fleet_answer(fleet)->message.type;
}

static void the_secret_makes_one_administrator_and_is_void(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    offer(&fleet, 1);
    assert_int_equal(keys(&fleet, ROLE_BOOTSTRAP), 1);

    enrol(&fleet, "admin", 1, 2);
    assert_int_equal(answered(&fleet), MESSAGE_POST_ENROL_ANSWER);
    assert_int_equal(fleet_count(&fleet, EFFECT_KEY_ADD), 1);
    assert_int_equal(fleet_count(&fleet, EFFECT_KEY_REMOVE), 1);
    assert_int_equal(keys(&fleet, ROLE_BOOTSTRAP), 0);
    assert_int_equal(keys(&fleet, ROLE_ADMIN), 1);

    /* The door let it in before it heard of the end. */
    enrol(&fleet, "eve", 1, 3);
    assert_int_equal(answered(&fleet), MESSAGE_HTTP_ERROR);
    assert_true(slice_equal_text(fleet_answer(&fleet)->message.as.http_error.error,
                                 "enrolment_used"));
    assert_int_equal(keys(&fleet, ROLE_ADMIN), 1);
    fleet_verify(&fleet);
    fleet_finish(&fleet);
}

static void a_new_secret_voids_the_one_before(void **state)
{
    (void)state;
    struct fleet fleet;
    fleet_init(&fleet);
    offer(&fleet, 1);
    offer(&fleet, 2);
    assert_int_equal(keys(&fleet, ROLE_BOOTSTRAP), 1);
    enrol(&fleet, "admin", 1, 3);
    assert_int_equal(answered(&fleet), MESSAGE_HTTP_ERROR);
    assert_int_equal(keys(&fleet, ROLE_BOOTSTRAP), 1);
    enrol(&fleet, "admin", 2, 4);
    assert_int_equal(answered(&fleet), MESSAGE_POST_ENROL_ANSWER);
    fleet_verify(&fleet);
    fleet_finish(&fleet);
}

static void a_refused_enrolment_leaves_the_secret_good(void **state)
{
    (void)state;
    struct fleet fleet;
    static char name[490];
    fleet_init(&fleet);
    memset(name, 'x', sizeof name - 1);
    offer(&fleet, 1);
    enrol(&fleet, name, 1, 2);
    assert_int_equal(answered(&fleet), MESSAGE_HTTP_ERROR);
    enrol(&fleet, "admin", 1, 2);
    assert_int_equal(answered(&fleet), MESSAGE_POST_ENROL_ANSWER);
    fleet_finish(&fleet);
}

static void the_secret_is_nobodys_and_in_no_list(void **state)
{
    (void)state;
    struct fleet fleet;
    struct slice owner;
    const struct message list = { .type = MESSAGE_GET_ADMIN_TOKENS };
    fleet_init(&fleet);
    offer(&fleet, 1);
    fleet_as_client(&fleet, "root", ROLE_ADMIN);
    fleet_do(&fleet, &list);
    assert_int_equal(
        fleet_answer(&fleet)->message.as.get_admin_tokens_answer.tokens.count, 0);
    struct step step = fleet_step(&fleet);
    assert_false(token_next_owner(&step, (struct slice){ 0 }, &owner));
    assert_int_equal(step.err, ERR_OK);
    fleet_verify(&fleet);
    fleet_finish(&fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_secret_makes_one_administrator_and_is_void),
        cmocka_unit_test(a_new_secret_voids_the_one_before),
        cmocka_unit_test(a_refused_enrolment_leaves_the_secret_good),
        cmocka_unit_test(the_secret_is_nobodys_and_in_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
