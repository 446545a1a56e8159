#include "core/activity.h"
#include "core/handlers.h"

enum {
    ACTIVE_MS = 300000, /* silent for longer: idle */
    LISTED_MAX = 1000,
    HOURS_PER_DAY = 24,
};

static int64_t idle_ms(const struct step *step, const struct activity *activity)
{
    int64_t idle = step->command->wall_ms - activity->active_ms;
    return idle < 0 ? 0 : idle;
}

static struct slice status_word(const struct step *step, const struct activity *activity)
{
    if (!activity->connected)
        return SLICE_OF("offline");
    return idle_ms(step, activity) < ACTIVE_MS ? SLICE_OF("active") : SLICE_OF("idle");
}

/* The first of the hours that are counted. */
static uint32_t hour_first(const struct step *step)
{
    uint32_t now = activity_hour_now(step);
    return now < ACTIVITY_HOURS ? 0 : now - ACTIVITY_HOURS + 1;
}

static void agent_view(const struct step *step, const struct activity *activity,
                       struct message_agent_analytics *view)
{
    uint32_t now = activity_hour_now(step);
    *view = (struct message_agent_analytics){
        .agent_id = activity->id,
        .connected = activity->connected,
        .idle_ms = idle_ms(step, activity),
        .status = status_word(step, activity),
        .messages_sent_this_hour = activity_hour_of(activity, now).sent,
        .last_active = activity->active_ms,
        .last_seen = activity->seen_ms,
        .total_connections = (int64_t)activity->connections,
    };
    for (uint32_t hour = hour_first(step); hour <= now; hour++) {
        struct activity_hour figures = activity_hour_of(activity, hour);
        view->messages_sent_24h += figures.sent;
        view->messages_received_24h += figures.received;
        view->connection_time_24h_ms += figures.connected_ms;
    }
}

void on_get_analytics_agents(struct step *step,
                             const struct message_get_analytics_agents *message)
{
    struct message answer = { .type = MESSAGE_GET_ANALYTICS_AGENTS_ANSWER };
    size_t limit = message->has_limit && message->limit < LISTED_MAX
                       ? (size_t)message->limit
                       : LISTED_MAX;
    struct message_agent_analytics *items = step_take_many(step, limit, sizeof *items);
    struct slice after = message->cursor;
    struct activity activity;
    size_t count = 0;
    bool more = items != NULL;
    while (more && count < limit) {
        more = activity_next(step, after, &activity);
        if (!more)
            break;
        activity_bring_up(step, &activity);
        agent_view(step, &activity, &items[count++]);
        after = activity.id;
    }
    if (more && activity_next(step, after, &activity))
        answer.as.get_analytics_agents_answer.cursor = after;
    answer.as.get_analytics_agents_answer.agents = (struct message_list){ items, count };
    step_answer(step, &answer, 0);
}

void on_get_analytics_summary(struct step *step,
                              const struct message_get_analytics_summary *message)
{
    (void)message;
    struct message answer = { .type = MESSAGE_GET_ANALYTICS_SUMMARY_ANSWER };
    struct message_get_analytics_summary_answer *summary =
        &answer.as.get_analytics_summary_answer;
    struct activity activity = { .id = { NULL, 0 } };
    while (activity_next(step, activity.id, &activity)) {
        summary->total_agents++;
        if (!activity.connected)
            summary->agents_offline++;
        else if (idle_ms(step, &activity) < ACTIVE_MS)
            summary->agents_active++;
        else
            summary->agents_idle++;
        for (uint32_t hour = hour_first(step); hour <= activity_hour_now(step); hour++)
            summary->total_messages_24h += activity_hour_of(&activity, hour).sent;
    }
    summary->agents_connected = summary->agents_active + summary->agents_idle;
    summary->timestamp = step->command->wall_ms;
    step_answer(step, &answer, 0);
}

/* "HH:00", in the arena. */
static struct slice hour_text(struct step *step, uint32_t hour)
{
    char *text = step_take(step, sizeof "HH:00");
    if (text == NULL)
        return SLICE_OF("");
    uint32_t of_day = hour % HOURS_PER_DAY;
    text[0] = (char)('0' + of_day / 10);
    text[1] = (char)('0' + of_day % 10);
    text[2] = ':';
    text[3] = '0';
    text[4] = '0';
    return slice_make(text, sizeof "HH:00" - 1);
}

void on_get_analytics_agent_hourly(
    struct step *step, const struct message_get_analytics_agent_hourly *message)
{
    struct message answer = { .type = MESSAGE_GET_ANALYTICS_AGENT_HOURLY_ANSWER };
    struct message_hourly *items = step_take_many(step, ACTIVITY_HOURS, sizeof *items);
    struct activity activity;
    if (!activity_load(step, message->agent_id, &activity))
        activity = (struct activity){ .connected = false };
    uint32_t first = hour_first(step);
    for (uint32_t i = 0; items != NULL && i < ACTIVITY_HOURS; i++) {
        struct activity_hour figures = activity_hour_of(&activity, first + i);
        items[i] = (struct message_hourly){
            .bucket = first + i,
            .hour = hour_text(step, first + i),
            .sent = figures.sent,
            .received = figures.received,
        };
    }
    answer.as.get_analytics_agent_hourly_answer.agent_id = message->agent_id;
    answer.as.get_analytics_agent_hourly_answer.hourly =
        (struct message_list){ items, ACTIVITY_HOURS };
    step_answer(step, &answer, 0);
}
