#include "gate/request.h"

#include "base/ensure.h"
#include "base/hash.h"
#include "gate/limit.h"
#include "os/counter.h"
#include "os/entropy.h"
#include "os/secret.h"

#include <string.h>
#include <strings.h>

static const struct slice HINT = SLICE("Send the header Authorization: Bearer <token>.");

static const struct slice HINT_ENROL =
    SLICE("The enrolment secret is good once. With the hub stopped, drover-hub "
          "--new-enrolment makes another.");

static const struct slice HINT_URL =
    SLICE("Send the token in the Authorization header, never in the URL.");

static uint32_t roles_of(const struct gate *gate, enum message_type type)
{
    uint32_t roles = MESSAGE_ROWS[type].roles;
    if (type == MESSAGE_POST_ONBOARD_REGISTER && !gate->options.registration_open)
        roles &= ~(uint32_t)ROLE_ANYBODY;
    return roles;
}

/* The token of a bearer header; absent for anything else. */
static struct slice bearer(struct slice header)
{
    static const struct slice scheme = SLICE("Bearer ");
    if (header.size <= scheme.size ||
        strncasecmp(header.data, scheme.data, scheme.size) != 0)
        return (struct slice){ 0 };
    struct slice token = slice_skip(header, scheme.size);
    while (token.size > 0 && token.data[0] == ' ')
        token = slice_skip(token, 1);
    return token;
}

static void refuse_stranger(struct gate *gate, const struct request *request,
                            struct gate_time now, struct verdict *ret_verdict)
{
    int64_t retry_ms;
    bool silent = !slice_is_present(request->authorization) &&
                  !slice_is_present(request->url_token);
    counter_add(COUNTER_AUTH_FAILED, 1);
    /* A missing token is no guess. */
    if (!silent &&
        !attempts_count(gate->attempts, request->address, now.monotonic_ms, &retry_ms))
        gate_refuse_rate(gate, retry_ms, (struct slice){ 0 }, ret_verdict);
    else if (silent && request->type == MESSAGE_POST_ONBOARD_REGISTER)
        gate_refuse_hint(gate, ERROR_REGISTRATION_CLOSED, HINT, ret_verdict);
    else
        gate_refuse_hint(gate, ERROR_UNAUTHORIZED,
                         request->type == MESSAGE_POST_ENROL ? HINT_ENROL : HINT,
                         ret_verdict);
}

/* NULL for nobody known. */
static const struct key *key_of(const struct gate *gate, const struct request *request,
                                struct gate_time now, uint8_t ret_digest[DIGEST_BYTES])
{
    struct slice token = slice_is_present(request->authorization)
                             ? bearer(request->authorization)
                             : request->url_token;
    if (!slice_is_present(token))
        return NULL;
    digest_sha256(token, ret_digest);
    return keyring_find(gate->keyring, ret_digest, now.wall_ms);
}

/* Who shows a good token counts by name even where nobody has to. */
static bool limit(struct gate *gate, const struct request *request, const struct key *key,
                  struct gate_time now, struct caller *caller, struct verdict *verdict)
{
    struct rate_asker asker = { .role = ROLE_ANYBODY, .address = request->address };
    if (key != NULL) {
        asker.actor = key->actor;
        asker.role = key->role;
    }
    return limit_request(gate, &asker, MESSAGE_ROWS[request->type].tier, now,
                         &caller->rate, verdict);
}

bool request_check(struct gate *gate, const struct request *request, struct gate_time now,
                   struct caller *ret_caller, struct verdict *ret_verdict)
{
    *ret_verdict = (struct verdict){ 0 };
    *ret_caller = (struct caller){ 0 };
    uint32_t roles = roles_of(gate, request->type);

    if (slice_is_present(request->url_token) && !gate->options.token_in_url) {
        gate_refuse_hint(gate, ERROR_TOKEN_IN_URL, HINT_URL, ret_verdict);
        return false;
    }
    bool open = (roles & ROLE_ANYBODY) != 0;
    const struct key *key = key_of(gate, request, now, ret_caller->digest);
    if (key == NULL && !open) {
        refuse_stranger(gate, request, now, ret_verdict);
        return false;
    }
    if (!limit(gate, request, key, now, ret_caller, ret_verdict))
        return false;
    if (open)
        return true;
    if (!gate_opens(gate, request->type, roles, key, true, ret_verdict))
        return false;
    gate_key_use(gate, ret_caller->digest, now);
    ret_caller->known = true;
    return true;
}

static void draw(char ret_text[TOKEN_TEXT_BYTES], uint8_t ret_digest[DIGEST_BYTES])
{
    uint8_t secret[TOKEN_BYTES];
    entropy_fill(secret, sizeof secret);
    hex_encode(ret_text, secret, sizeof secret);
    digest_sha256(slice_make(ret_text, TOKEN_TEXT_BYTES), ret_digest);
    secret_wipe(secret, sizeof secret);
}

static void mint(struct envelope *envelope, struct minted *ret_minted)
{
    if (envelope->message.type != MESSAGE_POST_ONBOARD_REGISTER &&
        envelope->message.type != MESSAGE_POST_ADMIN_TOKEN &&
        envelope->message.type != MESSAGE_POST_ADMIN_TOKEN_ROTATE &&
        envelope->message.type != MESSAGE_POST_ENROL)
        return;
    draw(ret_minted->text, envelope->minted_digest);
    ret_minted->present = true;
    envelope->minted = true;
    memcpy(envelope->minted_prefix, ret_minted->text, sizeof envelope->minted_prefix);
}

/* False when the caller's token went away while the body came in. */
static bool fill_caller(struct gate *gate, const struct caller *caller,
                        struct gate_time now, struct envelope *envelope)
{
    if (!caller->known) {
        envelope->role = ROLE_ANYBODY;
        return true;
    }
    const struct key *key = keyring_find(gate->keyring, caller->digest, now.wall_ms);
    if (key == NULL)
        return false;
    envelope->role = key->role;
    envelope->scopes = key->scopes;
    envelope->actor = arena_copy(&envelope->arena, key->actor);
    envelope->credential_present = true;
    memcpy(envelope->credential, caller->digest, DIGEST_BYTES);
    return true;
}

void request_admit(struct gate *gate, const struct request *request,
                   const struct caller *caller, struct origin origin,
                   const struct wire_parameter *parameters, size_t parameter_count,
                   struct slice body, struct gate_time now, struct minted *ret_minted,
                   struct verdict *ret_verdict)
{
    *ret_verdict = (struct verdict){ 0 };
    *ret_minted = (struct minted){ 0 };
    struct envelope *envelope = gate_envelope(gate, body.size, request->address);
    if (envelope == NULL) {
        gate_refuse(gate, ERROR_UNAVAILABLE, (struct slice){ 0 }, true, ret_verdict);
        return;
    }
    struct refusal refusal = { 0 };
    envelope->origin = origin;
    if (!fill_caller(gate, caller, now, envelope)) {
        gate_refuse_hint(gate, ERROR_UNAUTHORIZED, HINT, ret_verdict);
    } else if (!wire_parse_request(gate->reader, request->type, parameters,
                                   parameter_count, body, &envelope->arena,
                                   &envelope->message, &refusal)) {
        if (refusal.code == ERROR_VALIDATION_FAILED) {
            failures_add(gate->failures,
                         (struct offender){ envelope->actor, envelope->address },
                         MESSAGE_ROWS[request->type].name, &refusal, now);
            if (MESSAGE_ROWS[request->type].invalid != ERROR_NONE)
                refusal.code = MESSAGE_ROWS[request->type].invalid;
        }
        gate_refuse_text(gate, &refusal, true, &envelope->arena, ret_verdict);
    } else if (arena_failed(&envelope->arena)) {
        gate_refuse(gate, ERROR_UNAVAILABLE, (struct slice){ 0 }, true, ret_verdict);
    } else {
        ENSURE(envelope->message.type == request->type);
        if (MESSAGE_ROWS[request->type].kind == KIND_COMMAND) {
            digest_sha256(body, envelope->digest);
            envelope->digest_present = true;
        }
        mint(envelope, ret_minted);
        ret_verdict->envelope = envelope;
        return;
    }
    envelope_destroy(envelope);
}
