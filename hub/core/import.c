#include "core/import.h"

#include "core/box.h"
#include "core/channel.h"
#include "core/letter.h"
#include "core/token.h"

#include "base/hash.h"

#include <string.h>

/* What is written from here on is written as of another time. */
static void time_shift(struct step *step, struct command *then, int64_t wall_ms)
{
    *then = *step->command;
    then->wall_ms = wall_ms;
    step->command = then;
}

enum import_outcome import_token(struct step *step,
                                 const struct message_import_token *token)
{
    struct slice prefix = token->prefix;
    uint8_t digest[DIGEST_BYTES];
    if (!hex_decode(digest, sizeof digest, token->digest) ||
        prefix.size > TOKEN_PREFIX_BYTES || !token_agent_id_valid(token->agent_id))
        return IMPORT_INVALID;
    if (step_has(step, TABLE_TOKEN, slice_make(digest, sizeof digest)))
        return IMPORT_PRESENT;
    return token_take_over(step, token->agent_id, digest, prefix) ? IMPORT_DONE
                                                                  : IMPORT_NO_ROOM;
}

enum import_outcome import_channel(struct step *step,
                                   const struct message_import_channel *message)
{
    struct channel channel;
    struct command then;
    const struct command *now = step->command;
    enum import_outcome outcome = IMPORT_PRESENT;
    time_shift(step, &then, message->created_at);
    then.actor = message->created_by;
    if (!channel_known(step, message->name, &channel)) {
        struct slice name;
        outcome = channel_name(step, message->name, &name) ? IMPORT_DONE : IMPORT_INVALID;
        if (outcome == IMPORT_DONE &&
            !channel_put(step, name, message->description, &channel))
            outcome = IMPORT_NO_ROOM;
    }
    step->command = now;
    for (size_t i = 0; i < message->subscribers.count &&
                       (outcome == IMPORT_DONE || outcome == IMPORT_PRESENT);
         i++) {
        struct box box;
        enum channel_change change =
            channel_admit(step, &channel, message->subscribers.items[i], &box);
        if (change == CHANNEL_REFUSED)
            outcome = IMPORT_NO_ROOM;
        else if (change == CHANNEL_CHANGED)
            outcome = IMPORT_DONE;
    }
    return outcome;
}

static void letter_make(const struct message_import_message *message,
                        struct letter *ret_letter)
{
    uint8_t id[sizeof(uint64_t)] = { 0 };
    *ret_letter = (struct letter){
        .from = message->from,
        .to = message->to,
        .type = slice_is_present(message->type) ? message->type : SLICE_OF("chat"),
        .reply_to = message->reply_to,
        .payload = message->payload,
    };
    /* An id that is not of our form is given anew. */
    if (hex_decode(id, sizeof id, message->id))
        ret_letter->id = get_u64(id);
}

static enum import_outcome channel_letter(struct step *step,
                                          const struct message_import_message *message)
{
    struct channel channel;
    struct letter letter;
    uint64_t sequence = (uint64_t)message->seq;
    if (!channel_known(step, message->channel, &channel))
        return IMPORT_INVALID;
    if (sequence <= channel.last)
        return IMPORT_PRESENT;
    if (channel.kept == 0)
        channel.last = sequence - 1;
    letter_make(message, &letter);
    letter.to = (struct slice){ NULL, 0 };
    channel_keep(step, &channel, &letter);
    return IMPORT_DONE;
}

static enum import_outcome box_letter(struct step *step,
                                      const struct message_import_message *message)
{
    struct box box;
    struct letter letter;
    uint64_t sequence = (uint64_t)message->seq;
    if (!box_open(step, message->mailbox, &box))
        return IMPORT_NO_ROOM;
    if (sequence <= box.last)
        return IMPORT_PRESENT;
    letter_make(message, &letter);
    letter_store(step, &letter);
    letter_use(step, letter.number, 1);
    box.last = sequence - 1;
    box_add(step, &box, letter.number);
    return IMPORT_DONE;
}

enum import_outcome import_letter(struct step *step,
                                  const struct message_import_message *message)
{
    struct command then;
    const struct command *now = step->command;
    enum import_outcome outcome = IMPORT_INVALID;
    if (slice_is_present(message->channel) == slice_is_present(message->mailbox))
        return IMPORT_INVALID;
    time_shift(step, &then, message->timestamp);
    outcome = slice_is_present(message->channel) ? channel_letter(step, message)
                                                 : box_letter(step, message);
    step->command = now;
    return outcome;
}

enum import_outcome import_mailbox(struct step *step,
                                   const struct message_import_mailbox *mailbox)
{
    struct box box;
    if (!box_open(step, mailbox->agent_id, &box))
        return IMPORT_NO_ROOM;
    return box_go_on_from(step, &box, (uint64_t)mailbox->last_seq) ? IMPORT_DONE
                                                                   : IMPORT_PRESENT;
}
