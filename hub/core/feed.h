/*
 * feed.h - changes of agents, for those who ask to hear of them.
 *
 * Each change gives its agent the next number of the feed. Per agent only the last one
 * stands, so what has changed since a number is a walk over at most as many rows as there
 * are agents, each shown as it is now: that is a delta, and also how a subscriber goes on
 * after a pause. Deltas are gathered for presence_interval_ms and said once for all
 * subscribers.
 *
 * A feed nobody has been subscribed to for a while keeps nothing: then a change costs one
 * look, and whoever comes back with a number of before takes a new snapshot.
 *
 * Subscriptions are links', and end with them.
 */
#ifndef CORE_FEED_H
#define CORE_FEED_H

#include "core/agent.h"

struct feed {
    uint64_t last;        /* number given to the newest change */
    uint64_t told;        /* changes up to this one have been said */
    uint64_t floor;       /* changes behind this one are all there; 0: none are kept */
    uint32_t subscribers; /* rows of TABLE_PRESENCE_LINK */
    int64_t told_ms;      /* fleet clock: when deltas were said last */
    int64_t due_ms;       /* fleet clock: due time of DEADLINE_FEED; 0: no row */
    int64_t quiet_ms;     /* fleet clock: when the last subscriber went */
    int64_t linger_ms;    /* fleet clock: due time of DEADLINE_FEED_LINGER; 0: no row */
};

bool feed_unpack(struct step *step, struct slice value, struct feed *ret_feed);

/* All zero when nobody was ever subscribed. */
void feed_load(struct step *step, struct feed *ret_feed);

/* What others see of the agent has changed, or will by the end of this command. */
void feed_touch(struct step *step, uint64_t agent);

bool feed_is_subscribed(struct step *step, uint64_t link);

/* False: there are as many subscribers as there may be. A link that is one stays one. */
bool feed_subscribe(struct step *step, uint64_t link);

/* Does nothing for a link that is not subscribed. */
void feed_unsubscribe(struct step *step, uint64_t link);

/* Can a subscriber that has heard all up to `sequence` be told what came since? */
bool feed_can_resume(const struct feed *feed, uint64_t sequence);

/* One page of what has changed behind page->after, but not behind feed->told; the last
 * page comes up to there. `views` has room for `limit`. */
struct feed_page {
    uint64_t after;
    size_t limit;
    struct message_agent_listed *views;
    size_t count;
    bool has_more;
};

void feed_walk(struct step *step, const struct feed *feed, struct feed_page *page);

/* The deadlines. */
void feed_due(struct step *step, int64_t due_ms);
void feed_linger_over(struct step *step, int64_t due_ms);

#endif
