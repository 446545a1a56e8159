/*
 * Goal: a token is good for what it was made for, until its time is over or another takes
 * its place, and nobody makes more of the own one.
 * Method: the routes of tokens against tables in memory. A token is known by its mark, of
 * which its digest is made.
 */
#include "cmocka_all.h"

#include "core/fleet.h"
#include "core/role.h"
#include "core/token.h"

#include <string.h>

#define HOUR_MS ((int64_t)60 * 60 * 1000)
#define BIT(scope) (UINT64_C(1) << (scope))

static struct slice MANY[] = { SLICE("tasks:read"), SLICE("tasks:submit") };
static struct slice OWN[] = { SLICE("tokens:own") };
static struct slice IDLE[] = { SLICE("schemas:write") };

static void mint_as(struct fleet *fleet, uint8_t mark)
{
    fleet->command.minted = true;
    memset(fleet->command.minted_digest, mark, DIGEST_BYTES);
    memset(fleet->command.minted_prefix, 'a' + mark % 26, TOKEN_PREFIX_BYTES);
}

static void comes_as(struct fleet *fleet, const char *actor, uint32_t role,
                     uint64_t scopes, uint8_t mark)
{
    fleet_as_client(fleet, actor, role);
    fleet->command.scopes = scopes;
    fleet->command.credential_present = true;
    memset(fleet->command.credential, mark, DIGEST_BYTES);
}

static void as_admin(struct fleet *fleet)
{
    comes_as(fleet, "root", ROLE_ADMIN, SCOPES_ALL, 200);
}

static void make(struct fleet *fleet, const char *agent_id, const char *role,
                 struct slice *scopes, size_t count, int64_t expires_in_ms, uint8_t mark)
{
    struct message message = { .type = MESSAGE_POST_ADMIN_TOKEN };
    message.as.post_admin_token = (struct message_post_admin_token){
        .agent_id = slice_from_text(agent_id),
        .role = slice_from_text(role),
        .scopes = { scopes, count },
        .label = SLICE_OF("a label"),
        .has_expires_in_ms = expires_in_ms != 0,
        .expires_in_ms = expires_in_ms,
    };
    mint_as(fleet, mark);
    fleet_do(fleet, &message);
}

static void rotate(struct fleet *fleet, const char *agent_id, const char *prefix,
                   int64_t overlap_ms, uint8_t mark)
{
    struct message message = { .type = MESSAGE_POST_ADMIN_TOKEN_ROTATE };
    message.as.post_admin_token_rotate = (struct message_post_admin_token_rotate){
        .agent_id = slice_from_text(agent_id),
        .token_prefix = slice_from_text(prefix),
        .has_overlap_ms = true,
        .overlap_ms = overlap_ms,
    };
    mint_as(fleet, mark);
    fleet_do(fleet, &message);
}

static void revoke_one(struct fleet *fleet, const char *agent_id, const char *prefix)
{
    struct message message = { .type = MESSAGE_DELETE_ADMIN_TOKEN_ONE };
    message.as.delete_admin_token_one.agent_id = slice_from_text(agent_id);
    message.as.delete_admin_token_one.token_prefix = slice_from_text(prefix);
    fleet_do(fleet, &message);
}

static bool find(struct fleet *fleet, uint8_t mark, struct token *ret_token)
{
    uint8_t digest[DIGEST_BYTES];
    struct step step = fleet_step(fleet);
    memset(digest, mark, DIGEST_BYTES);
    bool there = token_load(&step, digest, ret_token);
    assert_int_equal(step.err, ERR_OK);
    return there;
}

static bool is_there(struct fleet *fleet, uint8_t mark)
{
    struct token token;
    return find(fleet, mark, &token);
}

static void assert_refused(struct fleet *fleet, const char *code)
{
    const struct effect *answer = fleet_answer(fleet);
    assert_non_null(answer);
    assert_int_equal(answer->message.type, MESSAGE_HTTP_ERROR);
    assert_true(slice_equal_text(answer->message.as.http_error.error, code));
    assert_int_equal(fleet_count(fleet, EFFECT_KEY_ADD), 0);
    assert_int_equal(fleet_count(fleet, EFFECT_KEY_REMOVE), 0);
}

static void assert_made(struct fleet *fleet)
{
    const struct effect *answer = fleet_answer(fleet);
    assert_non_null(answer);
    assert_int_not_equal(answer->message.type, MESSAGE_HTTP_ERROR);
}

static int fleet_open(void **state)
{
    static struct fleet fleet;
    fleet_init(&fleet);
    as_admin(&fleet);
    *state = &fleet;
    return 0;
}

static int fleet_close(void **state)
{
    fleet_verify(*state);
    fleet_finish(*state);
    return 0;
}

static void settle(struct fleet *fleet, int64_t ms)
{
    fleet_pass(fleet, ms);
    fleet_as_hub(fleet);
    fleet_settle(fleet);
    as_admin(fleet);
}

static void a_token_has_the_scopes_it_was_made_with(void **state)
{
    struct fleet *fleet = *state;
    struct token token;
    make(fleet, "ci", "submitter", MANY, 2, 0, 1);
    assert_made(fleet);
    const struct message_post_admin_token_answer *answer =
        &fleet_answer(fleet)->message.as.post_admin_token_answer;
    assert_int_equal(answer->scopes.count, 2);
    assert_true(slice_equal_text(answer->token_prefix, "bbbbbbbb..."));
    assert_true(slice_equal_text(answer->label, "a label"));
    assert_true(find(fleet, 1, &token));
    assert_int_equal(token.scopes, BIT(SCOPE_TASKS_READ) | BIT(SCOPE_TASKS_SUBMIT));
    make(fleet, "ci", "submitter", NULL, 0, 0, 2);
    assert_null(fleet_answer(fleet)->message.as.post_admin_token_answer.scopes.items);
    assert_true(find(fleet, 2, &token));
    assert_true(token.scopes == SCOPES_ALL);
}

static void a_scope_the_role_has_no_use_for_is_refused(void **state)
{
    struct fleet *fleet = *state;
    make(fleet, "ci", "viewer", IDLE, 1, 0, 1);
    assert_refused(fleet, "validation_failed");
    make(fleet, "ci", "operator", IDLE, 1, 0, 1);
    assert_made(fleet);
}

static void nobody_hands_out_more_than_it_has(void **state)
{
    struct fleet *fleet = *state;
    comes_as(fleet, "root", ROLE_ADMIN, BIT(SCOPE_TOKENS_WRITE) | BIT(SCOPE_TASKS_READ),
             200);
    make(fleet, "ci", "admin", NULL, 0, 0, 1);
    assert_refused(fleet, "forbidden");
    make(fleet, "ci", "submitter", MANY, 2, 0, 1);
    assert_refused(fleet, "forbidden");
    make(fleet, "ci", "submitter", MANY, 1, 0, 1);
    assert_made(fleet);

    as_admin(fleet);
    make(fleet, "big", "operator", NULL, 0, 0, 2);
    comes_as(fleet, "root", ROLE_ADMIN, BIT(SCOPE_TOKENS_WRITE) | BIT(SCOPE_TOKENS_OWN),
             200);
    rotate(fleet, "big", NULL, 0, 3);
    assert_refused(fleet, "forbidden");
}

static void a_token_ends_when_its_time_is_over(void **state)
{
    struct fleet *fleet = *state;
    make(fleet, "ada", "agent", NULL, 0, HOUR_MS, 1);
    make(fleet, "ada", "agent", NULL, 0, 2 * HOUR_MS, 2);
    fleet_verify(fleet);
    settle(fleet, HOUR_MS - 1);
    assert_true(is_there(fleet, 1));
    fleet_pass(fleet, 1);
    fleet_as_hub(fleet);
    fleet_settle(fleet);
    assert_int_equal(fleet_count(fleet, EFFECT_KEY_REMOVE), 1);
    assert_false(is_there(fleet, 1));
    assert_true(is_there(fleet, 2));
}

static void the_old_end_with_the_overlap(void **state)
{
    struct fleet *fleet = *state;
    struct token token;
    make(fleet, "ada", "agent", NULL, 0, 0, 1);
    make(fleet, "ada", "agent", NULL, 0, HOUR_MS / 2, 2);
    fleet_pass(fleet, 1);
    rotate(fleet, "ada", NULL, HOUR_MS, 3);
    assert_made(fleet);
    assert_int_equal(
        fleet_answer(fleet)->message.as.post_admin_token_rotate_answer.rotated, 2);
    assert_int_equal(fleet_count(fleet, EFFECT_KEY_ADD), 3);
    assert_true(find(fleet, 1, &token));
    assert_true(token.rotated);
    assert_int_equal(token.expires_ms, fleet->command.wall_ms + HOUR_MS);
    /* What ends earlier anyway does. */
    assert_true(find(fleet, 2, &token));
    assert_int_equal(token.expires_ms, fleet->command.wall_ms - 1 + HOUR_MS / 2);
    fleet_verify(fleet);

    settle(fleet, HOUR_MS);
    assert_false(is_there(fleet, 1));
    assert_false(is_there(fleet, 2));
    assert_true(is_there(fleet, 3));
}

static void without_an_overlap_the_old_end_at_once(void **state)
{
    struct fleet *fleet = *state;
    make(fleet, "ada", "agent", NULL, 0, 0, 1);
    rotate(fleet, "ada", NULL, 0, 2);
    assert_int_equal(fleet_count(fleet, EFFECT_KEY_REMOVE), 1);
    assert_false(is_there(fleet, 1));
    assert_true(is_there(fleet, 2));
}

static void the_new_one_is_what_the_old_one_was(void **state)
{
    struct fleet *fleet = *state;
    struct token token;
    make(fleet, "ci", "submitter", MANY, 2, 10 * HOUR_MS, 1);
    settle(fleet, 4 * HOUR_MS);
    rotate(fleet, "ci", NULL, HOUR_MS, 2);
    assert_true(find(fleet, 2, &token));
    assert_int_equal(token.role, ROLE_SUBMITTER);
    assert_int_equal(token.scopes, BIT(SCOPE_TASKS_READ) | BIT(SCOPE_TASKS_SUBMIT));
    assert_true(slice_equal_text(token.label, "a label"));
    assert_int_equal(token.expires_ms, fleet->command.wall_ms + 10 * HOUR_MS);

    /* Also when it is rotated again while the first is still good. */
    fleet_pass(fleet, 1);
    rotate(fleet, "ci", NULL, HOUR_MS, 3);
    assert_true(find(fleet, 3, &token));
    assert_int_equal(token.expires_ms, fleet->command.wall_ms + 10 * HOUR_MS);
    assert_false(token.rotated);
}

static void who_rotates_the_own_token_does_not_prolong_it(void **state)
{
    struct fleet *fleet = *state;
    struct token token;
    make(fleet, "ada", "agent", NULL, 0, 10 * HOUR_MS, 1);
    int64_t end_ms = fleet->command.wall_ms + 10 * HOUR_MS;
    settle(fleet, 4 * HOUR_MS);
    comes_as(fleet, "ada", ROLE_AGENT, SCOPES_ALL, 1);
    rotate(fleet, "ada", NULL, HOUR_MS, 2);
    assert_made(fleet);
    assert_true(find(fleet, 2, &token));
    assert_int_equal(token.expires_ms, end_ms);

    /* Whose place is taken is good for its work yet, and for no more. */
    rotate(fleet, "ada", NULL, HOUR_MS, 3);
    assert_refused(fleet, "forbidden");
    revoke_one(fleet, "ada", "cccccccc");
    assert_refused(fleet, "forbidden");
    comes_as(fleet, "ada", ROLE_AGENT, SCOPES_ALL, 2);
    rotate(fleet, "ada", NULL, HOUR_MS, 3);
    assert_made(fleet);
}

static void an_agent_reaches_no_token_but_its_own_kind(void **state)
{
    struct fleet *fleet = *state;
    make(fleet, "ada", "agent", NULL, 0, 0, 1);
    make(fleet, "ada", "operator", NULL, 0, 0, 2);
    make(fleet, "ada", "agent", OWN, 1, 0, 3);
    make(fleet, "bob", "agent", NULL, 0, 0, 4);

    comes_as(fleet, "ada", ROLE_AGENT, BIT(SCOPE_TOKENS_OWN), 3);
    rotate(fleet, "bob", NULL, 0, 5);
    assert_refused(fleet, "forbidden");
    rotate(fleet, "nobody", NULL, 0, 5);
    assert_refused(fleet, "forbidden");
    revoke_one(fleet, "bob", "eeeeeeee");
    assert_refused(fleet, "forbidden");
    /* A narrow one does nothing to a wider one, nor to one of another role. */
    revoke_one(fleet, "ada", "bbbbbbbb");
    assert_refused(fleet, "token_not_found");
    revoke_one(fleet, "ada", "cccccccc");
    assert_refused(fleet, "token_not_found");

    struct message message = { .type = MESSAGE_DELETE_ADMIN_TOKEN };
    message.as.delete_admin_token.agent_id = SLICE_OF("ada");
    comes_as(fleet, "ada", ROLE_AGENT, SCOPES_ALL, 1);
    fleet_do(fleet, &message);
    assert_made(fleet);
    assert_false(is_there(fleet, 1));
    assert_true(is_there(fleet, 2));
    assert_false(is_there(fleet, 3));
    assert_true(is_there(fleet, 4));
}

static void tokens_that_differ_are_rotated_one_by_one(void **state)
{
    struct fleet *fleet = *state;
    make(fleet, "ada", "agent", NULL, 0, 0, 1);
    make(fleet, "ada", "operator", NULL, 0, 0, 2);
    rotate(fleet, "ada", NULL, 0, 3);
    assert_refused(fleet, "validation_failed");
    rotate(fleet, "ada", "cccccccc", 0, 3);
    assert_made(fleet);
    assert_true(is_there(fleet, 1));
    assert_false(is_there(fleet, 2));
    rotate(fleet, "ada", "zzzzzzzz...", 0, 4);
    assert_refused(fleet, "token_not_found");
    rotate(fleet, "nobody", NULL, 0, 4);
    assert_refused(fleet, "token_not_found");
}

static void one_token_is_revoked_by_how_it_begins(void **state)
{
    struct fleet *fleet = *state;
    make(fleet, "ada", "agent", NULL, 0, 0, 1);
    make(fleet, "ada", "agent", NULL, 0, HOUR_MS, 2);
    revoke_one(fleet, "ada", "cccccccc...");
    assert_made(fleet);
    assert_true(is_there(fleet, 1));
    assert_false(is_there(fleet, 2));
    revoke_one(fleet, "ada", "cccccccc");
    assert_refused(fleet, "token_not_found");
}

static void a_use_is_remembered_and_an_unknown_one_is_nothing(void **state)
{
    struct fleet *fleet = *state;
    struct token token;
    char texts[2][2 * DIGEST_BYTES];
    struct slice digests[2];
    struct message message = { .type = MESSAGE_TOKENS_USED };
    make(fleet, "ada", "agent", MANY, 2, HOUR_MS, 0x11);
    for (size_t i = 0; i < 2; i++) {
        memset(texts[i], i == 0 ? '2' : '1', sizeof texts[i]);
        digests[i] = slice_make(texts[i], sizeof texts[i]);
    }
    message.as.tokens_used.digests = (struct slice_list){ digests, 2 };
    fleet_pass(fleet, 5);
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
    assert_true(find(fleet, 0x11, &token));
    assert_int_equal(token.used_ms, fleet->command.wall_ms);
    assert_int_equal(token.scopes, BIT(SCOPE_TASKS_READ) | BIT(SCOPE_TASKS_SUBMIT));
    assert_true(slice_equal_text(token.label, "a label"));
}

/* As hubs wrote it that knew of no scopes. */
static void a_token_of_the_first_version_has_all_of_its_role(void **state)
{
    struct fleet *fleet = *state;
    struct transaction *transaction = memory_transaction(fleet->store);
    struct packed row;
    struct token token;
    uint8_t key[4 + DIGEST_BYTES] = "ada";
    static const uint8_t MARK[] = { 1 };
    struct buffer *buffer = packed_start(&row);
    memset(key + 4, 9, DIGEST_BYTES);
    pack_u8(buffer, 1);
    pack_u32(buffer, ROLE_AGENT);
    pack_i64(buffer, 77);
    pack_i64(buffer, 0);
    buffer_append(buffer, "12345678", 8);
    pack_slice(buffer, SLICE_OF("ada"));
    struct slice digest = slice_make(key + 4, DIGEST_BYTES);
    assert_int_equal(
        transaction_put(transaction, TABLE_TOKEN, digest, buffer_slice(buffer)), ERR_OK);
    assert_int_equal(transaction_put(transaction, TABLE_TOKEN_AGENT,
                                     slice_make(key, sizeof key),
                                     slice_make(MARK, sizeof MARK)),
                     ERR_OK);
    fleet_verify(fleet);

    assert_true(find(fleet, 9, &token));
    assert_true(token.scopes == SCOPES_ALL);
    assert_int_equal(token.created_ms, 77);
    assert_false(slice_is_present(token.label));
    rotate(fleet, "ada", NULL, HOUR_MS, 1);
    assert_made(fleet);
    settle(fleet, HOUR_MS);
    assert_false(is_there(fleet, 9));
}

static void a_row_without_its_counterpart_is_found(void **state)
{
    struct fleet *fleet = *state;
    struct transaction *transaction = memory_transaction(fleet->store);
    struct slice key;
    struct slice value;
    const char *text;
    uint8_t wall = 1;
    char copy[TRANSACTION_KEY_BYTES_MAX];

    make(fleet, "ada", "agent", NULL, 0, HOUR_MS, 1);
    assert_int_equal(transaction_first_from(transaction, TABLE_DEADLINE,
                                            slice_make(&wall, 1), &key, &value),
                     ERR_OK);
    size_t size = key.size;
    memcpy(copy, key.data, size);
    assert_int_equal(
        transaction_remove(transaction, TABLE_DEADLINE, slice_make(copy, size)), ERR_OK);
    assert_int_equal(core_verify(transaction, &text), ERR_CORRUPT);
    assert_string_equal(text, "a token does not end");

    static const uint8_t MARK[] = { 1 };
    assert_int_equal(transaction_put(transaction, TABLE_DEADLINE, slice_make(copy, size),
                                     slice_make(MARK, sizeof MARK)),
                     ERR_OK);
    fleet_verify(fleet);
    copy[size - 1] ^= 1;
    assert_int_equal(transaction_put(transaction, TABLE_DEADLINE, slice_make(copy, size),
                                     slice_make(MARK, sizeof MARK)),
                     ERR_OK);
    assert_int_equal(core_verify(transaction, &text), ERR_CORRUPT);
    assert_string_equal(text, "a deadline ends no token");
    assert_int_equal(
        transaction_remove(transaction, TABLE_DEADLINE, slice_make(copy, size)), ERR_OK);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fleet_open, fleet_close)
    const struct CMUnitTest tests[] = {
        CASE(a_token_has_the_scopes_it_was_made_with),
        CASE(a_scope_the_role_has_no_use_for_is_refused),
        CASE(nobody_hands_out_more_than_it_has),
        CASE(a_token_ends_when_its_time_is_over),
        CASE(the_old_end_with_the_overlap),
        CASE(without_an_overlap_the_old_end_at_once),
        CASE(the_new_one_is_what_the_old_one_was),
        CASE(who_rotates_the_own_token_does_not_prolong_it),
        CASE(an_agent_reaches_no_token_but_its_own_kind),
        CASE(tokens_that_differ_are_rotated_one_by_one),
        CASE(one_token_is_revoked_by_how_it_begins),
        CASE(a_use_is_remembered_and_an_unknown_one_is_nothing),
        CASE(a_token_of_the_first_version_has_all_of_its_role),
        CASE(a_row_without_its_counterpart_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
