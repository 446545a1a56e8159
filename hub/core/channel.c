#include "core/channel.h"

#include "core/activity.h"
#include "core/blob.h"
#include "core/event.h"
#include "core/fanout.h"
#include "core/payload.h"

enum {
    CHANNEL_VERSION = 1,
    TRIMMED_PER_COMMAND = 16,
};

/* The one character of a name, or 0 for what is left out. */
static char name_byte(char byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return (char)(byte - 'A' + 'a');
    bool stays = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
                 byte == '-' || byte == '_';
    return stays ? byte : '\0';
}

bool channel_name(struct step *step, struct slice raw, struct slice *ret_name)
{
    char *name = step_take(step, CHANNEL_NAME_BYTES_MAX);
    size_t size = 0;
    for (size_t i = 0; name != NULL && i < raw.size; i++) {
        char byte = name_byte(raw.data[i]);
        if (byte == '\0')
            continue;
        if (size == CHANNEL_NAME_BYTES_MAX)
            return false;
        name[size++] = byte;
    }
    if (size == 0)
        return false;
    *ret_name = slice_make(name, size);
    return true;
}

bool channel_unpack(struct step *step, uint64_t number, struct slice value,
                    struct channel *ret_channel)
{
    struct channel channel = { .number = number };
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    channel.last = unpack_u64(&row);
    channel.kept = unpack_u64(&row);
    channel.members = unpack_u32(&row);
    channel.created_ms = unpack_i64(&row);
    channel.name = step_copy(step, unpack_slice(&row));
    channel.created_by = step_copy(step, unpack_slice(&row));
    if (version != CHANNEL_VERSION || !unpack_done(&row) || channel.kept > channel.last ||
        channel.name.size == 0) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_channel = channel;
    return !step_failed(step);
}

static void channel_save(struct step *step, const struct channel *channel)
{
    struct packed packed;
    struct number_key key;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, CHANNEL_VERSION);
    pack_u64(row, channel->last);
    pack_u64(row, channel->kept);
    pack_u32(row, channel->members);
    pack_i64(row, channel->created_ms);
    pack_slice(row, channel->name);
    pack_slice(row, channel->created_by);
    step_put(step, TABLE_CHANNEL, key_one(&key, channel->number),
             packed_slice(step, row));
}

bool channel_load(struct step *step, uint64_t number, struct channel *ret_channel)
{
    struct number_key key;
    struct slice value;
    return step_get(step, TABLE_CHANNEL, key_one(&key, number), &value) &&
           channel_unpack(step, number, value, ret_channel);
}

bool channel_known(struct step *step, struct slice raw, struct channel *ret_channel)
{
    struct slice name;
    uint64_t number;
    return channel_name(step, raw, &name) &&
           step_get_number(step, TABLE_CHANNEL_NAME, name, &number) &&
           channel_load(step, number, ret_channel);
}

bool channel_find(struct step *step, struct slice raw, struct channel *ret_channel)
{
    struct slice name;
    uint64_t number;
    if (!channel_name(step, raw, &name) ||
        !step_get_number(step, TABLE_CHANNEL_NAME, name, &number)) {
        step_refuse(step, ERROR_CHANNEL_NOT_FOUND);
        return false;
    }
    if (!channel_load(step, number, ret_channel)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return true;
}

bool channel_put(struct step *step, struct slice name, struct slice description,
                 struct channel *ret_channel)
{
    uint64_t last = step_counter(step, COUNTER_CHANNEL_LAST);
    if (last >= step->settings->channels_max)
        return false;
    *ret_channel = (struct channel){
        .number = last + 1,
        .created_ms = step->command->wall_ms,
        .name = name,
        .created_by = step_actor(step),
    };
    step_counter_put(step, COUNTER_CHANNEL_LAST, ret_channel->number);
    step_put_number(step, TABLE_CHANNEL_NAME, name, ret_channel->number);
    blob_put(step, ret_channel->number, BLOB_CHANNEL,
             slice_is_present(description) ? description : SLICE_OF(""));
    channel_save(step, ret_channel);
    return !step_failed(step);
}

bool channel_create(struct step *step, struct slice raw, struct slice description,
                    struct channel *ret_channel)
{
    struct slice name;
    if (!channel_name(step, raw, &name)) {
        step_refuse_field(step, SLICE_OF("name"), SLICE_OF("invalid_value"),
                          SLICE_OF("wants 1 to 64 of a-z 0-9 - _"));
        return false;
    }
    if (step_has(step, TABLE_CHANNEL_NAME, name)) {
        step_refuse(step, ERROR_CHANNEL_EXISTS);
        return false;
    }
    if (!channel_put(step, name, description, ret_channel)) {
        if (!step_failed(step))
            step_refuse(step, ERROR_UNAVAILABLE);
        return false;
    }

    struct message event = { .type = MESSAGE_EVENT_CHANNEL_CREATED };
    event.as.event_channel_created.channel = name;
    event_add(step, &event);
    return !step_failed(step);
}

/* The others hear of it, unless they are too many. */
static void tell_joined(struct step *step, const struct channel *channel, uint64_t own)
{
    struct message message = { .type = MESSAGE_CHANNEL_AGENT_JOINED };
    struct channel_member member = { .since = 0 };
    struct agent agent;
    message.as.channel_agent_joined.channel = channel->name;
    message.as.channel_agent_joined.agent_id = step_actor(step);
    if (channel->members > step->settings->presence_events_agents_max)
        return;
    while (channel_member_next(step, channel->number, member.box.number, &member)) {
        if (member.box.number != own && agent_load_id(step, member.box.id, &agent))
            step_send(step, agent.link, &message);
    }
}

static uint32_t channels_of(struct step *step, uint64_t box)
{
    uint64_t channel = 0;
    uint32_t count = 0;
    while (count < CHANNELS_PER_AGENT_MAX && channel_of_box_next(step, box, &channel))
        count++;
    return count;
}

enum channel_change channel_admit(struct step *step, struct channel *channel,
                                  struct slice id, struct box *ret_box)
{
    struct number_key key;
    if (box_find(step, id, ret_box) &&
        step_has(step, TABLE_MEMBER, key_two(&key, channel->number, ret_box->number)))
        return CHANNEL_UNCHANGED;
    if (!box_open(step, id, ret_box) ||
        channels_of(step, ret_box->number) == CHANNELS_PER_AGENT_MAX)
        return CHANNEL_REFUSED;
    step_put_number(step, TABLE_MEMBER, key_two(&key, channel->number, ret_box->number),
                    channel->last);
    step_put_mark(step, TABLE_MEMBER_OF, key_two(&key, ret_box->number, channel->number));
    channel->members++;
    channel_save(step, channel);
    return step_failed(step) ? CHANNEL_REFUSED : CHANNEL_CHANGED;
}

enum channel_change channel_join(struct step *step, struct channel *channel)
{
    struct box box;
    enum channel_change change = channel_admit(step, channel, step_actor(step), &box);
    if (change == CHANNEL_REFUSED)
        step_refuse(step, ERROR_UNAVAILABLE);
    else if (change == CHANNEL_CHANGED)
        tell_joined(step, channel, box.number);
    return step_failed(step) ? CHANNEL_REFUSED : change;
}

static void member_remove(struct step *step, struct channel *channel, uint64_t box)
{
    struct number_key key;
    if (channel->members == 0) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    step_remove(step, TABLE_MEMBER, key_two(&key, channel->number, box));
    step_remove(step, TABLE_MEMBER_OF, key_two(&key, box, channel->number));
    channel->members--;
    channel_save(step, channel);
}

enum channel_change channel_leave(struct step *step, struct channel *channel)
{
    struct number_key key;
    struct box box;
    if (!box_find(step, step_actor(step), &box) ||
        !step_has(step, TABLE_MEMBER, key_two(&key, channel->number, box.number)))
        return CHANNEL_UNCHANGED;
    member_remove(step, channel, box.number);
    return CHANNEL_CHANGED;
}

uint32_t channel_leave_all(struct step *step)
{
    struct box box;
    struct channel channel;
    uint64_t number = 0;
    uint32_t count = 0;
    if (!box_find(step, step_actor(step), &box))
        return 0;
    while (channel_of_box_next(step, box.number, &number)) {
        if (!channel_load(step, number, &channel)) {
            step_fail(step, ERR_CORRUPT);
            return count;
        }
        member_remove(step, &channel, box.number);
        count++;
    }
    return count;
}

bool channel_member_next(struct step *step, uint64_t channel, uint64_t after,
                         struct channel_member *ret_member)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    if (after == UINT64_MAX ||
        !step_first_from(step, TABLE_MEMBER, key_two(&start, channel, after + 1), &key,
                         &unused) ||
        key_number(step, key, 0) != channel)
        return false;
    uint64_t box = key_number(step, key, 1);
    if (!step_get_number(step, TABLE_MEMBER, key_two(&start, channel, box),
                         &ret_member->since) ||
        !box_load(step, box, &ret_member->box)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return true;
}

bool channel_of_box_next(struct step *step, uint64_t box, uint64_t *channel)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    if (*channel == UINT64_MAX ||
        !step_first_from(step, TABLE_MEMBER_OF, key_two(&start, box, *channel + 1), &key,
                         &unused) ||
        key_number(step, key, 0) != box)
        return false;
    *channel = key_number(step, key, 1);
    return !step_failed(step);
}

static void history_trim(struct step *step, struct channel *channel)
{
    struct number_key key;
    uint64_t letter;
    for (int i = 0;
         i < TRIMMED_PER_COMMAND && channel->kept > step->settings->channel_messages_max;
         i++) {
        uint64_t oldest = channel->last - channel->kept + 1;
        if (!step_get_number(step, TABLE_CHANNEL_LETTER,
                             key_two(&key, channel->number, oldest), &letter)) {
            step_fail(step, ERR_CORRUPT);
            return;
        }
        step_remove(step, TABLE_CHANNEL_LETTER, key_two(&key, channel->number, oldest));
        letter_let_go(step, letter);
        channel->kept--;
    }
}

void channel_keep(struct step *step, struct channel *channel, struct letter *letter)
{
    struct number_key key;
    channel->last++;
    channel->kept++;
    letter->channel = channel->number;
    letter->channel_sequence = channel->last;
    letter->channel_name = channel->name;
    letter_store(step, letter);
    letter_use(step, letter->number, 1);
    step_put_number(step, TABLE_CHANNEL_LETTER,
                    key_two(&key, channel->number, channel->last), letter->number);
    history_trim(step, channel);
    channel_save(step, channel);
}

bool channel_publish(struct step *step, const struct channel_saying *saying,
                     struct letter *ret_letter)
{
    struct channel channel;
    if (!channel_find(step, saying->channel, &channel) ||
        !message_admit(step, channel.name, saying->payload))
        return false;
    *ret_letter = (struct letter){
        .from = step_actor(step),
        .type = slice_is_present(saying->type) ? saying->type : SLICE_OF("chat"),
        .reply_to = saying->reply_to,
        .payload = saying->payload,
    };
    channel_keep(step, &channel, ret_letter);
    activity_sent(step, ret_letter->from);
    fanout_start(step, ret_letter);
    return !step_failed(step);
}

void channel_message(struct step *step, const struct letter *letter,
                     struct message *ret_message)
{
    *ret_message = (struct message){ .type = MESSAGE_CHANNEL_MESSAGE };
    ret_message->as.channel_message = (struct message_channel_message){
        .channel = letter->channel_name,
        .id = letter_id(step, letter),
        .from = letter->from,
        .message_type = letter->type,
        .payload = letter->payload,
        .reply_to = letter->reply_to,
        .timestamp = letter->wall_ms,
        .seq = (int64_t)letter->channel_sequence,
    };
}
