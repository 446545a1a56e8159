#include "core/token_view.h"

#include "core/role.h"

#include <string.h>

struct slice token_prefix_view(struct step *step, const char prefix[TOKEN_PREFIX_BYTES])
{
    static const char DOTS[] = "...";
    char text[TOKEN_PREFIX_BYTES + sizeof DOTS - 1];
    memcpy(text, prefix, TOKEN_PREFIX_BYTES);
    memcpy(text + TOKEN_PREFIX_BYTES, DOTS, sizeof DOTS - 1);
    return step_copy(step, slice_make(text, sizeof text));
}

bool token_has_prefix(const struct token *token, struct slice view)
{
    if (!slice_is_present(view))
        return true;
    return view.size >= TOKEN_PREFIX_BYTES &&
           memcmp(view.data, token->prefix, TOKEN_PREFIX_BYTES) == 0;
}

enum token_reach token_reach(struct step *step, struct slice agent_id)
{
    const struct command *command = step->command;
    struct token own;
    if (command->role == ROLE_HUB ||
        (command->role == ROLE_ADMIN && (command->scopes >> SCOPE_TOKENS_WRITE & 1) != 0))
        return TOKEN_REACH_ALL;
    if (!slice_is_present(command->actor) || !slice_equal(command->actor, agent_id))
        return TOKEN_REACH_NONE;
    return command->credential_present && token_load(step, command->credential, &own) &&
                   !own.rotated
               ? TOKEN_REACH_OWN
               : TOKEN_REACH_NONE;
}

bool token_is_reached(const struct step *step, enum token_reach reach,
                      const struct token *token)
{
    return reach == TOKEN_REACH_ALL ||
           (reach == TOKEN_REACH_OWN && token->role == step->command->role &&
            scopes_within(token->scopes, step->command->scopes));
}
