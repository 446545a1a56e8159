/*
 * talk.h - what agents say to each other over HTTP, in one line each, for stories.
 *
 * Each call is one command or question; what it asked of the world is in the fleet until
 * the next, and so are the answers handed out.
 */
#ifndef SUPPORT_CORE_TALK_H
#define SUPPORT_CORE_TALK_H

#include "core/fleet.h"

const struct message *talk_ask(struct fleet *fleet, const char *who,
                               const struct message *message);
const struct message_post_message_answer *talk_say(struct fleet *fleet, const char *from,
                                                   const char *to, const char *payload,
                                                   const char *reply_to);
const struct message_get_mailbox_answer *talk_mailbox(struct fleet *fleet,
                                                      const char *who, int64_t since);
const struct message_stored_message *talk_mail(
    const struct message_get_mailbox_answer *answer, size_t at);
void talk_acknowledge(struct fleet *fleet, const char *who, int64_t seq);
void talk_token(struct fleet *fleet, const char *who);
void talk_channel(struct fleet *fleet, const char *name);
void talk_join(struct fleet *fleet, const char *who, const char *channel);
int64_t talk_publish(struct fleet *fleet, const char *who, const char *channel);

#endif
