#include "core/handlers.h"
#include "core/presence.h"

/* The link of the agent a message is for; refuses when there is none. */
static bool target_find(struct step *step, struct slice to, uint64_t *ret_link)
{
    struct agent target;
    if (!agent_load_id(step, to, &target) || target.link == 0) {
        step_refuse(step, ERROR_AGENT_NOT_CONNECTED);
        return false;
    }
    *ret_link = target.link;
    return true;
}

void on_message(struct step *step, const struct message_message *message)
{
    struct agent agent;
    uint64_t link = 0;
    bool to_all =
        !slice_is_present(message->to) || slice_equal_text(message->to, "broadcast");
    if (!presence_asker(step, &agent) ||
        (!to_all && !target_find(step, message->to, &link)))
        return;

    struct message out = { .type = MESSAGE_MESSAGE_OUT };
    out.as.message_out = (struct message_message_out){
        .id = step_message_id(step),
        .from = agent_id(step, agent.number),
        .message_type = slice_is_present(message->message_type) ? message->message_type
                                                                : SLICE_OF("chat"),
        .payload = message->payload,
        .reply_to = message->reply_to,
        .timestamp = step->command->wall_ms,
    };
    if (to_all)
        step_broadcast(step, 0, &out);
    else
        step_send(step, link, &out);

    struct message sent = { .type = MESSAGE_MESSAGE_SENT };
    sent.as.message_sent.id = out.as.message_out.id;
    step_answer(step, &sent, 0);
}
