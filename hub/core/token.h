/*
 * token.h - the key ring: who may come in, by the digest of a token.
 *
 *   token        digest(32)               actor, role, scopes, prefix, label, times
 *   token_agent  agent id, 0, digest(32)  index, in the order of the admin's list
 *   deadline     wall, end, digest(32)    of a token that ends
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
    uint64_t scopes; /* SCOPES_ALL, or the bits of its list */
    char prefix[TOKEN_PREFIX_BYTES];
    struct slice label;  /* absent: none */
    int64_t created_ms;  /* wall */
    int64_t expires_ms;  /* wall; 0 never */
    int64_t lifetime_ms; /* as it was made; 0 without end */
    int64_t used_ms;     /* wall, roughly; 0 never */
    bool rotated;        /* another has taken its place */
};

/* What a new token shall be. */
struct token_terms {
    struct slice agent_id;
    uint32_t role;
    uint64_t scopes;
    struct slice label;
    int64_t expires_ms;
    int64_t lifetime_ms;
};

/* False for an empty or overlong id, and for one with a NUL in it. */
bool token_agent_id_valid(struct slice agent_id);

/* Adds the token the door has minted for this command. False: the asker has been
 * refused (it holds TOKENS_PER_AGENT_MAX already), or the step has failed. */
bool token_mint(struct step *step, const struct token_terms *terms);

/* Adds an agent's token that was made elsewhere. False: it holds too many already. */
bool token_take_over(struct step *step, struct slice agent_id,
                     const uint8_t digest[DIGEST_BYTES], struct slice prefix);

/* The secret the door has minted makes an administrator, once; one offered before is void.
 * It stands on the ring as ROLE_BOOTSTRAP, and is nobody's. */
void token_offer(struct step *step);

/* True when this command came with that secret, and it is good. */
bool token_is_offered(struct step *step);

/* The secret is void from now on. */
void token_burn(struct step *step);

bool token_exists(struct step *step, struct slice agent_id);

/* Slices of *ret_token are good until the next write. */
bool token_load(struct step *step, const uint8_t digest[DIGEST_BYTES],
                struct token *ret_token);

/* Takes it out of the tables and the ring, with its connections. */
void token_remove(struct step *step, const struct token *token);

/* Tells the ring of it anew, and puts what its index and its deadline lack there: true
 * when they lacked anything. */
bool token_rebuild(struct step *step, struct slice digest);

/* Writes what has changed of it, but for its end. */
void token_save(struct step *step, const struct token *token);

/* It ends then, on the ring as well. Saves it. */
void token_end_at(struct step *step, struct token *token, int64_t expires_ms);

/* Its deadline: the token with this digest ends. */
void token_expire(struct step *step, struct slice digest, int64_t due_ms);

/* Walks the tokens by agent: start with a zeroed walk, or with token_walk_of(). False at
 * the end. Removing and saving tokens on the way is fine. */
struct token_walk {
    char after[TRANSACTION_KEY_BYTES_MAX];
    size_t after_size;
    size_t only; /* bytes at the start of all keys that are wanted */
};

bool token_next(struct step *step, struct token_walk *walk, struct token *ret_token);

/* Walks those of one valid id. */
struct token_walk token_walk_of(struct slice agent_id);

/* The first name after `after` (absent: the first of all) that holds a token, in the
 * arena. */
bool token_next_owner(struct step *step, struct slice after, struct slice *ret_id);

#endif
