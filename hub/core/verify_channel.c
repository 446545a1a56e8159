#include "core/verify.h"

#include "core/blob.h"
#include "core/channel.h"

static uint32_t member_count(struct verify *verify, uint64_t channel)
{
    struct channel_member member = { .since = 0 };
    uint32_t count = 0;
    while (channel_member_next(&verify->step, channel, member.box.number, &member))
        count++;
    return count;
}

static void channel_row(struct verify *verify, struct slice key, struct slice value)
{
    struct channel channel;
    struct step *step = &verify->step;
    uint64_t number = 0;
    if (!verify_key(verify, key, 1) ||
        !channel_unpack(step, key_number(step, key, 0), value, &channel))
        return;
    verify_holds(verify,
                 channel.name.size <= CHANNEL_NAME_BYTES_MAX &&
                     step_get_number(step, TABLE_CHANNEL_NAME, channel.name, &number) &&
                     number == channel.number,
                 "a channel's name leads elsewhere");
    verify_holds(verify, channel.number <= step_counter(step, COUNTER_CHANNEL_LAST),
                 "a channel's number was never given out");
    verify_holds(verify, slice_is_present(blob_peek(step, channel.number, BLOB_CHANNEL)),
                 "a channel has no description");
    verify_holds(verify, member_count(verify, channel.number) == channel.members,
                 "a channel has another number of subscribers");
    verify->members += channel.members;
    verify->channel_letters += channel.kept;
}

static void name_row(struct verify *verify, struct slice key, struct slice value)
{
    struct channel channel;
    uint64_t number = 0;
    (void)value;
    verify_holds(verify,
                 step_get_number(&verify->step, TABLE_CHANNEL_NAME, key, &number) &&
                     channel_load(&verify->step, number, &channel) &&
                     slice_equal(channel.name, key),
                 "a name leads to another channel");
}

static void channel_letter_row(struct verify *verify, struct slice key,
                               struct slice value)
{
    struct channel channel;
    struct letter letter;
    struct step *step = &verify->step;
    uint64_t number = 0;
    (void)value;
    if (!verify_key(verify, key, 2))
        return;
    uint64_t sequence = key_number(step, key, 1);
    verify_holds(verify,
                 step_get_number(step, TABLE_CHANNEL_LETTER, key, &number) &&
                     letter_head(step, number, &letter) &&
                     letter.channel == key_number(step, key, 0) &&
                     letter.channel_sequence == sequence &&
                     channel_load(step, letter.channel, &channel) &&
                     sequence <= channel.last && sequence > channel.last - channel.kept,
                 "a channel's history has a place for another letter");
    verify_letter_used(verify, number);
}

static void member_row(struct verify *verify, struct slice key, struct slice value)
{
    struct number_key other;
    struct channel channel;
    struct step *step = &verify->step;
    uint64_t since = 0;
    (void)value;
    if (!verify_key(verify, key, 2))
        return;
    uint64_t box = key_number(step, key, 1);
    verify_holds(verify,
                 step_get_number(step, TABLE_MEMBER, key, &since) &&
                     channel_load(step, key_number(step, key, 0), &channel) &&
                     since <= channel.last &&
                     step_has(step, TABLE_BOX, key_one(&other, box)),
                 "a subscription of nobody, or to nothing");
    verify_holds(
        verify,
        step_has(step, TABLE_MEMBER_OF, key_two(&other, box, key_number(step, key, 0))),
        "a subscription is in no index");
}

static void member_of_row(struct verify *verify, struct slice key, struct slice value)
{
    verify_mark(verify, value);
    verify_key(verify, key, 2);
}

void verify_channels(struct verify *verify)
{
    uint64_t channels = verify_walk(verify, TABLE_CHANNEL, channel_row);
    uint64_t names = verify_walk(verify, TABLE_CHANNEL_NAME, name_row);
    uint64_t letters = verify_walk(verify, TABLE_CHANNEL_LETTER, channel_letter_row);
    uint64_t members = verify_walk(verify, TABLE_MEMBER, member_row);
    uint64_t indexed = verify_walk(verify, TABLE_MEMBER_OF, member_of_row);
    if (verify->text != NULL)
        return;
    verify_holds(verify,
                 channels == names &&
                     channels == step_counter(&verify->step, COUNTER_CHANNEL_LAST),
                 "the count of channels is wrong");
    verify_holds(verify,
                 letters == verify->channel_letters && members == verify->members &&
                     members == indexed,
                 "the count of subscriptions or of channels' letters is wrong");
}
