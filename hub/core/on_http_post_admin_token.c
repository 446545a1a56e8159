#include "core/handlers.h"
#include "core/role.h"
#include "core/token.h"

/* The token's text is the door's to fill in. */
void on_post_admin_token(struct step *step,
                         const struct message_post_admin_token *message)
{
    uint32_t role = ROLE_AGENT;
    if (slice_is_present(message->role) && !role_parse(message->role, &role)) {
        step_refuse_field(step, SLICE_OF("role"), SLICE_OF("invalid_value"),
                          SLICE_OF("not a role"));
        return;
    }
    if (!token_mint(step, message->agent_id, role))
        return;

    struct message answer = { .type = MESSAGE_POST_ADMIN_TOKEN_ANSWER };
    answer.as.post_admin_token_answer.agent_id = message->agent_id;
    answer.as.post_admin_token_answer.role = role_name(role);
    step_answer(step, &answer, 0);
}
