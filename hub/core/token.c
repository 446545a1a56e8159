#include "core/token.h"

#include "base/ensure.h"
#include "core/deadline.h"
#include "core/token_event.h"

#include <string.h>

enum {
    TOKEN_VERSION_FIRST = 1,
    TOKEN_VERSION = 2,
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

/* Rows of the first version know an end no token had, and nothing behind the id. */
static bool token_unpack(struct slice key, struct slice value, struct token *ret_token)
{
    struct unpack unpack = unpack_start(value);
    struct token token = { .scopes = SCOPES_ALL };

    uint8_t version = unpack_u8(&unpack);
    if (key.size != DIGEST_BYTES || version < TOKEN_VERSION_FIRST ||
        version > TOKEN_VERSION)
        return false;
    memcpy(token.digest, key.data, DIGEST_BYTES);
    token.role = unpack_u32(&unpack);
    token.created_ms = unpack_i64(&unpack);
    token.expires_ms = unpack_i64(&unpack);
    struct slice prefix = unpack_bytes(&unpack, TOKEN_PREFIX_BYTES);
    token.agent_id = unpack_slice(&unpack);
    if (version > TOKEN_VERSION_FIRST) {
        token.scopes = unpack_u64(&unpack);
        token.lifetime_ms = unpack_i64(&unpack);
        token.used_ms = unpack_i64(&unpack);
        token.rotated = unpack_u8(&unpack) != 0;
        token.label = unpack_slice(&unpack);
        if (token.label.size == 0)
            token.label = (struct slice){ 0 };
    }
    if (!unpack_done(&unpack))
        return false;
    memcpy(token.prefix, prefix.data, TOKEN_PREFIX_BYTES);
    *ret_token = token;
    return true;
}

void token_save(struct step *step, const struct token *token)
{
    struct packed packed;
    struct buffer *buffer = packed_start(&packed);

    pack_u8(buffer, TOKEN_VERSION);
    pack_u32(buffer, token->role);
    pack_i64(buffer, token->created_ms);
    pack_i64(buffer, token->expires_ms);
    buffer_append(buffer, token->prefix, TOKEN_PREFIX_BYTES);
    pack_slice(buffer, token->agent_id);
    pack_u64(buffer, token->scopes);
    pack_i64(buffer, token->lifetime_ms);
    pack_i64(buffer, token->used_ms);
    pack_u8(buffer, token->rotated);
    pack_slice(buffer, token->label);
    step_put(step, TABLE_TOKEN, slice_make(token->digest, DIGEST_BYTES),
             packed_slice(step, buffer));
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

static void ring_add(struct step *step, const struct token *token)
{
    struct slice actor = step_copy(step, token->agent_id);
    struct effect *effect = ring_effect(step, EFFECT_KEY_ADD, token->digest);
    if (effect == NULL)
        return;
    effect->actor = actor;
    effect->role = token->role;
    effect->scopes = token->scopes;
    effect->expires_wall_ms = token->expires_ms;
}

static void deadline_of(struct step *step, const struct token *token,
                        void (*change)(struct step *, enum deadline_clock, int64_t,
                                       enum deadline_kind, struct slice))
{
    if (token->expires_ms != 0)
        change(step, CLOCK_WALL, token->expires_ms, DEADLINE_TOKEN,
               slice_make(token->digest, DIGEST_BYTES));
}

static void token_add(struct step *step, const struct token *token)
{
    struct packed_key key;
    ring_add(step, token);
    token_save(step, token);
    step_put_mark(step, TABLE_TOKEN_AGENT,
                  agent_key(step, &key, token->agent_id, token->digest));
    deadline_of(step, token, deadline_add);
}

void token_remove(struct step *step, const struct token *token)
{
    struct packed_key key;
    struct slice index = agent_key(step, &key, token->agent_id, token->digest);
    step_remove(step, TABLE_TOKEN_AGENT, index);
    step_remove(step, TABLE_TOKEN, slice_make(token->digest, DIGEST_BYTES));
    deadline_of(step, token, deadline_remove);
    ring_effect(step, EFFECT_KEY_REMOVE, token->digest);
}

bool token_rebuild(struct step *step, struct slice digest)
{
    struct token token;
    struct packed_key key;
    if (digest.size != DIGEST_BYTES ||
        !token_load(step, (const uint8_t *)digest.data, &token))
        return false;
    ring_add(step, &token);
    struct slice index = agent_key(step, &key, token.agent_id, token.digest);
    bool whole =
        step_has(step, TABLE_TOKEN_AGENT, index) &&
        (token.expires_ms == 0 ||
         deadline_has(step, CLOCK_WALL, token.expires_ms, DEADLINE_TOKEN, digest));
    if (whole || step_failed(step))
        return false;
    step_put_mark(step, TABLE_TOKEN_AGENT, index);
    deadline_of(step, &token, deadline_add);
    return true;
}

void token_end_at(struct step *step, struct token *token, int64_t expires_ms)
{
    token->agent_id = step_copy(step, token->agent_id);
    token->label = step_copy(step, token->label);
    deadline_of(step, token, deadline_remove);
    token->expires_ms = expires_ms;
    deadline_of(step, token, deadline_add);
    token_save(step, token);
    ring_add(step, token);
}

void token_expire(struct step *step, struct slice digest, int64_t due_ms)
{
    struct token token;
    if (digest.size != DIGEST_BYTES ||
        !token_load(step, (const uint8_t *)digest.data, &token) ||
        token.expires_ms != due_ms) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    token_event_expired(step, &token);
    if (!token_load(step, (const uint8_t *)digest.data, &token)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    /* The deadline itself is gone already. */
    token.expires_ms = 0;
    token_remove(step, &token);
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

static bool has_room(struct step *step, struct slice agent_id)
{
    struct token_walk walk = token_walk_of(agent_id);
    struct token token;
    uint32_t count = 0;
    while (count < TOKENS_PER_AGENT_MAX && token_next(step, &walk, &token))
        count++;
    return count < TOKENS_PER_AGENT_MAX;
}

bool token_mint(struct step *step, const struct token_terms *terms)
{
    const struct command *command = step->command;
    ENSURE(command->minted);

    if (!token_agent_id_valid(terms->agent_id)) {
        step_refuse_field(step, SLICE_OF("agent_id"), SLICE_OF("too_long"),
                          SLICE_OF("the id is empty, too long or has a NUL in it"));
        return false;
    }
    if (!has_room(step, terms->agent_id)) {
        step_refuse_field(step, SLICE_OF("agent_id"), SLICE_OF("invalid_value"),
                          SLICE_OF("it has too many tokens: revoke them first"));
        return false;
    }

    struct token token = {
        .agent_id = terms->agent_id,
        .role = terms->role,
        .scopes = terms->scopes,
        .label = terms->label,
        .created_ms = command->wall_ms,
        .expires_ms = terms->expires_ms,
        .lifetime_ms = terms->lifetime_ms,
    };
    memcpy(token.digest, command->minted_digest, DIGEST_BYTES);
    memcpy(token.prefix, command->minted_prefix, TOKEN_PREFIX_BYTES);
    token_add(step, &token);
    return !step_failed(step);
}

bool token_take_over(struct step *step, struct slice agent_id,
                     const uint8_t digest[DIGEST_BYTES], struct slice prefix)
{
    struct token token = {
        .agent_id = agent_id,
        .role = ROLE_AGENT,
        .scopes = SCOPES_ALL,
        .created_ms = step->command->wall_ms,
    };
    if (!has_room(step, agent_id))
        return false;
    memcpy(token.digest, digest, DIGEST_BYTES);
    memcpy(token.prefix, prefix.data,
           prefix.size < TOKEN_PREFIX_BYTES ? prefix.size : TOKEN_PREFIX_BYTES);
    token_add(step, &token);
    return !step_failed(step);
}

void token_offer(struct step *step)
{
    const struct command *command = step->command;
    ENSURE(command->minted);

    token_burn(step);
    token_event_offered(step);
    struct token token = {
        .agent_id = SECRET_ID,
        .role = ROLE_BOOTSTRAP,
        .scopes = SCOPES_ALL,
        .created_ms = command->wall_ms,
    };
    memcpy(token.digest, command->minted_digest, DIGEST_BYTES);
    memcpy(token.prefix, command->minted_prefix, TOKEN_PREFIX_BYTES);
    token_add(step, &token);
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
    struct token token;
    struct token_walk walk = token_walk_of(SECRET_ID);
    while (token_next(step, &walk, &token))
        token_remove(step, &token);
}

bool token_exists(struct step *step, struct slice agent_id)
{
    uint8_t digest[DIGEST_BYTES];
    return token_agent_id_valid(agent_id) && first_of(step, agent_id, digest);
}

bool token_load(struct step *step, const uint8_t digest[DIGEST_BYTES],
                struct token *ret_token)
{
    struct slice key = slice_make(digest, DIGEST_BYTES);
    struct slice value;
    if (!step_get(step, TABLE_TOKEN, key, &value))
        return false;
    if (!token_unpack(key, value, ret_token)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return true;
}

struct token_walk token_walk_of(struct slice agent_id)
{
    struct token_walk walk = { .only = agent_id.size + 1 };
    ENSURE(walk.only + DIGEST_BYTES < sizeof walk.after);
    if (agent_id.size > 0)
        memcpy(walk.after, agent_id.data, agent_id.size);
    walk.after_size = walk.only;
    return walk;
}

bool token_next(struct step *step, struct token_walk *walk, struct token *ret_token)
{
    struct slice key;
    struct slice value;

    ENSURE(walk->after_size < sizeof walk->after);
    if (!step_first_from(step, TABLE_TOKEN_AGENT,
                         slice_make(walk->after, walk->after_size), &key, &value) ||
        key.size < walk->only || memcmp(key.data, walk->after, walk->only) != 0)
        return false;
    if (key.size <= DIGEST_BYTES || key.size >= sizeof walk->after) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    /* The key and one byte more: the least key that comes after it. */
    memcpy(walk->after, key.data, key.size);
    walk->after[key.size] = '\0';
    walk->after_size = key.size + 1;

    uint8_t digest[DIGEST_BYTES];
    memcpy(digest, walk->after + key.size - DIGEST_BYTES, DIGEST_BYTES);
    if (!token_load(step, digest, ret_token)) {
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
        .scopes = token.scopes,
        .expires_wall_ms = token.expires_ms,
        .used_wall_ms = token.used_ms,
    };
    memcpy(ret_key->digest, token.digest, DIGEST_BYTES);
    return ERR_OK;
}
