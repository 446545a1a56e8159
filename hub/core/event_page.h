/*
 * event_page.h - one page of the event log for a reader that has a place in it.
 *
 * A place is an epoch and a number: the reader has seen all up to there. When the event
 * with that number is gone, or is of another epoch, the page tells of a gap and begins
 * behind it: at the oldest event kept, or, after a restore, at the first event that the
 * reader's history does not share.
 */
#ifndef CORE_EVENT_PAGE_H
#define CORE_EVENT_PAGE_H

#include "core/event_log.h"

struct event_query {
    bool has_since; /* else from the oldest event kept */
    uint64_t since;
    bool has_epoch;
    uint64_t epoch;
    bool at_end;        /* no place: from what happens next on */
    uint64_t tail;      /* at the end: and this many events before */
    struct slice kinds; /* types and classes, separated by commas; absent: all */
    size_t limit;
};

struct event_page {
    struct message_event *events;
    size_t count;
    uint64_t last; /* the reader's place behind this page */
    uint64_t epoch;
    bool more;
    struct message_event_gap *gap; /* NULL: nothing is missing */
};

/* False: refused, for `kinds` names what there is not; or the step has failed. */
bool event_page(struct step *step, const struct event_query *query,
                struct event_page *ret_page);

#endif
