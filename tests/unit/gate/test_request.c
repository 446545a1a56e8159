/* Goal: a route opens for its roles alone, and a minted token never enters an envelope. */
#include "gate/request.h"

#include "base/hash.h"
#include "os/secret.h"

#include "cmocka_all.h"

#include <string.h>

static struct wire *wire;
static struct gate *gate;
static const struct gate_time NOW = { 1000, 1000 };

static void open_gate(bool registration_open)
{
    struct gate_options options = {
        .wire = wire,
        .registration_open = registration_open,
        .keys_max = 100,
        .message_bytes_max = 65536,
    };
    limits_init(&options.limits);
    gate_destroy(gate);
    gate = gate_create(&options, NOW);
    assert_non_null(gate);
}

static void narrow_key(const char *token, const char *actor, uint32_t role,
                       uint64_t scopes)
{
    uint8_t digest[DIGEST_BYTES];
    const struct key own = { .actor = slice_from_text(actor),
                             .role = role,
                             .scopes = scopes };
    digest_sha256(slice_from_text(token), digest);
    assert_int_equal(gate_key_add(gate, digest, &own), ERR_OK);
}

static void key(const char *token, const char *actor, uint32_t role)
{
    narrow_key(token, actor, role, SCOPES_ALL);
}

static int begin(void **state)
{
    (void)state;
    assert_int_equal(wire_create(&wire), ERR_OK);
    open_gate(true);
    return 0;
}

static int end(void **state)
{
    (void)state;
    gate_destroy(gate);
    gate = NULL;
    wire_destroy(wire);
    return 0;
}

static int ask(enum message_type type, const char *authorization)
{
    struct caller caller;
    struct verdict verdict;
    const struct request request = {
        .type = type,
        .address = SLICE("10.0.0.1"),
        .authorization = slice_from_text(authorization),
    };
    return request_check(gate, &request, NOW, &caller, &verdict) ? 200 : verdict.status;
}

static void a_route_opens_for_its_roles(void **state)
{
    (void)state;
    key("v", "vera", ROLE_VIEWER);
    key("a", "adam", ROLE_ADMIN);
    assert_int_equal(ask(MESSAGE_GET_TASKS, NULL), 401);
    assert_int_equal(ask(MESSAGE_GET_TASKS, "Basic v"), 401);
    assert_int_equal(ask(MESSAGE_GET_TASKS, "Bearer wrong"), 401);
    assert_int_equal(ask(MESSAGE_GET_TASKS, "Bearer v"), 200);
    assert_int_equal(ask(MESSAGE_GET_TASKS, "bearer   v"), 200);
    assert_int_equal(ask(MESSAGE_POST_TASK, "Bearer v"), 403);
    assert_int_equal(ask(MESSAGE_POST_ADMIN_TOKEN, "Bearer v"), 403);
    assert_int_equal(ask(MESSAGE_POST_ADMIN_TOKEN, "Bearer a"), 200);
    assert_int_equal(ask(MESSAGE_GET_HEALTH, NULL), 200);
    assert_int_equal(ask(MESSAGE_GET_HEALTH, "Bearer wrong"), 200);
}

static void a_list_of_scopes_narrows_the_role_and_widens_nothing(void **state)
{
    (void)state;
    narrow_key("n", "nina", ROLE_OPERATOR, UINT64_C(1) << SCOPE_TASKS_READ);
    assert_int_equal(ask(MESSAGE_GET_TASKS, "Bearer n"), 200);
    assert_int_equal(ask(MESSAGE_POST_TASK, "Bearer n"), 403);
    assert_int_equal(ask(MESSAGE_GET_HEALTH, "Bearer n"), 200);
    narrow_key("w", "wim", ROLE_VIEWER, UINT64_C(1) << SCOPE_TASKS_SUBMIT);
    assert_int_equal(ask(MESSAGE_GET_TASKS, "Bearer w"), 403);
    assert_int_equal(ask(MESSAGE_POST_TASK, "Bearer w"), 403);
}

static void guessing_ends_in_429_and_asking_without_a_token_does_not(void **state)
{
    (void)state;
    key("v", "vera", ROLE_VIEWER);
    for (int i = 0; i < 50; i++)
        assert_int_equal(ask(MESSAGE_GET_TASKS, NULL), 401);
    for (int i = 0; i < 10; i++)
        assert_int_equal(ask(MESSAGE_GET_TASKS, "Bearer wrong"), 401);
    assert_int_equal(ask(MESSAGE_GET_TASKS, "Bearer wrong"), 429);
    assert_int_equal(ask(MESSAGE_GET_TASKS, "Bearer v"), 200);
}

static void registration_is_open_or_needs_a_token(void **state)
{
    (void)state;
    assert_int_equal(ask(MESSAGE_POST_ONBOARD_REGISTER, NULL), 200);
    open_gate(false);
    key("e", "door", ROLE_ENROL);
    key("v", "vera", ROLE_VIEWER);
    assert_int_equal(ask(MESSAGE_POST_ONBOARD_REGISTER, NULL), 403);
    assert_int_equal(ask(MESSAGE_POST_ONBOARD_REGISTER, "Bearer wrong"), 401);
    assert_int_equal(ask(MESSAGE_POST_ONBOARD_REGISTER, "Bearer v"), 403);
    assert_int_equal(ask(MESSAGE_POST_ONBOARD_REGISTER, "Bearer e"), 200);
}

static struct envelope *admit(enum message_type type, const struct caller *caller,
                              const char *body, struct minted *ret_minted)
{
    struct verdict verdict;
    const struct request request = { .type = type, .address = SLICE("10.0.0.1") };
    request_admit(gate, &request, caller, (struct origin){ 3, 4 }, NULL, 0,
                  slice_from_text(body), NOW, ret_minted, &verdict);
    return verdict.envelope;
}

static void a_minted_token_stays_at_the_door(void **state)
{
    (void)state;
    struct minted minted;
    uint8_t digest[DIGEST_BYTES];
    const struct caller nobody = { 0 };
    struct envelope *envelope =
        admit(MESSAGE_POST_ONBOARD_REGISTER, &nobody, "{\"agent_id\":\"ada\"}", &minted);
    assert_non_null(envelope);
    assert_true(minted.present);
    assert_true(envelope->minted);
    digest_sha256(slice_make(minted.text, sizeof minted.text), digest);
    assert_memory_equal(digest, envelope->minted_digest, DIGEST_BYTES);
    assert_memory_equal(minted.text, envelope->minted_prefix, 8);
    assert_int_equal(envelope->origin.request, 4);
    assert_int_equal(envelope->role, ROLE_ANYBODY);
    envelope_destroy(envelope);
}

static void an_invalid_request_is_told_in_the_figures(void **state)
{
    (void)state;
    struct minted minted;
    struct buffer text;
    struct caller caller = { .known = true };
    const struct caller nobody = { 0 };
    key("s", "sue", ROLE_SUBMITTER);
    digest_sha256(SLICE_OF("s"), caller.digest);
    assert_null(admit(MESSAGE_POST_TASK, &caller, "{}", &minted));
    assert_null(admit(MESSAGE_POST_TASK, &caller, "{", &minted));
    assert_null(admit(MESSAGE_POST_ONBOARD_REGISTER, &nobody, "{}", &minted));
    buffer_init(&text, 1 << 20);
    failures_render(gate->failures, NOW.monotonic_ms, &text);
    static const char *const PARTS[] = {
        "\"agent_id\":\"sue\",\"address\":\"10.0.0.1\",\"message_type\":\"post_task\"",
        "\"agent_id\":null,\"address\":\"10.0.0.1\",\"message_type\":\"post_onboard_",
        "\"failure_counts_by_agent\":{\"sue\":1}",
        "\"recent_disconnects\":[]",
        "\"total_failures_this_hour\":2",
    };
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++)
        assert_non_null(memmem(text.data, text.size, PARTS[i], strlen(PARTS[i])));
    buffer_finish(&text);
}

static void a_token_taken_away_while_the_body_came_is_none(void **state)
{
    (void)state;
    struct minted minted;
    struct caller caller = { .known = true };
    key("s", "sue", ROLE_SUBMITTER);
    digest_sha256(SLICE_OF("s"), caller.digest);
    struct envelope *envelope =
        admit(MESSAGE_POST_TASK, &caller, "{\"description\":\"x\"}", &minted);
    assert_non_null(envelope);
    assert_true(slice_equal_text(envelope->actor, "sue"));
    assert_true(envelope->digest_present);
    assert_false(minted.present);
    envelope_destroy(envelope);
    gate_key_remove(gate, caller.digest);
    assert_null(admit(MESSAGE_POST_TASK, &caller, "{\"description\":\"x\"}", &minted));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_route_opens_for_its_roles),
        CASE(a_list_of_scopes_narrows_the_role_and_widens_nothing),
        CASE(guessing_ends_in_429_and_asking_without_a_token_does_not),
        CASE(registration_is_open_or_needs_a_token),
        CASE(a_minted_token_stays_at_the_door),
        CASE(an_invalid_request_is_told_in_the_figures),
        CASE(a_token_taken_away_while_the_body_came_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
