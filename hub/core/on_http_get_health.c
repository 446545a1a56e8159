#include "core/agent.h"
#include "core/handlers.h"

void on_get_health(struct step *step, const struct message_get_health *message)
{
    (void)message;
    struct message answer = { .type = MESSAGE_GET_HEALTH_ANSWER };
    answer.as.get_health_answer = (struct message_get_health_answer){
        .status = SLICE_OF("ok"),
        .service = SLICE_OF("agent_com"),
        .agents_connected = (int64_t)agents_connected(step),
    };
    step_answer(step, &answer, 0);
}
