/*
 * token_view.h - how tokens are named in answers, and who may change them.
 */
#ifndef CORE_TOKEN_VIEW_H
#define CORE_TOKEN_VIEW_H

#include "core/token.h"

/* The first characters and dots, in the arena. */
struct slice token_prefix_view(struct step *step, const char prefix[TOKEN_PREFIX_BYTES]);

/* True when the token begins as the view, with or without dots, says. An absent view is
 * that of every token. */
bool token_has_prefix(const struct token *token, struct slice view);

/* Whose tokens the asker may revoke and rotate. */
enum token_reach {
    TOKEN_REACH_NONE,
    TOKEN_REACH_OWN, /* its own: of its role, with no wider scopes than its own */
    TOKEN_REACH_ALL,
};

/* An admin with the scope for it, and the hub itself, reach everybody's tokens, all others
 * their own, but not by a token in whose place there is another already. */
enum token_reach token_reach(struct step *step, struct slice agent_id);

bool token_is_reached(const struct step *step, enum token_reach reach,
                      const struct token *token);

#endif
