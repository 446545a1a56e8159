#include "core/channel.h"
#include "core/handlers.h"
#include "core/letter.h"

enum {
    LIMIT_DEFAULT = 50,
    LIMIT_MAX = 200,
    EXAMINED_MAX = 2000,
    BYTES_MAX = 1 << 20,
};

struct letter_filter {
    const struct message_get_messages *asked;
    uint64_t channel;
    size_t limit;
};

/* The first letter of the history that was not said before a time: letters are in the
 * order of `ordered_ms`, which is never less than the time itself. */
static uint64_t first_since(struct step *step, int64_t wall_ms)
{
    uint64_t low = letter_first(step);
    uint64_t high = letter_last(step) + 1;
    struct letter letter;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (!letter_head(step, middle, &letter)) {
            step_fail(step, ERR_CORRUPT);
            return high;
        }
        if (letter.ordered_ms < wall_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The next letter from `from` on that may pass, by the narrowest index there is. */
static bool candidate(struct step *step, const struct letter_filter *filter,
                      uint64_t from, uint64_t *ret_number)
{
    const struct message_get_messages *asked = filter->asked;
    if (filter->channel != 0)
        return letter_indexed(step, LETTER_IN_CHANNEL, filter->channel, from, ret_number);
    if (slice_is_present(asked->to) && !slice_equal_text(asked->to, "broadcast"))
        return letter_indexed(step, LETTER_TO, letter_hash(asked->to), from, ret_number);
    if (slice_is_present(asked->from))
        return letter_indexed(step, LETTER_OF_SENDER, letter_hash(asked->from), from,
                              ret_number);
    *ret_number = from;
    return from <= letter_last(step);
}

static bool passes(const struct letter_filter *filter, const struct letter *letter)
{
    const struct message_get_messages *asked = filter->asked;
    if (slice_is_present(asked->from) && !slice_equal(asked->from, letter->from))
        return false;
    if (slice_is_present(asked->to)) {
        bool to_all = !slice_is_present(letter->to) && letter->channel == 0;
        if (slice_equal_text(asked->to, "broadcast")
                ? !to_all
                : !slice_equal(asked->to, letter->to))
            return false;
    }
    return (filter->channel == 0 || filter->channel == letter->channel) &&
           (!asked->has_start_time || letter->wall_ms >= asked->start_time) &&
           (!asked->has_end_time || letter->wall_ms <= asked->end_time);
}

static void page_make(struct step *step, const struct letter_filter *filter,
                      uint64_t from, struct message_get_messages_answer *answer)
{
    struct message_stored_message *views =
        step_take_many(step, filter->limit, sizeof *views);
    struct letter letter;
    uint64_t number;
    size_t bytes = 0;
    size_t count = 0;
    for (int i = 0; views != NULL && candidate(step, filter, from, &number); i++) {
        if (count == filter->limit || i == EXAMINED_MAX || bytes > BYTES_MAX) {
            answer->has_cursor = true;
            answer->cursor = (int64_t)from - 1;
            break;
        }
        if (!letter_load(step, number, &letter)) {
            step_fail(step, ERR_CORRUPT);
            return;
        }
        from = number + 1;
        if (!passes(filter, &letter))
            continue;
        bytes += letter_bytes(&letter);
        letter_view(step, &letter, &views[count]);
        views[count].has_seq = true;
        views[count].seq = (int64_t)number;
        count++;
    }
    answer->messages = (struct message_list){ views, count };
    answer->count = (int64_t)count;
}

void on_get_messages(struct step *step, const struct message_get_messages *message)
{
    struct message answer = { .type = MESSAGE_GET_MESSAGES_ANSWER };
    struct letter_filter filter = { .asked = message, .limit = LIMIT_DEFAULT };
    struct slice name;
    bool any = true;
    if (message->has_limit && message->limit > 0)
        filter.limit = message->limit < LIMIT_MAX ? (size_t)message->limit : LIMIT_MAX;
    if (slice_is_present(message->channel))
        any = channel_name(step, message->channel, &name) &&
              step_get_number(step, TABLE_CHANNEL_NAME, name, &filter.channel);

    uint64_t from = letter_first(step);
    if (message->has_start_time)
        from = first_since(step, message->start_time);
    if (message->has_cursor && (uint64_t)message->cursor >= from)
        from = (uint64_t)message->cursor + 1;
    if (any)
        page_make(step, &filter, from, &answer.as.get_messages_answer);
    else
        answer.as.get_messages_answer.messages.items = step_take(step, 1);
    step_answer(step, &answer, 0);
}
