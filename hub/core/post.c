#include "core/post.h"

#include "core/activity.h"
#include "core/box.h"
#include "core/fanout.h"

static void message_make(struct step *step, const struct letter *letter,
                         struct message *ret_message)
{
    *ret_message = (struct message){ .type = MESSAGE_MESSAGE_OUT };
    ret_message->as.message_out = (struct message_message_out){
        .id = letter_id(step, letter),
        .from = letter->from,
        .message_type = letter->type,
        .payload = letter->payload,
        .reply_to = letter->reply_to,
        .timestamp = letter->wall_ms,
    };
}

bool post(struct step *step, const struct post *post, struct slice *ret_id,
          struct slice *ret_delivery)
{
    bool to_all = !slice_is_present(post->to) || slice_equal_text(post->to, "broadcast");
    struct letter letter = {
        .from = step_actor(step),
        .to = to_all ? (struct slice){ NULL, 0 } : post->to,
        .type = slice_is_present(post->type) ? post->type : SLICE_OF("chat"),
        .reply_to = post->reply_to,
        .payload = post->payload,
    };
    struct agent target;
    struct box box;
    struct message message;
    bool here = to_all || (agent_load_id(step, post->to, &target) && target.link != 0);
    if (!here && !box_open(step, post->to, &box)) {
        step_refuse(step, ERROR_UNAVAILABLE);
        return false;
    }

    letter_store(step, &letter);
    activity_sent(step, letter.from);
    message_make(step, &letter, &message);
    if (to_all) {
        step_broadcast(step, 0, &message);
        activity_broadcast(step);
        fanout_start(step, &letter);
    } else if (here) {
        step_send(step, target.link, &message);
    } else {
        letter_use(step, letter.number, 1);
        box_add(step, &box, letter.number);
    }
    if (!to_all)
        activity_received(step, letter.to);
    *ret_id = message.as.message_out.id;
    *ret_delivery = here ? SLICE_OF("delivered") : SLICE_OF("queued");
    return !step_failed(step);
}
