#include "core/handlers.h"
#include "core/role.h"
#include "core/token_event.h"

void on_enrolment_offered(struct step *step,
                          const struct message_enrolment_offered *message)
{
    (void)message;
    token_offer(step);
}

/* The secret goes and the administrator comes in one transaction; of two who show the
 * secret at once the second finds it gone. */
void on_post_enrol(struct step *step, const struct message_post_enrol *message)
{
    const struct token_terms terms = { .agent_id = message->agent_id,
                                       .role = ROLE_ADMIN,
                                       .scopes = SCOPES_ALL };
    if (!token_is_offered(step)) {
        step_refuse(step, ERROR_ENROLMENT_USED);
        return;
    }
    if (!token_mint(step, &terms))
        return;
    token_burn(step);
    token_event_enrolled(step, message->agent_id);

    struct message answer = { .type = MESSAGE_POST_ENROL_ANSWER };
    answer.as.post_enrol_answer.agent_id = message->agent_id;
    answer.as.post_enrol_answer.role = role_name(ROLE_ADMIN);
    step_answer(step, &answer, 0);
}
