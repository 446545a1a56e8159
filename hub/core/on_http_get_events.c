#include "core/event_page.h"
#include "core/handlers.h"

enum {
    LIMIT_DEFAULT = 100,
    LIMIT_MAX = 1000,
    PULLED_MAX = 200, /* events that one turn of a stream takes at the most */
};

void on_get_events(struct step *step, const struct message_get_events *message)
{
    struct event_page page;
    struct event_query query = {
        .has_since = message->has_since,
        .since = (uint64_t)message->since,
        .has_epoch = message->has_epoch,
        .epoch = (uint64_t)message->epoch,
        .at_end = message->has_tail && !message->has_since,
        .tail = (uint64_t)message->tail,
        .kinds = message->kinds,
        .limit = message->has_limit ? (size_t)message->limit : (size_t)LIMIT_DEFAULT,
    };
    if (query.limit < 1 || query.limit > LIMIT_MAX)
        query.limit = LIMIT_MAX;
    if (!event_page(step, &query, &page))
        return;
    struct message answer = { .type = MESSAGE_GET_EVENTS_ANSWER };
    answer.as.get_events_answer = (struct message_get_events_answer){
        .epoch = (int64_t)page.epoch,
        .events = { page.events, page.count },
        .last = (int64_t)page.last,
        .more = page.more,
        .gap = page.gap,
    };
    step_answer(step, &answer, 0);
}

/* A page in one frame; nothing new is not worth one. */
static void give_page(struct step *step, const struct event_page *page, bool begin)
{
    struct message frame = { .type = MESSAGE_EVENTS };
    frame.as.events = (struct message_events){
        .epoch = (int64_t)page->epoch,
        .events = { page->events, page->count },
        .last = (int64_t)page->last,
        .more = page->more,
        .gap = page->gap,
    };
    bool silent = page->count == 0 && page->gap == NULL && !begin;
    step_give_events(step, silent ? NULL : &frame, (struct slice){ 0 }, page->epoch,
                     page->last, page->more);
}

/* Each event, and a gap, by itself; and at last where the reader stands. */
static void give_each(struct step *step, const struct event_page *page)
{
    if (page->gap != NULL) {
        struct message told = { .type = MESSAGE_EVENTS_GAP };
        told.as.events_gap = (struct message_events_gap){
            .oldest = page->gap->oldest,
            .epoch = page->gap->epoch,
            .reason = page->gap->reason,
        };
        uint64_t before =
            page->count > 0 ? (uint64_t)page->events[0].sequence - 1 : page->last;
        uint64_t epoch = page->count > 0 ? (uint64_t)page->events[0].epoch : page->epoch;
        step_give_events(step, &told, SLICE_OF("gap"), epoch, before, true);
    }
    for (size_t i = 0; i < page->count; i++) {
        struct message told = { .type = MESSAGE_GET_EVENTS_STREAM_ANSWER };
        told.as.get_events_stream_answer = page->events[i];
        step_give_events(step, &told, page->events[i].type,
                         (uint64_t)page->events[i].epoch,
                         (uint64_t)page->events[i].sequence, true);
    }
    step_give_events(step, NULL, (struct slice){ 0 }, page->epoch, page->last,
                     page->more);
}

void on_events_pull(struct step *step, const struct message_events_pull *message)
{
    struct event_page page;
    const struct event_query query = {
        .has_since = true,
        .since = (uint64_t)message->since,
        .at_end = !message->has_since,
        .has_epoch = message->has_epoch,
        .epoch = (uint64_t)message->epoch,
        .kinds = message->kinds,
        .limit = PULLED_MAX,
    };
    if (!event_page(step, &query, &page))
        return;
    if (message->each)
        give_each(step, &page);
    else
        give_page(step, &page, message->begin);
}
