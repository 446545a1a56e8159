#include "core/blob.h"
#include "core/channel.h"
#include "core/handlers.h"

enum {
    SUBSCRIBERS_LISTED_MAX = 10000,
};

void on_get_channels(struct step *step, const struct message_get_channels *message)
{
    struct channel_list list;
    struct message answer = { .type = MESSAGE_GET_CHANNELS_ANSWER };
    size_t limit =
        message->has_limit && message->limit > 0 && message->limit < CHANNELS_LISTED_MAX
            ? (size_t)message->limit
            : (size_t)CHANNELS_LISTED_MAX;
    channel_list(step, message->cursor, limit, CHANNELS_ANSWER_BYTES_MAX, &list);
    answer.as.get_channels_answer.channels = list.channels;
    answer.as.get_channels_answer.cursor = list.cursor;
    step_answer(step, &answer, 0);
}

void on_post_channel(struct step *step, const struct message_post_channel *message)
{
    struct channel channel;
    struct message answer = { .type = MESSAGE_POST_CHANNEL_ANSWER };
    if (!channel_create(step, message->name, message->description, &channel))
        return;
    answer.as.post_channel_answer = (struct message_post_channel_answer){
        .status = SLICE_OF("created"),
        .channel = message->name,
        .name = channel.name,
    };
    step_answer(step, &answer, 0);
}

void on_get_channel(struct step *step, const struct message_get_channel *message)
{
    struct channel channel;
    struct channel_member member = { .since = 0 };
    struct message answer = { .type = MESSAGE_GET_CHANNEL_ANSWER };
    if (!channel_find(step, message->channel, &channel))
        return;
    size_t room = channel.members < SUBSCRIBERS_LISTED_MAX
                      ? channel.members
                      : (size_t)SUBSCRIBERS_LISTED_MAX;
    struct slice *names = step_take_many(step, room, sizeof *names);
    size_t count = 0;
    while (names != NULL && count < room &&
           channel_member_next(step, channel.number, member.box.number, &member))
        names[count++] = member.box.id;
    answer.as.get_channel_answer = (struct message_get_channel_answer){
        .name = channel.name,
        .description = blob_get(step, channel.number, BLOB_CHANNEL),
        .subscribers = { names, count },
        .subscriber_count = channel.members,
        .created_at = channel.created_ms,
        .created_by = channel.created_by,
    };
    step_answer(step, &answer, 0);
}

void on_post_channel_subscribe(struct step *step,
                               const struct message_post_channel_subscribe *message)
{
    struct channel channel;
    struct message answer = { .type = MESSAGE_POST_CHANNEL_SUBSCRIBE_ANSWER };
    if (!channel_find(step, message->channel, &channel))
        return;
    enum channel_change change = channel_join(step, &channel);
    if (change == CHANNEL_REFUSED)
        return;
    answer.as.post_channel_subscribe_answer =
        (struct message_post_channel_subscribe_answer){
            .status = change == CHANNEL_CHANGED ? SLICE_OF("subscribed")
                                                : SLICE_OF("already_subscribed"),
            .channel = channel.name,
        };
    step_answer(step, &answer, 0);
}

void on_post_channel_unsubscribe(struct step *step,
                                 const struct message_post_channel_unsubscribe *message)
{
    struct channel channel;
    struct message answer = { .type = MESSAGE_POST_CHANNEL_UNSUBSCRIBE_ANSWER };
    if (!channel_find(step, message->channel, &channel))
        return;
    channel_leave(step, &channel);
    answer.as.post_channel_unsubscribe_answer =
        (struct message_post_channel_unsubscribe_answer){
            .status = SLICE_OF("unsubscribed"),
            .channel = channel.name,
        };
    step_answer(step, &answer, 0);
}

void on_post_channel_publish(struct step *step,
                             const struct message_post_channel_publish *message)
{
    struct letter letter;
    struct message answer = { .type = MESSAGE_POST_CHANNEL_PUBLISH_ANSWER };
    struct channel_saying saying = {
        .channel = message->channel,
        .type = message->type,
        .reply_to = message->reply_to,
        .payload = message->payload,
    };
    if (!channel_publish(step, &saying, &letter))
        return;
    answer.as.post_channel_publish_answer = (struct message_post_channel_publish_answer){
        .status = SLICE_OF("published"),
        .seq = (int64_t)letter.channel_sequence,
        .id = letter_id(step, &letter),
    };
    step_answer(step, &answer, 0);
}

void on_get_agent_subscriptions(struct step *step,
                                const struct message_get_agent_subscriptions *message)
{
    struct box box;
    struct channel channel;
    struct message answer = { .type = MESSAGE_GET_AGENT_SUBSCRIPTIONS_ANSWER };
    struct slice *names = step_take_many(step, CHANNELS_PER_AGENT_MAX, sizeof *names);
    uint64_t number = 0;
    size_t count = 0;
    bool known = box_find(step, message->agent_id, &box);
    while (known && names != NULL && count < CHANNELS_PER_AGENT_MAX &&
           channel_of_box_next(step, box.number, &number)) {
        if (!channel_load(step, number, &channel)) {
            step_fail(step, ERR_CORRUPT);
            return;
        }
        names[count++] = channel.name;
    }
    answer.as.get_agent_subscriptions_answer =
        (struct message_get_agent_subscriptions_answer){
            .agent_id = message->agent_id,
            .channels = { names, count },
        };
    step_answer(step, &answer, 0);
}
