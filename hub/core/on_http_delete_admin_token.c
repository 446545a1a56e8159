#include "core/handlers.h"
#include "core/token.h"

/* An admin, and the hub itself, may revoke anybody's tokens; others their own. */
void on_delete_admin_token(struct step *step,
                           const struct message_delete_admin_token *message)
{
    const struct command *command = step->command;
    bool own = slice_is_present(command->actor) &&
               slice_equal(command->actor, message->agent_id);
    if (!own && (command->role & (ROLE_ADMIN | ROLE_HUB)) == 0) {
        step_refuse(step, ERROR_FORBIDDEN);
        return;
    }
    token_revoke(step, message->agent_id);

    struct message answer = { .type = MESSAGE_DELETE_ADMIN_TOKEN_ANSWER };
    answer.as.delete_admin_token_answer = (struct message_delete_admin_token_answer){
        .status = SLICE_OF("revoked"),
        .agent_id = message->agent_id,
    };
    step_answer(step, &answer, 0);
}
