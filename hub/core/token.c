#include "core/token.h"

#include "base/ensure.h"
#include "core/event.h"
#include "core/role.h"

#include <string.h>

enum {
    TOKEN_VERSION = 1,
};

/* The secret of an administrator to be is nobody's, and no id is empty. */
static const struct slice SECRET_ID = SLICE("");

/* The index key is the id, a NUL and the digest. */
static struct slice agent_key(struct step *step, struct packed_key *packed,
                              struct slice agent_id, const uint8_t *digest)
{
    struct buffer *buffer = packed_key_start(packed);
    buffer_append_slice(buffer, agent_id);
    buffer_append_byte(buffer, '\0');
    if (digest != NULL)
        buffer_append(buffer, digest, DIGEST_BYTES);
    return packed_slice(step, buffer);
}

static bool token_unpack(struct slice key, struct slice value, struct token *ret_token)
{
    struct unpack unpack = unpack_start(value);
    struct token token = { 0 };

    if (key.size != DIGEST_BYTES || unpack_u8(&unpack) != TOKEN_VERSION)
        return false;
    memcpy(token.digest, key.data, DIGEST_BYTES);
    token.role = unpack_u32(&unpack);
    token.created_ms = unpack_i64(&unpack);
    token.expires_ms = unpack_i64(&unpack);
    struct slice prefix = unpack_bytes(&unpack, TOKEN_PREFIX_BYTES);
    token.agent_id = unpack_slice(&unpack);
    if (!unpack_done(&unpack))
        return false;
    memcpy(token.prefix, prefix.data, TOKEN_PREFIX_BYTES);
    *ret_token = token;
    return true;
}

static void token_put(struct step *step, const struct token *token)
{
    struct packed packed;
    struct packed_key key;
    struct buffer *buffer = packed_start(&packed);

    pack_u8(buffer, TOKEN_VERSION);
    pack_u32(buffer, token->role);
    pack_i64(buffer, token->created_ms);
    pack_i64(buffer, token->expires_ms);
    buffer_append(buffer, token->prefix, TOKEN_PREFIX_BYTES);
    pack_slice(buffer, token->agent_id);
    step_put(step, TABLE_TOKEN, slice_make(token->digest, DIGEST_BYTES),
             packed_slice(step, buffer));
    step_put_mark(step, TABLE_TOKEN_AGENT,
                  agent_key(step, &key, token->agent_id, token->digest));
}

bool token_agent_id_valid(struct slice agent_id)
{
    return agent_id.size > 0 &&
           agent_id.size <= TRANSACTION_KEY_BYTES_MAX - 1 - DIGEST_BYTES &&
           slice_find(agent_id, '\0') == agent_id.size;
}

static struct effect *ring_effect(struct step *step, enum effect_kind kind,
                                  const uint8_t *digest)
{
    struct effect *effect = effects_add(step->effects, kind);
    if (effect == NULL) {
        step_fail(step, ERR_MEMORY);
        return NULL;
    }
    memcpy(effect->digest, digest, DIGEST_BYTES);
    return effect;
}

/* The first index entry of the id, and its digest. */
static bool first_of(struct step *step, struct slice agent_id, uint8_t *ret_digest)
{
    struct packed_key packed;
    struct slice from = agent_key(step, &packed, agent_id, NULL);
    struct slice key;
    struct slice value;

    if (!step_first_from(step, TABLE_TOKEN_AGENT, from, &key, &value) ||
        !slice_starts_with(key, from) || key.size != from.size + DIGEST_BYTES)
        return false;
    memcpy(ret_digest, key.data + from.size, DIGEST_BYTES);
    return true;
}

static uint32_t remove_all(struct step *step, struct slice agent_id)
{
    uint8_t digest[DIGEST_BYTES];
    uint32_t count = 0;

    while (!step_failed(step) && first_of(step, agent_id, digest)) {
        struct packed_key packed;
        step_remove(step, TABLE_TOKEN_AGENT, agent_key(step, &packed, agent_id, digest));
        step_remove(step, TABLE_TOKEN, slice_make(digest, DIGEST_BYTES));
        ring_effect(step, EFFECT_KEY_REMOVE, digest);
        count++;
    }
    return count;
}

static bool has_room(struct step *step, struct slice agent_id)
{
    struct packed_key packed;
    struct slice from = agent_key(step, &packed, agent_id, NULL);
    size_t prefix_size = from.size;
    uint32_t count = 0;
    struct slice key;
    struct slice value;

    while (count < TOKENS_PER_AGENT_MAX &&
           step_first_from(step, TABLE_TOKEN_AGENT, from, &key, &value) &&
           key.size == prefix_size + DIGEST_BYTES &&
           slice_starts_with(key, slice_make(packed.bytes, prefix_size))) {
        count++;
        struct buffer *buffer = packed_key_start(&packed);
        buffer_append_slice(buffer, key);
        buffer_append_byte(buffer, '\0');
        from = packed_slice(step, buffer);
    }
    return count < TOKENS_PER_AGENT_MAX;
}

bool token_mint(struct step *step, struct slice agent_id, uint32_t role)
{
    const struct command *command = step->command;
    ENSURE(command->minted);

    if (!token_agent_id_valid(agent_id)) {
        step_refuse_field(step, SLICE_OF("agent_id"), SLICE_OF("too_long"),
                          SLICE_OF("the id is empty, too long or has a NUL in it"));
        return false;
    }
    if (!has_room(step, agent_id)) {
        step_refuse_field(step, SLICE_OF("agent_id"), SLICE_OF("invalid_value"),
                          SLICE_OF("it has too many tokens: revoke them first"));
        return false;
    }

    struct token token = {
        .agent_id = agent_id,
        .role = role,
        .created_ms = command->wall_ms,
    };
    memcpy(token.digest, command->minted_digest, DIGEST_BYTES);
    memcpy(token.prefix, command->minted_prefix, TOKEN_PREFIX_BYTES);
    token_put(step, &token);

    struct effect *effect = ring_effect(step, EFFECT_KEY_ADD, token.digest);
    if (effect != NULL) {
        effect->actor = agent_id;
        effect->role = role;
        effect->scopes = SCOPES_ALL;
        effect->expires_wall_ms = token.expires_ms;
    }

    struct message event = { .type = MESSAGE_EVENT_TOKEN_CREATED };
    event.as.event_token_created = (struct message_event_token_created){
        .agent_id = agent_id,
        .role = role_name(role),
        .prefix = slice_make(token.prefix, TOKEN_PREFIX_BYTES),
    };
    event_add(step, &event);
    return !step_failed(step);
}

void token_offer(struct step *step)
{
    const struct command *command = step->command;
    ENSURE(command->minted);

    remove_all(step, SECRET_ID);
    struct token token = {
        .agent_id = SECRET_ID,
        .role = ROLE_BOOTSTRAP,
        .created_ms = command->wall_ms,
    };
    memcpy(token.digest, command->minted_digest, DIGEST_BYTES);
    memcpy(token.prefix, command->minted_prefix, TOKEN_PREFIX_BYTES);
    token_put(step, &token);

    struct effect *effect = ring_effect(step, EFFECT_KEY_ADD, token.digest);
    if (effect != NULL) {
        effect->actor = SECRET_ID;
        effect->role = ROLE_BOOTSTRAP;
        effect->scopes = SCOPES_ALL;
    }
}

bool token_is_offered(struct step *step)
{
    const struct command *command = step->command;
    uint8_t digest[DIGEST_BYTES];

    return command->credential_present && first_of(step, SECRET_ID, digest) &&
           memcmp(digest, command->credential, DIGEST_BYTES) == 0;
}

void token_burn(struct step *step)
{
    remove_all(step, SECRET_ID);
}

bool token_exists(struct step *step, struct slice agent_id)
{
    uint8_t digest[DIGEST_BYTES];
    return token_agent_id_valid(agent_id) && first_of(step, agent_id, digest);
}

uint32_t token_revoke(struct step *step, struct slice agent_id)
{
    uint32_t count = token_agent_id_valid(agent_id) ? remove_all(step, agent_id) : 0;
    if (count > 0) {
        struct message event = { .type = MESSAGE_EVENT_TOKEN_REVOKED };
        event.as.event_token_revoked.agent_id = agent_id;
        event.as.event_token_revoked.count = count;
        event_add(step, &event);
    }
    return count;
}

bool token_next(struct step *step, struct token_walk *walk, struct token *ret_token)
{
    struct slice key;
    struct slice value;

    ENSURE(walk->after_size < sizeof walk->after);
    if (!step_first_from(step, TABLE_TOKEN_AGENT,
                         slice_make(walk->after, walk->after_size), &key, &value))
        return false;
    if (key.size <= DIGEST_BYTES || key.size >= sizeof walk->after) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    /* The key and one byte more: the least key that comes after it. */
    memcpy(walk->after, key.data, key.size);
    walk->after[key.size] = '\0';
    walk->after_size = key.size + 1;

    struct slice digest = slice_make(walk->after + key.size - DIGEST_BYTES, DIGEST_BYTES);
    if (!step_get(step, TABLE_TOKEN, digest, &value) ||
        !token_unpack(digest, value, ret_token)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return true;
}

/* An id and a byte above NUL: past all entries of that id, before those of the next. The
 * enrolment secret, which stands before all, is nobody's. */
bool token_next_owner(struct step *step, struct slice after, struct slice *ret_id)
{
    struct packed_key packed;
    struct slice key;
    struct slice value;
    struct buffer *from = packed_key_start(&packed);
    buffer_append_slice(from, after);
    buffer_append_byte(from, '\x01');
    if (!step_first_from(step, TABLE_TOKEN_AGENT, packed_slice(step, from), &key, &value))
        return false;
    if (key.size <= DIGEST_BYTES + 1) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_id = step_copy(step, slice_make(key.data, key.size - DIGEST_BYTES - 1));
    return !step_failed(step);
}

enum err core_key_next(struct transaction *transaction, uint8_t position[DIGEST_BYTES],
                       struct core_key *ret_key)
{
    uint8_t after[DIGEST_BYTES + 1] = { 0 };
    struct slice key;
    struct slice value;
    struct token token;

    memcpy(after, position, DIGEST_BYTES);
    enum err err = transaction_first_from(transaction, TABLE_TOKEN,
                                          slice_make(after, sizeof after), &key, &value);
    if (err != ERR_OK)
        return err;
    if (!token_unpack(key, value, &token))
        return ERR_CORRUPT;

    memcpy(position, token.digest, DIGEST_BYTES);
    *ret_key = (struct core_key){
        .actor = token.agent_id,
        .role = token.role,
        .scopes = SCOPES_ALL,
        .expires_wall_ms = token.expires_ms,
    };
    memcpy(ret_key->digest, token.digest, DIGEST_BYTES);
    return ERR_OK;
}
