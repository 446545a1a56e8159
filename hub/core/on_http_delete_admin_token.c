#include "core/handlers.h"
#include "core/token_event.h"
#include "core/token_view.h"

static uint32_t revoke(struct step *step, enum token_reach reach, struct slice agent_id,
                       struct slice prefix)
{
    struct token token;
    uint32_t count = 0;
    if (!token_agent_id_valid(agent_id))
        return 0;
    struct token_walk walk = token_walk_of(agent_id);
    while (token_next(step, &walk, &token)) {
        if (!token_is_reached(step, reach, &token) || !token_has_prefix(&token, prefix))
            continue;
        token_remove(step, &token);
        count++;
    }
    token_event_revoked(
        step, agent_id, count,
        slice_is_present(prefix) ? slice_make(prefix.data, TOKEN_PREFIX_BYTES) : prefix);
    return count;
}

void on_delete_admin_token(struct step *step,
                           const struct message_delete_admin_token *message)
{
    enum token_reach reach = token_reach(step, message->agent_id);
    if (reach == TOKEN_REACH_NONE) {
        step_refuse(step, ERROR_FORBIDDEN);
        return;
    }
    revoke(step, reach, message->agent_id, (struct slice){ 0 });

    struct message answer = { .type = MESSAGE_DELETE_ADMIN_TOKEN_ANSWER };
    answer.as.delete_admin_token_answer = (struct message_delete_admin_token_answer){
        .status = SLICE_OF("revoked"),
        .agent_id = message->agent_id,
    };
    step_answer(step, &answer, 0);
}

void on_delete_admin_token_one(struct step *step,
                               const struct message_delete_admin_token_one *message)
{
    enum token_reach reach = token_reach(step, message->agent_id);
    if (reach == TOKEN_REACH_NONE) {
        step_refuse(step, ERROR_FORBIDDEN);
        return;
    }
    if (revoke(step, reach, message->agent_id, message->token_prefix) == 0) {
        step_refuse(step, ERROR_TOKEN_NOT_FOUND);
        return;
    }
    struct message answer = { .type = MESSAGE_DELETE_ADMIN_TOKEN_ONE_ANSWER };
    answer.as.delete_admin_token_one_answer =
        (struct message_delete_admin_token_one_answer){
            .status = SLICE_OF("revoked"),
            .agent_id = message->agent_id,
            .token_prefix = token_prefix_view(step, message->token_prefix.data),
        };
    step_answer(step, &answer, 0);
}
