#include "gate/gate.h"

#include "base/ensure.h"
#include "base/hash.h"
#include "os/counter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEEP_BYTES = 4096, /* room for answers of the gate's own, and small messages */
    /* A parsed message against its text: a pointer and a size for every short string. */
    ARENA_FACTOR = 16,
    /* Items of a refusal repeat field names and values. */
    ANSWER_BYTES_MAX = 256 * 1024,
};

struct gate *gate_create(const struct gate_options *options, struct gate_time now)
{
    struct gate *gate = calloc(1, sizeof *gate);
    if (gate == NULL)
        return NULL;
    gate->options = *options;
    buffer_init(&gate->answer, ANSWER_BYTES_MAX);
    buffer_init(&gate->notice, KEEP_BYTES);
    gate->reader = wire_reader_create(options->wire);
    gate->keyring = keyring_create(options->keys_max);
    gate->attempts = attempts_create(now.monotonic_ms);
    gate->agents_away = cooldowns_create();
    gate->addresses_away = cooldowns_create();
    gate->failures = failures_create();
    gate->rates = rates_create(&options->limits.rates);
    if (gate->reader == NULL || gate->keyring == NULL || gate->attempts == NULL ||
        gate->agents_away == NULL || gate->addresses_away == NULL ||
        gate->failures == NULL || gate->rates == NULL) {
        gate_destroy(gate);
        return NULL;
    }
    return gate;
}

void gate_destroy(struct gate *gate)
{
    if (gate == NULL)
        return;
    wire_reader_destroy(gate->reader);
    keyring_destroy(gate->keyring);
    attempts_destroy(gate->attempts);
    cooldowns_destroy(gate->agents_away);
    cooldowns_destroy(gate->addresses_away);
    failures_destroy(gate->failures);
    rates_destroy(gate->rates);
    buffer_finish(&gate->answer);
    buffer_finish(&gate->notice);
    free(gate);
}

enum err gate_reset(struct gate *gate, struct gate_time now)
{
    struct attempts *attempts = attempts_create(now.monotonic_ms);
    struct cooldowns *agents_away = cooldowns_create();
    struct cooldowns *addresses_away = cooldowns_create();
    struct failures *failures = failures_create();
    bool whole = attempts != NULL && agents_away != NULL && addresses_away != NULL &&
                 failures != NULL;
    attempts_destroy(whole ? gate->attempts : attempts);
    cooldowns_destroy(whole ? gate->agents_away : agents_away);
    cooldowns_destroy(whole ? gate->addresses_away : addresses_away);
    failures_destroy(whole ? gate->failures : failures);
    keyring_renew(gate->keyring);
    if (!whole)
        return ERR_MEMORY;
    gate->attempts = attempts;
    gate->agents_away = agents_away;
    gate->addresses_away = addresses_away;
    gate->failures = failures;
    return rates_forget(gate->rates);
}

size_t gate_keys_sweep(struct gate *gate)
{
    return keyring_sweep(gate->keyring);
}

bool gate_key_is_known(const struct gate *gate, const uint8_t digest[DIGEST_BYTES])
{
    return keyring_find(gate->keyring, digest, 0) != NULL;
}

enum err gate_key_add(struct gate *gate, const uint8_t digest[DIGEST_BYTES],
                      const struct key *key)
{
    return keyring_add(gate->keyring, digest, key);
}

uint32_t gate_key_remove(struct gate *gate, const uint8_t digest[DIGEST_BYTES])
{
    return keyring_remove(gate->keyring, digest);
}

void gate_key_use(struct gate *gate, const uint8_t digest[DIGEST_BYTES],
                  struct gate_time now)
{
    if (gate->used_count < USED_MAX && keyring_use(gate->keyring, digest, now.wall_ms))
        memcpy(gate->used[gate->used_count++], digest, DIGEST_BYTES);
}

struct envelope *gate_uses(const struct gate *gate)
{
    if (gate->used_count == 0)
        return NULL;
    struct envelope *envelope = gate_envelope(gate, 0, SLICE_OF(""));
    if (envelope == NULL)
        return NULL;
    envelope->role = ROLE_HUB;
    envelope->message.type = MESSAGE_TOKENS_USED;
    struct slice_list *digests = &envelope->message.as.tokens_used.digests;
    digests->items =
        arena_take_many(&envelope->arena, gate->used_count, sizeof *digests->items);
    for (size_t i = 0; digests->items != NULL && i < gate->used_count; i++) {
        char *text = arena_take(&envelope->arena, (size_t)2 * DIGEST_BYTES);
        if (text == NULL)
            break;
        hex_encode(text, gate->used[i], DIGEST_BYTES);
        digests->items[digests->count++] = slice_make(text, (size_t)2 * DIGEST_BYTES);
    }
    if (arena_failed(&envelope->arena)) {
        envelope_destroy(envelope);
        return NULL;
    }
    return envelope;
}

void gate_uses_told(struct gate *gate)
{
    gate->used_count = 0;
}

void gate_answer(struct gate *gate, const struct message *message, uint16_t status,
                 struct verdict *ret_verdict)
{
    buffer_clear(&gate->answer);
    wire_render(message, &gate->answer);
    if (buffer_failed(&gate->answer)) {
        /* What little is left to say when there is no memory to say it with. */
        ret_verdict->answer = SLICE_OF("{\"error\":\"unavailable\"}");
        ret_verdict->status = ERROR_ROWS[ERROR_UNAVAILABLE].status;
        return;
    }
    ret_verdict->answer = buffer_slice(&gate->answer);
    ret_verdict->status = status;
}

void gate_notice(struct gate *gate, const struct message *message,
                 struct verdict *ret_verdict)
{
    buffer_clear(&gate->notice);
    wire_render(message, &gate->notice);
    if (!buffer_failed(&gate->notice))
        ret_verdict->notice = buffer_slice(&gate->notice);
}

void gate_refuse(struct gate *gate, enum error_code code, struct slice detail, bool http,
                 struct verdict *ret_verdict)
{
    struct message message;
    wire_error_message(code, http, &message);
    if (http)
        message.as.http_error.detail = detail;
    else
        message.as.error.detail = detail;
    gate_answer(gate, &message, ERROR_ROWS[code].status, ret_verdict);
}

void gate_refuse_hint(struct gate *gate, enum error_code code, struct slice hint,
                      struct verdict *ret_verdict)
{
    struct message message;
    wire_error_message(code, true, &message);
    message.as.http_error.hint = hint;
    gate_answer(gate, &message, ERROR_ROWS[code].status, ret_verdict);
}

void gate_refuse_guess(struct gate *gate, int64_t retry_ms, struct verdict *ret_verdict)
{
    struct message message;
    counter_add(COUNTER_RATE_REFUSED, 1);
    wire_error_message(ERROR_RATE_LIMITED, false, &message);
    message.as.error.retry_after_ms = retry_ms;
    message.as.error.has_retry_after_ms = true;
    gate_answer(gate, &message, 0, ret_verdict);
    ret_verdict->retry_after_ms = retry_ms;
}

void gate_refuse_rate(struct gate *gate, int64_t retry_ms, struct slice tier,
                      struct verdict *ret_verdict)
{
    struct message message;
    counter_add(COUNTER_RATE_REFUSED, 1);
    wire_error_message(ERROR_RATE_LIMITED, true, &message);
    message.as.http_error.retry_after_ms = retry_ms;
    message.as.http_error.has_retry_after_ms = true;
    message.as.http_error.tier = tier;
    gate_answer(gate, &message, ERROR_ROWS[ERROR_RATE_LIMITED].status, ret_verdict);
    ret_verdict->retry_after_ms = retry_ms;
}

void gate_refuse_text(struct gate *gate, const struct refusal *refusal, bool http,
                      struct arena *arena, struct verdict *ret_verdict)
{
    struct message message;
    counter_add(COUNTER_MESSAGES_INVALID, 1);
    wire_refusal_message(refusal, http, arena, &message);
    gate_answer(gate, &message, ERROR_ROWS[refusal->code].status, ret_verdict);
}

bool gate_opens(struct gate *gate, enum message_type type, uint32_t roles,
                const struct key *key, bool http, struct verdict *ret_verdict)
{
    char text[64];
    struct slice detail = { 0 };
    uint64_t missing = MESSAGE_ROWS[type].scopes & ~key->scopes;
    if ((roles & key->role) != 0 && missing == 0)
        return true;
    counter_add(COUNTER_ROLE_REFUSED, 1);
    if ((roles & key->role) != 0) {
        struct slice scope = SCOPE_ROWS[__builtin_ctzll(missing)].name;
        int size = snprintf(text, sizeof text, "the token lacks the scope %.*s",
                            (int)scope.size, scope.data);
        ENSURE(size > 0 && (size_t)size < sizeof text);
        detail = slice_make(text, (size_t)size);
    }
    gate_refuse(gate, ERROR_FORBIDDEN, detail, http, ret_verdict);
    return false;
}

struct envelope *gate_envelope(const struct gate *gate, size_t text_bytes,
                               struct slice address)
{
    size_t bytes = text_bytes < gate->options.message_bytes_max
                       ? text_bytes
                       : gate->options.message_bytes_max;
    struct envelope *envelope = envelope_create(KEEP_BYTES * 8 + bytes * ARENA_FACTOR);
    if (envelope == NULL)
        return NULL;
    envelope->address = arena_copy(&envelope->arena, address);
    return envelope;
}
