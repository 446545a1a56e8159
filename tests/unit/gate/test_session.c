/*
 * Goal: nothing passes before a good identify, no token goes on, and who misbehaves is
 * closed.
 */
#include "gate/session.h"

#include "base/hash.h"
#include "os/secret.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#define TOKEN "5d1c0000000000000000000000000000000000000000000000000000000000aa"

static struct wire *wire;
static struct gate *gate;
static struct session session;
static struct verdict verdict;
static struct gate_time now = { 1000, 1000 };
static const char *from;

static void narrow_key(const char *token, const char *actor, uint32_t role,
                       uint64_t scopes, int64_t expires_ms)
{
    uint8_t digest[DIGEST_BYTES];
    const struct key own = { .actor = slice_from_text(actor),
                             .role = role,
                             .scopes = scopes,
                             .expires_wall_ms = expires_ms };
    digest_sha256(slice_from_text(token), digest);
    assert_int_equal(gate_key_add(gate, digest, &own), ERR_OK);
}

static void key(const char *token, const char *actor, uint32_t role, int64_t expires_ms)
{
    narrow_key(token, actor, role, SCOPES_ALL, expires_ms);
}

static int begin(void **state)
{
    (void)state;
    assert_int_equal(wire_create(&wire), ERR_OK);
    struct gate_options options = {
        .wire = wire,
        .registration_open = true,
        .keys_max = 100,
        .message_bytes_max = 65536,
    };
    limits_init(&options.limits);
    now = (struct gate_time){ 1000, 1000 };
    gate = gate_create(&options, now);
    assert_non_null(gate);
    session_init(&session);
    from = "10.0.0.1";
    key(TOKEN, "ada", ROLE_AGENT, 5000);
    key("other", "bob", ROLE_AGENT, 0);
    key("boss", "admin", ROLE_ADMIN, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    envelope_destroy(verdict.envelope);
    verdict.envelope = NULL;
    session_finish(&session);
    gate_destroy(gate);
    wire_destroy(wire);
    return 0;
}

/* Another connection from there. */
static void connect_from(const char *address)
{
    session_finish(&session);
    session_init(&session);
    from = address;
}

/* The frame is judged; what was admitted before is freed. */
static void say(const char *text)
{
    char copy[4096];
    size_t size = strlen(text);
    assert_true(size < sizeof copy);
    memcpy(copy, text, size);
    envelope_destroy(verdict.envelope);
    session_frame(&session, gate, (struct origin){ .link = 7 }, slice_from_text(from),
                  copy, size, now, &verdict);
    if (strstr(text, TOKEN) != NULL)
        assert_null(memmem(copy, size, TOKEN, strlen(TOKEN)));
}

static void assert_error(const char *code)
{
    char text[128];
    snprintf(text, sizeof text, "\"error\":\"%s\"", code);
    assert_null(verdict.envelope);
    assert_non_null(memmem(verdict.answer.data, verdict.answer.size, text, strlen(text)));
}

static void identify(const char *agent, const char *token)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"type\":\"identify\",\"agent_id\":\"%s\",\"token\":\"%s\"}", agent,
             token);
    say(text);
}

static void nothing_passes_before_a_good_identify(void **state)
{
    (void)state;
    say("{\"type\":\"ping\"}");
    assert_error("not_identified");
    identify("ada", "wrong");
    assert_error("invalid_token");
    identify("bob", TOKEN);
    assert_error("token_agent_mismatch");
    identify("admin", "boss");
    assert_error("forbidden");
    say("{\"type\":\"ping\"}");
    assert_error("not_identified");
    assert_false(session_is_identified(&session));
}

static void a_good_identify_passes_without_its_token(void **state)
{
    (void)state;
    identify("ada", TOKEN);
    assert_non_null(verdict.envelope);
    assert_true(slice_equal_text(verdict.envelope->actor, "ada"));
    assert_int_equal(verdict.envelope->role, ROLE_AGENT);
    assert_int_equal(verdict.envelope->origin.link, 7);
    assert_int_equal(verdict.envelope->message.as.identify.token.size, 0);
    say("{\"type\":\"ping\"}");
    assert_non_null(verdict.envelope);
    assert_int_equal(verdict.envelope->message.type, MESSAGE_PING);
}

static void a_link_stays_with_its_agent(void **state)
{
    (void)state;
    identify("ada", TOKEN);
    identify("bob", "other");
    assert_error("token_agent_mismatch");
    identify("ada", TOKEN);
    assert_non_null(verdict.envelope);
    assert_true(slice_equal_text(verdict.envelope->actor, "ada"));
}

static void five_failures_close_the_link(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        identify("ada", "wrong");
        assert_int_equal(verdict.close, CLOSE_NONE);
    }
    identify("ada", "wrong");
    assert_int_equal(verdict.close, CLOSE_UNAUTHORIZED);
}

static void guessing_is_slowed_but_a_good_token_is_not(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        identify("ada", "wrong");
    identify("ada", "wrong");
    assert_error("rate_limited");
    assert_true(verdict.retry_after_ms > 0);
    identify("ada", TOKEN);
    assert_non_null(verdict.envelope);
}

static void ten_violations_in_a_minute_close_the_link(void **state)
{
    (void)state;
    identify("ada", TOKEN);
    for (int i = 0; i < 9; i++) {
        say("{\"type\":\"status\"}");
        assert_error("validation_failed");
        assert_int_equal(verdict.close, CLOSE_NONE);
    }
    say("{\"type\":\"status\"}");
    assert_error("validation_failed");
    assert_int_equal(verdict.close, CLOSE_POLICY);
    assert_true(slice_equal_text(verdict.farewell, "too many validation errors"));
}

/* Ten invalid messages: the link is closed. */
static void misbehave(void)
{
    verdict.close = CLOSE_NONE;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(verdict.close, CLOSE_NONE);
        say("{\"type\":\"status\"}");
    }
    assert_int_equal(verdict.close, CLOSE_POLICY);
}

static void assert_kept_out(const char *words)
{
    assert_null(verdict.envelope);
    assert_false(slice_is_present(verdict.answer));
    assert_int_equal(verdict.close, CLOSE_POLICY);
    assert_true(slice_equal_text(verdict.farewell, words));
    assert_false(session_is_identified(&session));
}

static void who_was_sent_away_may_not_identify_until_its_time_is_over(void **state)
{
    (void)state;
    identify("ada", TOKEN);
    misbehave();
    connect_from("10.0.0.2");
    identify("ada", TOKEN);
    assert_kept_out("cooldown active: retry in 30s");
    now.monotonic_ms += 29001;
    connect_from("10.0.0.2");
    identify("ada", TOKEN);
    assert_kept_out("cooldown active: retry in 1s");
    now.monotonic_ms += 999;
    identify("ada", TOKEN);
    assert_non_null(verdict.envelope);
}

static void each_time_it_stays_away_longer_until_it_is_forgotten(void **state)
{
    static const struct {
        int64_t wait_ms;
        const char *words;
    } TIMES[] = {
        { 60000, "cooldown active: retry in 30s" },
        { 60000, "cooldown active: retry in 60s" },
        { 300000, "cooldown active: retry in 300s" },
        { 600001, "cooldown active: retry in 300s" },
        { 0, "cooldown active: retry in 30s" },
    };
    (void)state;
    key(TOKEN, "ada", ROLE_AGENT, 0);
    for (size_t i = 0; i < sizeof TIMES / sizeof TIMES[0]; i++) {
        connect_from("10.0.0.1");
        identify("ada", TOKEN);
        assert_non_null(verdict.envelope);
        misbehave();
        connect_from("10.0.0.1");
        identify("ada", TOKEN);
        assert_kept_out(TIMES[i].words);
        now.monotonic_ms += TIMES[i].wait_ms;
    }
}

static void nobody_learns_of_a_cooldown_without_the_token(void **state)
{
    (void)state;
    identify("ada", TOKEN);
    misbehave();
    connect_from("10.0.0.1");
    identify("ada", "wrong");
    assert_error("invalid_token");
    assert_int_equal(verdict.close, CLOSE_NONE);
    identify("ada", "other");
    assert_error("token_agent_mismatch");
    assert_int_equal(verdict.close, CLOSE_NONE);
    identify("bob", "other");
    assert_non_null(verdict.envelope);
}

static void who_has_not_said_who_it_is_is_known_by_its_address(void **state)
{
    (void)state;
    connect_from("2001:db8:1:2::1");
    misbehave();
    static const char *const TRIES[] = {
        "{", "{\"type\":\"status\"}", "{\"type\":\"ping\"}",
        "{\"type\":\"identify\",\"agent_id\":\"ada\",\"token\":\"wrong\"}"
    };
    for (size_t i = 0; i < sizeof TRIES / sizeof TRIES[0]; i++) {
        connect_from("2001:db8:1:2::2");
        say(TRIES[i]);
        assert_kept_out("cooldown active: retry in 30s");
    }
    connect_from("2001:db8:1:3::1");
    say("{\"type\":\"ping\"}");
    assert_error("not_identified");
    assert_int_equal(verdict.close, CLOSE_NONE);
    now.monotonic_ms += 30000;
    connect_from("2001:db8:1:2::2");
    misbehave();
    connect_from("2001:db8:1:2::3");
    say("{\"type\":\"ping\"}");
    assert_kept_out("cooldown active: retry in 60s");
}

static void a_good_token_is_not_locked_out_by_a_stranger_at_its_address(void **state)
{
    (void)state;
    misbehave();
    connect_from("10.0.0.1");
    identify("ada", TOKEN);
    assert_non_null(verdict.envelope);
    say("{\"type\":\"status\"}");
    assert_error("validation_failed");
    assert_int_equal(verdict.close, CLOSE_NONE);
}

static void what_was_refused_is_told_in_the_figures(void **state)
{
    (void)state;
    struct buffer text;
    say("{\"type\":\"nonsense\"}");
    identify("ada", TOKEN);
    for (int i = 0; i < 9; i++)
        say("{\"type\":\"status\"}");
    assert_int_equal(verdict.close, CLOSE_POLICY);
    buffer_init(&text, 1 << 20);
    failures_render(gate->failures, now.monotonic_ms, &text);
    static const char *const PARTS[] = {
        "\"message_type\":\"nonsense\"",
        "\"agent_id\":null,\"address\":\"10.0.0.1\"",
        "\"failure_counts_by_agent\":{\"ada\":9}",
        "\"total_failures_this_hour\":10",
        "\"times\":1,\"cooldown_ms\":30000",
    };
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++)
        assert_non_null(memmem(text.data, text.size, PARTS[i], strlen(PARTS[i])));
    buffer_finish(&text);
}

static void violations_are_forgotten_after_a_minute(void **state)
{
    (void)state;
    identify("ada", TOKEN);
    for (int i = 0; i < 100; i++) {
        now.monotonic_ms += 7000;
        say("{\"type\":\"status\"}");
        assert_int_equal(verdict.close, CLOSE_NONE);
    }
}

static void text_that_is_no_json_is_no_violation(void **state)
{
    (void)state;
    identify("ada", TOKEN);
    for (int i = 0; i < 50; i++) {
        say("{");
        assert_error("invalid_json");
        assert_int_equal(verdict.close, CLOSE_NONE);
    }
}

static void an_expired_token_ends_its_link(void **state)
{
    (void)state;
    identify("ada", TOKEN);
    now.wall_ms = 5000;
    say("{\"type\":\"ping\"}");
    assert_null(verdict.envelope);
    assert_int_equal(verdict.close, CLOSE_TOKEN_REVOKED);
}

static void a_repeated_submit_has_the_same_digest_under_another_request_id(void **state)
{
    (void)state;
    uint8_t first[DIGEST_BYTES];
    identify("ada", TOKEN);
    say("{\"type\":\"task_submit\",\"description\":\"x\",\"idempotency_key\":\"k\","
        "\"request_id\":\"1\"}");
    assert_true(verdict.envelope->digest_present);
    memcpy(first, verdict.envelope->digest, DIGEST_BYTES);
    say("{\"type\":\"task_submit\",\"request_id\":\"2\",\"description\":\"x\","
        "\"idempotency_key\":\"k\"}");
    assert_memory_equal(first, verdict.envelope->digest, DIGEST_BYTES);
    say("{\"type\":\"task_submit\",\"description\":\"y\",\"idempotency_key\":\"k\"}");
    assert_memory_not_equal(first, verdict.envelope->digest, DIGEST_BYTES);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_passes_before_a_good_identify),
        CASE(a_good_identify_passes_without_its_token),
        CASE(a_link_stays_with_its_agent),
        CASE(five_failures_close_the_link),
        CASE(guessing_is_slowed_but_a_good_token_is_not),
        CASE(ten_violations_in_a_minute_close_the_link),
        CASE(who_was_sent_away_may_not_identify_until_its_time_is_over),
        CASE(each_time_it_stays_away_longer_until_it_is_forgotten),
        CASE(nobody_learns_of_a_cooldown_without_the_token),
        CASE(who_has_not_said_who_it_is_is_known_by_its_address),
        CASE(a_good_token_is_not_locked_out_by_a_stranger_at_its_address),
        CASE(what_was_refused_is_told_in_the_figures),
        CASE(violations_are_forgotten_after_a_minute),
        CASE(text_that_is_no_json_is_no_violation),
        CASE(an_expired_token_ends_its_link),
        CASE(a_repeated_submit_has_the_same_digest_under_another_request_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
