/*
 * token.h - the key ring: who may come in, by the digest of a token.
 *
 *   token        digest(32)               actor, role, prefix, times
 *   token_agent  agent id, 0, digest(32)  index, in the order of the admin's list
 *
 * The text of a token is never here. An id has no NUL in it, so the index is unambiguous.
 */
#ifndef CORE_TOKEN_H
#define CORE_TOKEN_H

#include "core/step.h"

enum {
    TOKEN_PREFIX_BYTES = 8,
    TOKENS_PER_AGENT_MAX = 100,
};

struct token {
    uint8_t digest[DIGEST_BYTES];
    struct slice agent_id;
    uint32_t role;
    char prefix[TOKEN_PREFIX_BYTES];
    int64_t created_ms; /* wall */
    int64_t expires_ms; /* wall; 0 never */
};

/* False for an empty or overlong id, and for one with a NUL in it. */
bool token_agent_id_valid(struct slice agent_id);

/* Adds the token the door has minted for this command. False: the asker has been
 * refused (it holds TOKENS_PER_AGENT_MAX already), or the step has failed. */
bool token_mint(struct step *step, struct slice agent_id, uint32_t role);

/* The secret the door has minted makes an administrator, once; one offered before is void.
 * It stands on the ring as ROLE_BOOTSTRAP, and is nobody's. */
void token_offer(struct step *step);

/* True when this command came with that secret, and it is good. */
bool token_is_offered(struct step *step);

/* The secret is void from now on. */
void token_burn(struct step *step);

bool token_exists(struct step *step, struct slice agent_id);

/* Removes every token of the id from the tables and the ring; returns how many. */
uint32_t token_revoke(struct step *step, struct slice agent_id);

/* Walks the tokens by agent: start with a zeroed walk. False at the end. */
struct token_walk {
    char after[TRANSACTION_KEY_BYTES_MAX];
    size_t after_size;
};

bool token_next(struct step *step, struct token_walk *walk, struct token *ret_token);

/* The first name after `after` (absent: the first of all) that holds a token, in the
 * arena. */
bool token_next_owner(struct step *step, struct slice after, struct slice *ret_id);

#endif
