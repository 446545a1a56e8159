#include "core/handlers.h"
#include "core/role.h"
#include "core/token_event.h"
#include "core/token_view.h"

static void refuse_scope(struct step *step, const char *why, struct slice word)
{
    struct packed detail;
    struct buffer *text = packed_start(&detail);
    buffer_append_slice(text, word);
    buffer_append_text(text, why);
    step_refuse_field(step, SLICE_OF("scopes"), SLICE_OF("invalid_value"),
                      step_copy(step, packed_slice(step, text)));
}

/* False: the asker has been refused. A scope its role has no use for is a slip. */
static bool scopes_read(struct step *step, struct slice_list words, uint32_t role,
                        uint64_t *ret_scopes)
{
    struct slice word;
    if (!scopes_parse(words, ret_scopes, &word)) {
        refuse_scope(step, ": there is no such scope", word);
        return false;
    }
    uint64_t idle = *ret_scopes == SCOPES_ALL ? 0 : *ret_scopes & ~role_scopes(role);
    if (idle != 0) {
        refuse_scope(step, ": the role opens nothing that needs it",
                     SCOPE_ROWS[__builtin_ctzll(idle)].name);
        return false;
    }
    if (!scopes_within(*ret_scopes, step->command->scopes)) {
        step_refuse(step, ERROR_FORBIDDEN);
        return false;
    }
    return true;
}

/* The token's text is the door's to fill in. */
void on_post_admin_token(struct step *step,
                         const struct message_post_admin_token *message)
{
    struct token_terms terms = { .agent_id = message->agent_id,
                                 .role = ROLE_AGENT,
                                 .label = message->label };
    if (slice_is_present(message->role) && !role_parse(message->role, &terms.role)) {
        step_refuse_field(step, SLICE_OF("role"), SLICE_OF("invalid_value"),
                          SLICE_OF("not a role"));
        return;
    }
    if (!scopes_read(step, message->scopes, terms.role, &terms.scopes))
        return;
    if (message->has_expires_in_ms) {
        terms.lifetime_ms = message->expires_in_ms;
        terms.expires_ms = step->command->wall_ms + message->expires_in_ms;
    }
    if (!token_mint(step, &terms))
        return;
    token_event_created(step, &terms);

    struct message answer = { .type = MESSAGE_POST_ADMIN_TOKEN_ANSWER };
    answer.as.post_admin_token_answer = (struct message_post_admin_token_answer){
        .agent_id = terms.agent_id,
        .role = role_name(terms.role),
        .token_prefix = token_prefix_view(step, step->command->minted_prefix),
        .scopes = scopes_words(step, terms.scopes),
        .label = terms.label,
        .has_expires_at = terms.expires_ms != 0,
        .expires_at = terms.expires_ms,
    };
    step_answer(step, &answer, 0);
}
