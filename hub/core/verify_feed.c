#include "core/verify.h"

#include "core/deadline.h"
#include "core/feed.h"

static void check_timer(struct verify *verify, enum deadline_kind kind, int64_t due_ms)
{
    struct packed_key packed;
    if (due_ms == 0)
        return;
    struct buffer *key = packed_key_start(&packed);
    pack_u8(key, CLOCK_FLEET);
    pack_i64(key, due_ms);
    pack_u8(key, (uint8_t)kind);
    pack_u64(key, 0);
    verify_holds(verify, step_has(&verify->step, TABLE_DEADLINE, buffer_slice(key)),
                 "a timer of the feed has no deadline");
    verify->deadlines++;
}

static void feed_row(struct verify *verify, struct slice key, struct slice value)
{
    struct feed feed;
    if (!verify_key(verify, key, 1) || !feed_unpack(&verify->step, value, &feed))
        return;
    check_timer(verify, DEADLINE_FEED, feed.due_ms);
    check_timer(verify, DEADLINE_FEED_LINGER, feed.linger_ms);
    verify_holds(verify,
                 feed.subscribers == 0 || feed.told == feed.last || feed.due_ms != 0,
                 "changes wait to be said for ever");
    verify_holds(verify, feed.subscribers > 0 || feed.floor == 0 || feed.linger_ms != 0,
                 "changes are kept for nobody for ever");
}

static void change_row(struct verify *verify, struct slice key, struct slice value)
{
    struct feed feed;
    struct number_key at;
    uint64_t agent = 0;
    uint64_t sequence = 0;
    (void)value;
    if (!verify_key(verify, key, 1))
        return;
    feed_load(&verify->step, &feed);
    verify_holds(verify,
                 step_get_number(&verify->step, TABLE_PRESENCE_CHANGE, key, &agent) &&
                     step_get_number(&verify->step, TABLE_PRESENCE_AGENT,
                                     key_one(&at, agent), &sequence) &&
                     sequence == key_number(&verify->step, key, 0),
                 "a change is not its agent's last");
    verify_holds(verify, sequence <= feed.last, "a change is ahead of the feed");
    verify_holds(verify, step_has(&verify->step, TABLE_AGENT, key_one(&at, agent)),
                 "a change is nobody's");
}

static void changed_row(struct verify *verify, struct slice key, struct slice value)
{
    struct number_key at;
    uint64_t sequence = 0;
    uint64_t agent = 0;
    (void)value;
    if (!verify_key(verify, key, 1))
        return;
    verify_holds(verify,
                 step_get_number(&verify->step, TABLE_PRESENCE_AGENT, key, &sequence) &&
                     step_get_number(&verify->step, TABLE_PRESENCE_CHANGE,
                                     key_one(&at, sequence), &agent) &&
                     agent == key_number(&verify->step, key, 0),
                 "an agent's last change is not there");
}

static void link_row(struct verify *verify, struct slice key, struct slice value)
{
    verify_mark(verify, value);
    if (verify_key(verify, key, 1))
        verify_holds(verify, step_has(&verify->step, TABLE_LINK, key),
                     "a subscriber is not connected");
}

void verify_feed(struct verify *verify)
{
    struct feed feed;
    verify_walk(verify, TABLE_PRESENCE, feed_row);
    verify_walk(verify, TABLE_PRESENCE_CHANGE, change_row);
    verify_walk(verify, TABLE_PRESENCE_AGENT, changed_row);
    uint64_t links = verify_walk(verify, TABLE_PRESENCE_LINK, link_row);
    feed_load(&verify->step, &feed);
    if (verify->text == NULL)
        verify_holds(verify, links == feed.subscribers,
                     "the count of subscribers is wrong");
}
