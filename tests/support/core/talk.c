#include "core/talk.h"

#include "base/ensure.h"

#include <string.h>

const struct message *talk_ask(struct fleet *fleet, const char *who,
                               const struct message *message)
{
    fleet_as_client(fleet, who, ROLE_AGENT);
    fleet_do(fleet, message);
    ENSURE(fleet_answer(fleet) != NULL);
    return &fleet_answer(fleet)->message;
}

const struct message_post_message_answer *talk_say(struct fleet *fleet, const char *from,
                                                   const char *to, const char *payload,
                                                   const char *reply_to)
{
    struct message message = { .type = MESSAGE_POST_MESSAGE };
    message.as.post_message.to = slice_from_text(to);
    message.as.post_message.payload = slice_from_text(payload);
    message.as.post_message.reply_to = slice_from_text(reply_to);
    return &talk_ask(fleet, from, &message)->as.post_message_answer;
}

const struct message_get_mailbox_answer *talk_mailbox(struct fleet *fleet,
                                                      const char *who, int64_t since)
{
    struct message message = { .type = MESSAGE_GET_MAILBOX };
    message.as.get_mailbox.agent_id = slice_from_text(who);
    message.as.get_mailbox.since = since;
    message.as.get_mailbox.has_limit = true;
    message.as.get_mailbox.limit = 1000;
    return &talk_ask(fleet, who, &message)->as.get_mailbox_answer;
}

const struct message_stored_message *talk_mail(
    const struct message_get_mailbox_answer *answer, size_t at)
{
    ENSURE(at < answer->messages.count);
    return (const struct message_stored_message *)answer->messages.items + at;
}

void talk_acknowledge(struct fleet *fleet, const char *who, int64_t seq)
{
    struct message message = { .type = MESSAGE_POST_MAILBOX_ACK };
    message.as.post_mailbox_ack.agent_id = slice_from_text(who);
    message.as.post_mailbox_ack.seq = seq;
    talk_ask(fleet, who, &message);
}

void talk_token(struct fleet *fleet, const char *who)
{
    struct message message = { .type = MESSAGE_POST_ONBOARD_REGISTER };
    message.as.post_onboard_register.agent_id = slice_from_text(who);
    fleet->command.minted = true;
    memset(fleet->command.minted_digest, who[0] ^ who[strlen(who) - 1],
           sizeof fleet->command.minted_digest);
    fleet->command.minted_digest[0] = (uint8_t)(fleet->command.sequence & 0xff);
    fleet_as_client(fleet, NULL, ROLE_ANYBODY);
    fleet_do(fleet, &message);
    fleet->command.minted = false;
}

void talk_channel(struct fleet *fleet, const char *name)
{
    struct message message = { .type = MESSAGE_POST_CHANNEL };
    message.as.post_channel.name = slice_from_text(name);
    talk_ask(fleet, "ada", &message);
}

void talk_join(struct fleet *fleet, const char *who, const char *channel)
{
    struct message message = { .type = MESSAGE_POST_CHANNEL_SUBSCRIBE };
    message.as.post_channel_subscribe.channel = slice_from_text(channel);
    talk_ask(fleet, who, &message);
}

int64_t talk_publish(struct fleet *fleet, const char *who, const char *channel)
{
    struct message message = { .type = MESSAGE_POST_CHANNEL_PUBLISH };
    message.as.post_channel_publish.channel = slice_from_text(channel);
    message.as.post_channel_publish.payload = SLICE_OF("{\"n\": 1.50}");
    return talk_ask(fleet, who, &message)->as.post_channel_publish_answer.seq;
}
