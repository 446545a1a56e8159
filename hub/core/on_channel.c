#include "core/channel.h"
#include "core/handlers.h"
#include "core/presence.h"

enum {
    HISTORY_DEFAULT = 50,
    HISTORY_MAX = 1000,
};

static size_t history_limit(bool has_limit, int64_t limit)
{
    if (!has_limit || limit < 1)
        return HISTORY_DEFAULT;
    return limit > HISTORY_MAX ? HISTORY_MAX : (size_t)limit;
}

void on_channel_subscribe(struct step *step,
                          const struct message_channel_subscribe *message)
{
    struct agent agent;
    struct channel channel;
    struct message answer = { .type = MESSAGE_CHANNEL_SUBSCRIBED };
    if (!presence_asker(step, &agent) || !channel_find(step, message->channel, &channel))
        return;
    enum channel_change change = channel_join(step, &channel);
    if (change == CHANNEL_REFUSED)
        return;
    answer.as.channel_subscribed.channel = channel.name;
    if (change == CHANNEL_UNCHANGED)
        answer.as.channel_subscribed.note = SLICE_OF("already_subscribed");
    step_answer(step, &answer, 0);
}

void on_channel_unsubscribe(struct step *step,
                            const struct message_channel_unsubscribe *message)
{
    struct agent agent;
    struct channel channel;
    struct message answer = { .type = MESSAGE_CHANNEL_UNSUBSCRIBED };
    struct message_channel_unsubscribed *done = &answer.as.channel_unsubscribed;
    if (!presence_asker(step, &agent))
        return;
    if (slice_equal_text(message->channel, "*")) {
        done->channel = message->channel;
        done->has_count = true;
        done->count = channel_leave_all(step);
    } else {
        if (!channel_find(step, message->channel, &channel))
            return;
        channel_leave(step, &channel);
        done->channel = channel.name;
    }
    step_answer(step, &answer, 0);
}

void on_channel_publish(struct step *step, const struct message_channel_publish *message)
{
    struct agent agent;
    struct letter letter;
    struct message answer = { .type = MESSAGE_CHANNEL_PUBLISHED };
    struct channel_saying saying = {
        .channel = message->channel,
        .type = message->message_type,
        .reply_to = message->reply_to,
        .payload = message->payload,
    };
    if (!presence_asker(step, &agent) || !channel_publish(step, &saying, &letter))
        return;
    answer.as.channel_published = (struct message_channel_published){
        .channel = letter.channel_name,
        .seq = (int64_t)letter.channel_sequence,
        .id = letter_id(step, &letter),
    };
    step_answer(step, &answer, 0);
}

void on_channel_history(struct step *step, const struct message_channel_history *message)
{
    struct agent agent;
    struct channel_page page;
    struct message answer = { .type = MESSAGE_CHANNEL_HISTORY_OUT };
    struct channel_look look = {
        .channel = message->channel,
        .has_since = message->has_since,
        .since = (uint64_t)message->since,
        .has_before = message->has_before,
        .before = (uint64_t)message->before,
        .limit = history_limit(message->has_limit, message->limit),
        .bytes_max = BOX_FRAME_BYTES_MAX,
    };
    if (!presence_asker(step, &agent))
        return;
    channel_history(step, &look, &page);
    answer.as.channel_history_out = (struct message_channel_history_out){
        .channel = page.name,
        .messages = page.messages,
        .last_seq = (int64_t)page.last,
        .more = page.more,
    };
    step_answer(step, &answer, 0);
}

void on_list_channels(struct step *step, const struct message_list_channels *message)
{
    struct agent agent;
    struct channel_list list;
    struct message answer = { .type = MESSAGE_CHANNELS };
    if (!presence_asker(step, &agent))
        return;
    channel_list(step, message->cursor, CHANNELS_LISTED_MAX, CHANNELS_FRAME_BYTES_MAX,
                 &list);
    answer.as.channels.channels = list.channels;
    answer.as.channels.cursor = list.cursor;
    step_answer(step, &answer, 0);
}

void on_get_channel_history(struct step *step,
                            const struct message_get_channel_history *message)
{
    struct channel_page page;
    struct message answer = { .type = MESSAGE_GET_CHANNEL_HISTORY_ANSWER };
    struct channel_look look = {
        .channel = message->channel,
        .has_since = message->has_since,
        .since = (uint64_t)message->since,
        .has_before = message->has_before,
        .before = (uint64_t)message->before,
        .limit = history_limit(message->has_limit, message->limit),
        .bytes_max = BOX_PAGE_BYTES_MAX,
    };
    channel_history(step, &look, &page);
    answer.as.get_channel_history_answer = (struct message_get_channel_history_answer){
        .channel = page.name,
        .messages = page.messages,
        .count = (int64_t)page.messages.count,
        .last_seq = (int64_t)page.last,
        .more = page.more,
    };
    step_answer(step, &answer, 0);
}
