#include "core/config.h"
#include "core/handlers.h"
#include "core/token_event.h"

/* The token's text and the hub's addresses are the door's to fill in: the core has
 * neither. */
void on_post_onboard_register(struct step *step,
                              const struct message_post_onboard_register *message)
{
    const struct token_terms terms = { .agent_id = message->agent_id,
                                       .role = ROLE_AGENT,
                                       .scopes = SCOPES_ALL };
    if (token_exists(step, message->agent_id)) {
        step_refuse(step, ERROR_ALREADY_REGISTERED);
        return;
    }
    if (!token_mint(step, &terms))
        return;
    token_event_created(step, &terms);

    struct message answer = { .type = MESSAGE_POST_ONBOARD_REGISTER_ANSWER };
    answer.as.post_onboard_register_answer.agent_id = message->agent_id;
    answer.as.post_onboard_register_answer.default_repo = config_default_repo(step);
    step_answer(step, &answer, 0);
}
