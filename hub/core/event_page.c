#include "core/event_page.h"

#include "base/hash.h"
#include "core/event_class.h"
#include "core/role.h"

enum {
    EXAMINED_MAX = 2000,
    BYTES_MAX = 256 * 1024, /* of rows */
};

struct filter {
    bool all;
    bool types[MESSAGE_COUNT];
};

static void filter_add_class(struct filter *filter, enum event_class class)
{
    for (int i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++)
        filter->types[i] |= MESSAGE_ROWS[i].direction == DIRECTION_EVENT &&
                            MESSAGE_ROWS[i].event_class == class;
}

static bool filter_add(struct filter *filter, struct slice word)
{
    enum event_class class;
    if (event_class_parse(word, &class)) {
        filter_add_class(filter, class);
        return true;
    }
    for (int i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        if (MESSAGE_ROWS[i].direction == DIRECTION_EVENT &&
            slice_equal(MESSAGE_ROWS[i].name, word)) {
            filter->types[i] = true;
            return true;
        }
    }
    return false;
}

static bool filter_read(struct step *step, struct slice kinds, struct filter *filter)
{
    *filter = (struct filter){ .all = !slice_is_present(kinds) };
    while (kinds.size > 0) {
        struct slice word = slice_make(kinds.data, slice_find(kinds, ','));
        kinds = slice_skip(kinds, word.size + 1);
        if (!filter_add(filter, word)) {
            step_refuse_field(step, SLICE_OF("kinds"), SLICE_OF("invalid_value"),
                              SLICE_OF("names neither a type nor a class of events"));
            return false;
        }
    }
    return true;
}

/* The epoch of the event with this number, which is kept or the last that was not. */
static uint64_t epoch_at(struct step *step, const struct event_span *span,
                         uint64_t sequence)
{
    struct event_head head = { 0 };
    if (sequence == span->before)
        return sequence == 0 ? span->epoch : span->before_epoch;
    if (!event_head_load(step, sequence, &head))
        step_fail(step, ERR_CORRUPT);
    return head.epoch;
}

/* The last event of that epoch or an earlier one: epochs never fall. */
static uint64_t epoch_end(struct step *step, const struct event_span *span,
                          uint64_t epoch)
{
    uint64_t low = span->before;
    uint64_t high = span->last;
    while (low < high && !step_failed(step)) {
        uint64_t middle = high - (high - low) / 2;
        if (epoch_at(step, span, middle) <= epoch)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static void gap_tell(struct step *step, const struct event_span *span,
                     struct slice reason, struct event_page *page)
{
    page->gap = step_take(step, sizeof *page->gap);
    if (page->gap == NULL)
        return;
    *page->gap = (struct message_event_gap){
        .oldest = (int64_t)span->before + 1,
        .epoch = (int64_t)span->epoch,
        .reason = reason,
    };
}

/* The place from which the page goes on. */
static uint64_t place_find(struct step *step, const struct event_span *span,
                           const struct event_query *query, struct event_page *page)
{
    if (query->at_end) {
        uint64_t kept = span->last - span->before;
        return span->last - (query->tail < kept ? query->tail : kept);
    }
    if (!query->has_since)
        return span->before;

    bool ahead = query->since > span->last;
    bool undone = query->has_epoch && query->since > 0 &&
                  (ahead || (query->since >= span->before &&
                             epoch_at(step, span, query->since) != query->epoch));
    if (ahead || undone) {
        gap_tell(step, span, SLICE_OF("restored"), page);
        bool older = query->has_epoch && query->epoch < span->epoch;
        uint64_t shared = older ? epoch_end(step, span, query->epoch) : span->before;
        return shared < query->since ? shared : span->before;
    }
    if (query->since < span->before) {
        gap_tell(step, span, SLICE_OF("expired"), page);
        return span->before;
    }
    return query->since;
}

static void event_show(struct step *step, const struct event *event,
                       struct message_event *view)
{
    const struct message_row *of = &MESSAGE_ROWS[event->message.type];
    struct message *data = step_take(step, sizeof *data);
    char *hash = step_take(step, (size_t)2 * DIGEST_BYTES + 1);
    if (data == NULL || hash == NULL)
        return;
    *data = event->message;
    hex_encode(hash, event->hash, DIGEST_BYTES);
    *view = (struct message_event){
        .sequence = (int64_t)event->sequence,
        .epoch = (int64_t)event->epoch,
        .type = of->name,
        .class = event_class_name(of->event_class),
        .timestamp = event->wall_ms,
        .actor = event->actor.size > 0 ? event->actor : (struct slice){ 0 },
        .role = role_name(event->role),
        .address = event->address,
        .data = { .message = data },
        .has_cut = event->cut,
        .cut = event->cut,
        .hash = slice_make(hash, (size_t)2 * DIGEST_BYTES),
    };
}

static void page_fill(struct step *step, const struct event_query *query,
                      const struct filter *filter, const struct event_span *span,
                      struct event_page *page)
{
    size_t bytes = 0;
    struct number_key key;
    struct slice value;
    struct event event;
    for (unsigned i = 0; i < EXAMINED_MAX && page->last < span->last &&
                         page->count < query->limit && bytes < BYTES_MAX;
         i++) {
        uint64_t sequence = page->last + 1;
        if (!step_get(step, TABLE_EVENT, key_one(&key, sequence), &value)) {
            step_fail(step, ERR_CORRUPT);
            return;
        }
        size_t size = value.size;
        if (!event_unpack(step, sequence, value, &event))
            return;
        page->last = sequence;
        page->epoch = event.epoch;
        if (!filter->all && !filter->types[event.message.type])
            continue;
        bytes += size;
        event_show(step, &event, &page->events[page->count]);
        if (step_failed(step))
            return;
        page->count++;
    }
}

bool event_page(struct step *step, const struct event_query *query,
                struct event_page *ret_page)
{
    struct filter filter;
    struct event_span span;
    struct event_page page = { 0 };
    if (!filter_read(step, query->kinds, &filter))
        return false;
    event_span_load(step, &span);
    page.events = step_take_many(step, query->limit, sizeof *page.events);
    if (step_failed(step))
        return false;
    page.last = place_find(step, &span, query, &page);
    page.epoch = epoch_at(step, &span, page.last);
    page_fill(step, query, &filter, &span, &page);
    page.more = page.last < span.last;
    *ret_page = page;
    return !step_failed(step);
}
