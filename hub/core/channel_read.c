#include "core/blob.h"
#include "core/channel.h"

enum {
    ENTRY_VIEW_BYTES = 100, /* names, numbers and punctuation */
};

bool channel_letter_load(struct step *step, const struct channel *channel,
                         uint64_t sequence, struct letter *ret_letter)
{
    struct number_key key;
    uint64_t number;
    if (step_get_number(step, TABLE_CHANNEL_LETTER,
                        key_two(&key, channel->number, sequence), &number) &&
        letter_load(step, number, ret_letter))
        return true;
    step_fail(step, ERR_CORRUPT);
    return false;
}

/* The letter of a sequence, as an entry. */
static bool entry_view(struct step *step, const struct channel *channel,
                       uint64_t sequence, struct letter *ret_letter,
                       struct message_channel_entry *ret_entry)
{
    if (!channel_letter_load(step, channel, sequence, ret_letter))
        return false;
    struct message_stored_message *view = step_take(step, sizeof *view);
    if (view == NULL)
        return false;
    letter_view(step, ret_letter, view);
    *ret_entry = (struct message_channel_entry){
        .seq = (int64_t)sequence,
        .message = view,
        .stored_at = ret_letter->wall_ms,
    };
    return !step_failed(step);
}

/* Entries from `from` to `to`, walked backwards or forwards until the page is full; they
 * are put into their places from the end or the start of `entries`. */
static size_t page_fill(struct step *step, const struct channel *channel, uint64_t from,
                        uint64_t to, bool backwards, const struct channel_look *look,
                        struct message_channel_entry *entries)
{
    struct letter letter;
    size_t count = 0;
    size_t bytes = 0;
    while (count < look->limit && from <= to) {
        uint64_t sequence = backwards ? to : from;
        struct message_channel_entry *entry =
            &entries[backwards ? look->limit - 1 - count : count];
        if (!entry_view(step, channel, sequence, &letter, entry))
            return count;
        bytes += ENTRY_VIEW_BYTES + letter_bytes(&letter);
        if (bytes > look->bytes_max && count > 0)
            return count;
        count++;
        if (backwards)
            to--;
        else
            from++;
    }
    return count;
}

static uint64_t at_least(uint64_t number, uint64_t least)
{
    return number < least ? least : number;
}

void channel_history(struct step *step, const struct channel_look *look,
                     struct channel_page *ret_page)
{
    struct channel_page page = { .name = look->channel };
    struct channel channel;
    uint64_t number;
    struct message_channel_entry *entries =
        step_take_many(step, look->limit, sizeof *entries);
    page.messages.items = entries;
    *ret_page = page;
    if (entries == NULL || !channel_name(step, look->channel, &page.name) ||
        !step_get_number(step, TABLE_CHANNEL_NAME, page.name, &number))
        return;
    if (!channel_load(step, number, &channel)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }

    bool backwards = !look->has_since;
    uint64_t from = channel.last - channel.kept + 1;
    uint64_t to = channel.last;
    if (look->has_since)
        from = look->since >= to ? to + 1 : at_least(look->since + 1, from);
    if (look->has_before && look->before <= to)
        to = look->before == 0 ? 0 : look->before - 1;
    size_t count = page_fill(step, &channel, from, to, backwards, look, entries);
    page.messages.items = backwards ? entries + (look->limit - count) : entries;
    page.messages.count = count;
    page.last = channel.last;
    page.more = from <= to && to - from + 1 > count;
    *ret_page = page;
}

/* The first name after `after`. */
static bool name_next(struct step *step, struct slice after, struct channel *ret_channel)
{
    char start[CHANNEL_NAME_BYTES_MAX + 1];
    struct buffer buffer = { .data = start,
                             .room = sizeof start,
                             .bytes_max = sizeof start };
    struct slice key;
    struct slice unused;
    uint64_t number;
    buffer_append_slice(&buffer, after);
    buffer_append_byte(&buffer, '\0');
    if (!step_first_from(step, TABLE_CHANNEL_NAME, packed_slice(step, &buffer), &key,
                         &unused))
        return false;
    if (!step_get_number(step, TABLE_CHANNEL_NAME, step_copy(step, key), &number) ||
        !channel_load(step, number, ret_channel)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return true;
}

void channel_list(struct step *step, struct slice after, size_t limit, size_t bytes_max,
                  struct channel_list *ret_list)
{
    struct channel_list list = { .cursor = { 0 } };
    struct channel channel;
    struct message_channel_listed *views = step_take_many(step, limit, sizeof *views);
    size_t bytes = 0;
    if (after.size > CHANNEL_NAME_BYTES_MAX)
        after.size = CHANNEL_NAME_BYTES_MAX;
    while (views != NULL && name_next(step, after, &channel)) {
        struct slice description = blob_get(step, channel.number, BLOB_CHANNEL);
        bytes += ENTRY_VIEW_BYTES + channel.name.size + description.size;
        if (list.channels.count == limit ||
            (bytes > bytes_max && list.channels.count > 0)) {
            list.cursor = after;
            break;
        }
        views[list.channels.count++] = (struct message_channel_listed){
            .name = channel.name,
            .description = description,
            .subscriber_count = channel.members,
            .created_at = channel.created_ms,
        };
        after = channel.name;
    }
    list.channels.items = views;
    *ret_list = list;
}
