#include "gate/session.h"

#include "base/ensure.h"
#include "gate/address.h"
#include "os/counter.h"
#include "os/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FAILURES_MAX = 5,
    STRIKES_MAX = 10,
    STRIKES_WINDOW_MS = 60 * 1000,
    MS_PER_S = 1000,
};

void session_init(struct session *session)
{
    *session = (struct session){ 0 };
}

void session_finish(struct session *session)
{
    free(session->actor);
    *session = (struct session){ 0 };
}

static struct slice actor_of(const struct session *session)
{
    return slice_make(session->actor, session->actor_size);
}

static struct offender offender_of(const struct session *session, struct slice address)
{
    struct slice actor =
        session_is_identified(session) ? actor_of(session) : (struct slice){ 0 };
    return (struct offender){ actor, address };
}

static struct cooldown send_away(struct gate *gate, struct offender offender,
                                 struct gate_time now)
{
    struct in6_addr space;
    counter_add(COUNTER_LINKS_STRUCK, 1);
    if (slice_is_present(offender.actor))
        return cooldowns_begin(gate->agents_away, offender.actor, now.monotonic_ms);
    return cooldowns_begin(gate->addresses_away,
                           address_network(offender.address, &space), now.monotonic_ms);
}

static void strike(struct session *session, struct gate *gate, struct slice address,
                   const struct refusal *refusal, struct gate_time now,
                   struct verdict *verdict)
{
    struct offender offender = offender_of(session, address);
    failures_add(gate->failures, offender, refusal->message_type, refusal, now);
    if (session->strikes == 0 ||
        now.monotonic_ms - session->strikes_since_ms >= STRIKES_WINDOW_MS) {
        session->strikes = 0;
        session->strikes_since_ms = now.monotonic_ms;
    }
    session->strikes++;
    if (session->strikes < STRIKES_MAX)
        return;
    verdict->close = CLOSE_POLICY;
    verdict->farewell = SLICE_OF("too many validation errors");
    failures_add_disconnect(gate->failures, offender, send_away(gate, offender, now),
                            now);
}

/* True while there is time left: the link is closed, and told when to come again. */
static bool keep_out(struct gate *gate, int64_t left_ms, struct verdict *verdict)
{
    if (left_ms == 0)
        return false;
    counter_add(COUNTER_COOLDOWN_REFUSED, 1);
    int size =
        snprintf(gate->farewell, sizeof gate->farewell, "cooldown active: retry in %llds",
                 (long long)((left_ms + MS_PER_S - 1) / MS_PER_S));
    ENSURE(size > 0 && (size_t)size < sizeof gate->farewell);
    *verdict = (struct verdict){ .close = CLOSE_POLICY };
    verdict->farewell = slice_make(gate->farewell, (size_t)size);
    return true;
}

/*
 * Whoever sits at an address that was sent away gets no second try, unless it shows a good
 * token: others there, who did nothing, are not locked out.
 */
static void keep_stranger_out(struct gate *gate, struct slice address,
                              struct gate_time now, struct verdict *verdict)
{
    struct in6_addr space;
    keep_out(gate,
             cooldowns_left_ms(gate->addresses_away, address_network(address, &space),
                               now.monotonic_ms),
             verdict);
}

static void fail_identify(struct session *session, struct gate *gate,
                          struct slice address, struct gate_time now,
                          enum error_code code, struct verdict *verdict)
{
    int64_t retry_ms;
    counter_add(COUNTER_AUTH_FAILED, 1);
    if (attempts_count(gate->attempts, address, now.monotonic_ms, &retry_ms))
        gate_refuse(gate, code, (struct slice){ 0 }, false, verdict);
    else
        gate_refuse_guess(gate, retry_ms, verdict);
    session->failures++;
    if (session->failures >= FAILURES_MAX)
        verdict->close = CLOSE_UNAUTHORIZED;
}

static bool remember(struct session *session, const struct key *key,
                     const uint8_t digest[DIGEST_BYTES])
{
    if (session->actor == NULL) {
        session->actor = malloc(key->actor.size + 1);
        if (session->actor == NULL)
            return false;
        memcpy(session->actor, key->actor.data, key->actor.size);
        session->actor_size = key->actor.size;
    }
    session->role = key->role;
    session->scopes = key->scopes;
    session->expires_wall_ms = key->expires_wall_ms;
    memcpy(session->digest, digest, DIGEST_BYTES);
    return true;
}

/* True when the frame is within its sender's rate; else the verdict says when it is. */
static bool limit(struct session *session, struct gate *gate, struct slice address,
                  const struct limit_frame *frame, struct gate_time now,
                  struct verdict *verdict)
{
    struct rate_asker asker = { actor_of(session), session->role, address };
    return limit_frame(gate, &session->allowance, &asker, frame, now, verdict);
}

static struct limit_frame frame_of(const struct message *message)
{
    return (struct limit_frame){
        .tier = MESSAGE_ROWS[message->type].tier,
        .message_type = MESSAGE_ROWS[message->type].name,
        .request_id = message->type == MESSAGE_TASK_SUBMIT
                          ? message->as.task_submit.request_id
                          : (struct slice){ 0 },
    };
}

/* True when the message may pass; else the verdict says why not. */
static bool identify(struct session *session, struct gate *gate, struct slice address,
                     struct message_identify *message, struct gate_time now,
                     struct verdict *verdict)
{
    uint8_t digest[DIGEST_BYTES];

    digest_sha256(message->token, digest);
    if (message->token.data != NULL)
        /* It lies in the envelope's own arena, which goes on to the engine. */
        secret_wipe((char *)(uintptr_t)message->token.data, message->token.size);
    message->token = SLICE_OF("");

    static const struct limit_frame again = { TIER_HEAVY, SLICE("identify"), { 0 } };
    if (session_is_identified(session) &&
        !limit(session, gate, address, &again, now, verdict))
        return false;
    const struct key *key = keyring_find(gate->keyring, digest, now.wall_ms);
    enum error_code code = ERROR_NONE;
    if (key == NULL)
        code = ERROR_INVALID_TOKEN;
    else if (!slice_equal(key->actor, message->agent_id))
        code = ERROR_TOKEN_AGENT_MISMATCH;
    else if (session_is_identified(session) &&
             !slice_equal(actor_of(session), key->actor))
        code = ERROR_TOKEN_AGENT_MISMATCH;
    if (code != ERROR_NONE) {
        fail_identify(session, gate, address, now, code, verdict);
        return false;
    }
    if (!gate_opens(gate, MESSAGE_IDENTIFY, MESSAGE_ROWS[MESSAGE_IDENTIFY].roles, key,
                    false, verdict))
        return false;
    /* Only now: how long an agent is kept out is nobody's business but its own. */
    if (keep_out(gate, cooldowns_left_ms(gate->agents_away, key->actor, now.monotonic_ms),
                 verdict))
        return false;
    struct rate_asker asker = { key->actor, key->role, address };
    if (!session_is_identified(session) &&
        !limit_first_identify(gate, &asker, now, verdict))
        return false;
    if (!remember(session, key, digest)) {
        gate_refuse(gate, ERROR_UNAVAILABLE, (struct slice){ 0 }, false, verdict);
        return false;
    }
    gate_key_use(gate, digest, now);
    return true;
}

/* A message that brings its token says who speaks on this link, as identify does. */
static bool identify_reader(struct session *session, struct gate *gate,
                            struct slice address,
                            struct message_events_subscribe *message,
                            struct gate_time now, struct verdict *verdict)
{
    uint8_t digest[DIGEST_BYTES];
    digest_sha256(message->token, digest);
    secret_wipe((char *)(uintptr_t)message->token.data, message->token.size);
    message->token = (struct slice){ 0 };

    const struct key *key = keyring_find(gate->keyring, digest, now.wall_ms);
    enum error_code code = ERROR_NONE;
    if (key == NULL)
        code = ERROR_INVALID_TOKEN;
    else if (session_is_identified(session) &&
             !slice_equal(actor_of(session), key->actor))
        code = ERROR_TOKEN_AGENT_MISMATCH;
    if (code != ERROR_NONE) {
        fail_identify(session, gate, address, now, code, verdict);
        return false;
    }
    const enum message_type type = MESSAGE_EVENTS_SUBSCRIBE;
    if (!gate_opens(gate, type, MESSAGE_ROWS[type].roles, key, false, verdict))
        return false;
    if (remember(session, key, digest))
        return true;
    gate_refuse(gate, ERROR_UNAVAILABLE, (struct slice){ 0 }, false, verdict);
    return false;
}

/* True when the session may send this message now. */
static bool allow(struct session *session, struct gate *gate, struct slice address,
                  struct message *message, struct gate_time now, struct verdict *verdict)
{
    struct limit_frame frame = frame_of(message);
    if (message->type == MESSAGE_IDENTIFY)
        return identify(session, gate, address, &message->as.identify, now, verdict);
    if (message->type == MESSAGE_EVENTS_SUBSCRIBE &&
        slice_is_present(message->as.events_subscribe.token))
        return identify_reader(session, gate, address, &message->as.events_subscribe, now,
                               verdict);
    if (!session_is_identified(session)) {
        gate_refuse(gate, ERROR_NOT_IDENTIFIED, (struct slice){ 0 }, false, verdict);
        return false;
    }
    if (!limit(session, gate, address, &frame, now, verdict))
        return false;
    const struct key key = { .role = session->role, .scopes = session->scopes };
    return gate_opens(gate, message->type, MESSAGE_ROWS[message->type].roles, &key, false,
                      verdict);
}

/* The digest by which a repeated submit is known: of all it asks for, not of the names
 * its sender gave this copy. */
static void digest_submit(struct gate *gate, struct envelope *envelope)
{
    if (envelope->message.type != MESSAGE_TASK_SUBMIT ||
        !slice_is_present(envelope->message.as.task_submit.idempotency_key))
        return;
    struct message plain = envelope->message;
    plain.as.task_submit.request_id = (struct slice){ 0 };
    plain.as.task_submit.idempotency_key = (struct slice){ 0 };

    struct buffer text;
    buffer_init(&text, gate->options.message_bytes_max * 2);
    wire_render(&plain, &text);
    digest_sha256(buffer_slice(&text), envelope->digest);
    envelope->digest_present = !buffer_failed(&text);
    buffer_finish(&text);
}

static bool is_expired(const struct session *session, struct gate_time now)
{
    return session_is_identified(session) && session->expires_wall_ms != 0 &&
           session->expires_wall_ms <= now.wall_ms;
}

void session_frame(struct session *session, struct gate *gate, struct origin origin,
                   struct slice address, char *text, size_t size, struct gate_time now,
                   struct verdict *ret_verdict)
{
    *ret_verdict = (struct verdict){ 0 };
    if (is_expired(session, now)) {
        gate_refuse(gate, ERROR_INVALID_TOKEN, SLICE_OF("it has expired"), false,
                    ret_verdict);
        ret_verdict->close = CLOSE_TOKEN_REVOKED;
        return;
    }
    struct envelope *envelope = gate_envelope(gate, size, address);
    if (envelope == NULL) {
        gate_refuse(gate, ERROR_UNAVAILABLE, (struct slice){ 0 }, false, ret_verdict);
        return;
    }
    struct refusal refusal = { 0 };
    bool whole =
        wire_parse_socket(gate->reader, DIRECTION_SOCKET_IN, slice_make(text, size),
                          &envelope->arena, &envelope->message, &refusal);
    if (!whole) {
        gate_refuse_text(gate, &refusal, false, &envelope->arena, ret_verdict);
        if (refusal.code == ERROR_VALIDATION_FAILED)
            strike(session, gate, address, &refusal, now, ret_verdict);
        struct limit_frame frame = { TIER_NORMAL, refusal.message_type, { 0 } };
        if (session_is_identified(session) && ret_verdict->close == CLOSE_NONE)
            limit(session, gate, address, &frame, now, ret_verdict);
    } else if (allow(session, gate, address, &envelope->message, now, ret_verdict)) {
        envelope->origin = origin;
        envelope->role = session->role;
        envelope->scopes = session->scopes;
        envelope->actor = arena_copy(&envelope->arena, actor_of(session));
        envelope->credential_present = true;
        memcpy(envelope->credential, session->digest, DIGEST_BYTES);
        digest_submit(gate, envelope);
        if (arena_failed(&envelope->arena))
            gate_refuse(gate, ERROR_UNAVAILABLE, (struct slice){ 0 }, false, ret_verdict);
        else
            ret_verdict->envelope = envelope;
    }
    if (!whole || envelope->message.type == MESSAGE_IDENTIFY ||
        envelope->message.type == MESSAGE_EVENTS_SUBSCRIBE)
        secret_wipe(text, size);
    if (ret_verdict->envelope != NULL)
        return;
    if (!session_is_identified(session) && ret_verdict->close == CLOSE_NONE) {
        limit_stranger(&session->allowance, ret_verdict);
        keep_stranger_out(gate, address, now, ret_verdict);
    }
    envelope_destroy(envelope);
}

struct envelope *session_closed(const struct gate *gate, struct origin origin)
{
    struct envelope *envelope = gate_envelope(gate, 0, SLICE_OF(""));
    if (envelope == NULL)
        return NULL;
    envelope->origin = origin;
    envelope->role = ROLE_HUB;
    envelope->message.type = MESSAGE_LINK_CLOSED;
    return envelope;
}
