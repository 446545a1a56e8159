#include "core/handlers.h"
#include "core/post.h"
#include "core/presence.h"

void on_message(struct step *step, const struct message_message *message)
{
    struct agent agent;
    struct message sent = { .type = MESSAGE_MESSAGE_SENT };
    struct post said = {
        .to = message->to,
        .type = message->message_type,
        .reply_to = message->reply_to,
        .payload = message->payload,
    };
    if (presence_asker(step, &agent) &&
        post(step, &said, &sent.as.message_sent.id, &sent.as.message_sent.delivery))
        step_answer(step, &sent, 0);
}

void on_post_message(struct step *step, const struct message_post_message *message)
{
    struct message answer = { .type = MESSAGE_POST_MESSAGE_ANSWER };
    struct message_post_message_answer *sent = &answer.as.post_message_answer;
    struct post said = {
        .to = message->to,
        .type = message->type,
        .reply_to = message->reply_to,
        .payload = message->payload,
    };
    sent->status = SLICE_OF("sent");
    if (post(step, &said, &sent->id, &sent->delivery))
        step_answer(step, &answer, 0);
}
