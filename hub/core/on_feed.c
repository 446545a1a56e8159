#include "core/agent_view.h"
#include "core/feed.h"
#include "core/handlers.h"
#include "core/presence.h"

#include "base/hash.h"

enum {
    PAGE_AGENTS_MAX = 500,
    PAGE_BYTES_MAX = 96 * 1024,
    NUMBER_BYTES = 8,
};

/*
 * A cursor is a letter and 16 hexadecimal digits: of a snapshot the agent, of a resumed
 * feed the change that stood last on the page before.
 */
enum walk { WALK_SNAPSHOT = 'a', WALK_CHANGES = 'c' };

static bool cursor_parse(struct slice cursor, enum walk *ret_walk, uint64_t *ret_after)
{
    uint8_t bytes[NUMBER_BYTES];
    if (cursor.size != 1 + 2 * sizeof bytes ||
        (cursor.data[0] != WALK_SNAPSHOT && cursor.data[0] != WALK_CHANGES) ||
        !hex_decode(bytes, sizeof bytes, slice_skip(cursor, 1)))
        return false;
    *ret_walk = (enum walk)cursor.data[0];
    *ret_after = get_u64(bytes);
    return true;
}

static struct slice cursor_make(struct step *step, enum walk walk, uint64_t after)
{
    uint8_t bytes[NUMBER_BYTES];
    char *text = step_take(step, 1 + 2 * sizeof bytes);
    if (text == NULL)
        return (struct slice){ 0 };
    text[0] = (char)walk;
    put_u64(bytes, after);
    hex_encode(text + 1, bytes, sizeof bytes);
    return slice_make(text, 1 + 2 * sizeof bytes);
}

static void answer_page(struct step *step, const struct feed *feed, enum walk walk,
                        const struct feed_page *page)
{
    struct message message = { .type = MESSAGE_PRESENCE_SNAPSHOT };
    message.as.presence_snapshot = (struct message_presence_snapshot){
        .epoch = (int64_t)step_epoch(step),
        .sequence = (int64_t)feed->told,
        .resumed = walk == WALK_CHANGES,
        .agents_connected = (int64_t)agents_connected(step),
        .agents = { .items = page->views, .count = page->count },
        .cursor =
            page->has_more ? cursor_make(step, walk, page->after) : (struct slice){ 0 },
    };
    step_answer(step, &message, 0);
}

static void connected_walk(struct step *step, struct feed_page *page)
{
    struct agent_page agents = { .after = page->after, .limit = page->limit };
    struct agent agent;
    size_t bytes = 0;
    while (agent_page_next(step, &agents, &agent) &&
           agent_view(step, &agent, &page->views[page->count])) {
        bytes += agent_view_bytes(&page->views[page->count++]);
        if (bytes >= PAGE_BYTES_MAX)
            agents.limit = agents.count;
    }
    page->after = agents.after;
    page->has_more = agents.has_more;
}

/* Where to begin: false: the asker has been refused. */
static bool walk_begin(struct step *step, const struct message_presence_subscribe *asked,
                       enum walk *ret_walk, uint64_t *ret_after)
{
    struct feed feed;
    uint64_t link = step->command->origin.link;
    if (slice_is_present(asked->cursor)) {
        if (feed_is_subscribed(step, link) &&
            cursor_parse(asked->cursor, ret_walk, ret_after))
            return true;
        step_refuse_field(step, SLICE_OF("cursor"), SLICE_OF("invalid_value"),
                          SLICE_OF("not a cursor of this connection's subscription"));
        return false;
    }
    feed_load(step, &feed);
    bool resumes = asked->has_sequence && asked->has_epoch &&
                   (uint64_t)asked->epoch == step_epoch(step) &&
                   feed_can_resume(&feed, (uint64_t)asked->sequence);
    *ret_walk = resumes ? WALK_CHANGES : WALK_SNAPSHOT;
    *ret_after = resumes ? (uint64_t)asked->sequence : 0;
    if (feed_subscribe(step, link))
        return true;
    if (!step_failed(step))
        step_refuse(step, ERROR_TOO_MANY_SUBSCRIBERS);
    return false;
}

void on_presence_subscribe(struct step *step,
                           const struct message_presence_subscribe *message)
{
    struct agent agent;
    struct feed feed;
    enum walk walk;
    struct feed_page page = { .limit = PAGE_AGENTS_MAX };
    if (message->has_limit && message->limit < PAGE_AGENTS_MAX)
        page.limit = (size_t)message->limit;
    if (!presence_asker(step, &agent) || !walk_begin(step, message, &walk, &page.after))
        return;
    page.views = step_take_many(step, page.limit, sizeof *page.views);
    if (page.views == NULL)
        return;
    feed_load(step, &feed);
    if (walk == WALK_CHANGES)
        feed_walk(step, &feed, &page);
    else
        connected_walk(step, &page);
    answer_page(step, &feed, walk, &page);
}

void on_presence_unsubscribe(struct step *step,
                             const struct message_presence_unsubscribe *message)
{
    (void)message;
    struct agent agent;
    if (!presence_asker(step, &agent))
        return;
    feed_unsubscribe(step, agent.link);
    struct message answer = { .type = MESSAGE_PRESENCE_UNSUBSCRIBED };
    step_answer(step, &answer, 0);
}
