#include "core/feed.h"

#include "core/agent_view.h"
#include "core/deadline.h"

enum {
    FEED_VERSION = 1,
    FRAME_AGENTS_MAX = 500,
    FRAME_BYTES_MAX = 96 * 1024,
    PAUSE_MS = 10,              /* between two frames of what is to be said at once */
    LINGER_MS = 10 * 60 * 1000, /* changes are kept this long for nobody */
};

static const uint64_t FEED_KEY = 1;

bool feed_unpack(struct step *step, struct slice value, struct feed *ret_feed)
{
    struct feed feed = { 0 };
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    feed.last = unpack_u64(&row);
    feed.told = unpack_u64(&row);
    feed.floor = unpack_u64(&row);
    feed.subscribers = unpack_u32(&row);
    feed.told_ms = unpack_i64(&row);
    feed.due_ms = unpack_i64(&row);
    feed.quiet_ms = unpack_i64(&row);
    feed.linger_ms = unpack_i64(&row);
    if (version != FEED_VERSION || !unpack_done(&row) || feed.told > feed.last ||
        feed.floor > feed.last || (feed.subscribers > 0 && feed.floor == 0)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_feed = feed;
    return true;
}

void feed_load(struct step *step, struct feed *ret_feed)
{
    struct number_key key;
    struct slice value;
    *ret_feed = (struct feed){ 0 };
    if (step_get(step, TABLE_PRESENCE, key_one(&key, FEED_KEY), &value))
        feed_unpack(step, value, ret_feed);
}

static void feed_save(struct step *step, const struct feed *feed)
{
    struct packed packed;
    struct number_key key;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, FEED_VERSION);
    pack_u64(row, feed->last);
    pack_u64(row, feed->told);
    pack_u64(row, feed->floor);
    pack_u32(row, feed->subscribers);
    pack_i64(row, feed->told_ms);
    pack_i64(row, feed->due_ms);
    pack_i64(row, feed->quiet_ms);
    pack_i64(row, feed->linger_ms);
    step_put(step, TABLE_PRESENCE, key_one(&key, FEED_KEY), packed_slice(step, row));
}

/* Zero says that there is no row. */
static int64_t time_some(int64_t time_ms)
{
    return time_ms == 0 ? 1 : time_ms;
}

static void due_arm(struct step *step, struct feed *feed, int64_t due_ms)
{
    if (feed->due_ms != 0)
        return;
    feed->due_ms = time_some(due_ms);
    deadline_add_number(step, CLOCK_FLEET, feed->due_ms, DEADLINE_FEED, 0);
}

/* At once after a silence, else when the interval since the last delta is over. */
static int64_t next_ms(const struct step *step, const struct feed *feed)
{
    int64_t now_ms = step->command->now_ms;
    int64_t interval_ms = step->settings->presence_interval_ms;
    if (feed->told_ms > now_ms || feed->told_ms <= now_ms - interval_ms)
        return now_ms;
    return feed->told_ms + interval_ms;
}

void feed_touch(struct step *step, uint64_t agent)
{
    struct feed feed;
    struct number_key key;
    uint64_t old;
    feed_load(step, &feed);
    if (feed.floor == 0)
        return;
    if (step_get_number(step, TABLE_PRESENCE_AGENT, key_one(&key, agent), &old)) {
        /* Still to be said, and then as it is by then. */
        if (old > feed.told)
            return;
        step_remove(step, TABLE_PRESENCE_CHANGE, key_one(&key, old));
    }
    feed.last++;
    step_put_number(step, TABLE_PRESENCE_CHANGE, key_one(&key, feed.last), agent);
    step_put_number(step, TABLE_PRESENCE_AGENT, key_one(&key, agent), feed.last);
    if (feed.subscribers > 0)
        due_arm(step, &feed, next_ms(step, &feed));
    feed_save(step, &feed);
}

bool feed_is_subscribed(struct step *step, uint64_t link)
{
    struct number_key key;
    return step_has(step, TABLE_PRESENCE_LINK, key_one(&key, link));
}

bool feed_subscribe(struct step *step, uint64_t link)
{
    struct feed feed;
    struct number_key key;
    if (feed_is_subscribed(step, link))
        return true;
    feed_load(step, &feed);
    if (feed.subscribers >= step->settings->presence_subscribers_max)
        return false;
    if (feed.floor == 0)
        feed.floor = ++feed.last;
    if (feed.subscribers == 0)
        feed.told = feed.last;
    feed.subscribers++;
    step_put_mark(step, TABLE_PRESENCE_LINK, key_one(&key, link));
    feed_save(step, &feed);
    step_subscribe(step, link, true);
    return !step_failed(step);
}

static void linger_arm(struct step *step, struct feed *feed)
{
    if (feed->linger_ms != 0)
        return;
    /* A row that says otherwise is a broken one. */
    int64_t quiet_ms =
        feed->quiet_ms < step->command->now_ms ? feed->quiet_ms : step->command->now_ms;
    feed->linger_ms = time_some(quiet_ms + LINGER_MS);
    deadline_add_number(step, CLOCK_FLEET, feed->linger_ms, DEADLINE_FEED_LINGER, 0);
}

void feed_unsubscribe(struct step *step, uint64_t link)
{
    struct feed feed;
    struct number_key key;
    if (!feed_is_subscribed(step, link))
        return;
    feed_load(step, &feed);
    if (feed.subscribers == 0) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    step_remove(step, TABLE_PRESENCE_LINK, key_one(&key, link));
    feed.subscribers--;
    if (feed.subscribers == 0) {
        feed.quiet_ms = step->command->now_ms;
        linger_arm(step, &feed);
    }
    feed_save(step, &feed);
    step_subscribe(step, link, false);
}

bool feed_can_resume(const struct feed *feed, uint64_t sequence)
{
    return feed->floor != 0 && sequence >= feed->floor && sequence <= feed->last;
}

/* The first change behind `after`, and whose. */
static bool change_behind(struct step *step, uint64_t after, uint64_t *ret_sequence,
                          struct agent *ret_agent)
{
    struct number_key start;
    struct slice key;
    struct slice value;
    uint64_t agent;
    if (after == UINT64_MAX || !step_first_from(step, TABLE_PRESENCE_CHANGE,
                                                key_one(&start, after + 1), &key, &value))
        return false;
    *ret_sequence = key_number(step, key, 0);
    if (!step_get_number(step, TABLE_PRESENCE_CHANGE, key_one(&start, *ret_sequence),
                         &agent) ||
        !agent_load(step, agent, ret_agent)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return true;
}

void feed_walk(struct step *step, const struct feed *feed, struct feed_page *page)
{
    uint64_t sequence;
    struct agent agent;
    size_t bytes = 0;
    while (page->after < feed->told) {
        if (!change_behind(step, page->after, &sequence, &agent) ||
            sequence > feed->told) {
            page->after = feed->told;
            return;
        }
        if (page->count == page->limit || bytes >= FRAME_BYTES_MAX) {
            page->has_more = true;
            return;
        }
        if (!agent_view(step, &agent, &page->views[page->count]))
            return;
        bytes += agent_view_bytes(&page->views[page->count++]);
        page->after = sequence;
    }
}

/* One frame of what is to be said; all of it when nobody listens. */
static void deltas_say(struct step *step, struct feed *feed)
{
    struct message message = { .type = MESSAGE_PRESENCE_CHANGED };
    struct feed all = *feed;
    struct feed_page page = { .after = feed->told, .limit = FRAME_AGENTS_MAX };
    all.told = feed->last;
    if (feed->subscribers == 0) {
        feed->told = feed->last;
        return;
    }
    page.views = step_take_many(step, page.limit, sizeof *page.views);
    if (page.views == NULL)
        return;
    feed_walk(step, &all, &page);
    message.as.presence_changed = (struct message_presence_changed){
        .epoch = (int64_t)step_epoch(step),
        .from = (int64_t)feed->told,
        .sequence = (int64_t)page.after,
        .agents = { .items = page.views, .count = page.count },
    };
    if (page.count > 0)
        step_publish(step, &message);
    feed->told = page.after;
}

void feed_due(struct step *step, int64_t due_ms)
{
    struct feed feed;
    feed_load(step, &feed);
    if (feed.due_ms != due_ms) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    feed.due_ms = 0;
    deltas_say(step, &feed);
    feed.told_ms = step->command->now_ms;
    if (feed.told < feed.last)
        due_arm(step, &feed, step->command->now_ms + PAUSE_MS);
    feed_save(step, &feed);
}

void feed_linger_over(struct step *step, int64_t due_ms)
{
    struct feed feed;
    feed_load(step, &feed);
    if (feed.linger_ms != due_ms) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    feed.linger_ms = 0;
    if (feed.subscribers == 0 && feed.quiet_ms > step->command->now_ms - LINGER_MS)
        linger_arm(step, &feed);
    else if (feed.subscribers == 0)
        feed.floor = 0;
    feed_save(step, &feed);
}
