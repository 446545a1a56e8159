#include "core/handlers.h"
#include "core/reset.h"

void on_post_admin_reset(struct step *step,
                         const struct message_post_admin_reset *message)
{
    (void)message;
    struct message answer = { .type = MESSAGE_POST_ADMIN_RESET_ANSWER };
    reset_start(step);
    answer.as.post_admin_reset_answer.status = SLICE_OF("reset_scheduled");
    answer.as.post_admin_reset_answer.triggered_by = step_actor(step);
    step_answer(step, &answer, 0);
}
