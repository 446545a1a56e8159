#include "core/presence.h"

#include "core/activity.h"
#include "core/deadline.h"
#include "core/event.h"
#include "core/feed.h"
#include "core/match.h"
#include "core/set.h"

bool presence_of_link(struct step *step, uint64_t link, uint64_t *ret_agent)
{
    struct number_key key;
    return link != 0 && step_get_number(step, TABLE_LINK, key_one(&key, link), ret_agent);
}

bool presence_asker(struct step *step, struct agent *ret_agent)
{
    uint64_t number;
    if (!presence_of_link(step, step->command->origin.link, &number)) {
        step_refuse(step, ERROR_NOT_IDENTIFIED);
        return false;
    }
    if (!agent_load(step, number, ret_agent)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    if (!ret_agent->unresponsive)
        return true;
    /* What it says comes first: a late report of a task that it would get again must not
     * cross the new task_assign. */
    ret_agent->unresponsive = false;
    feed_touch(step, number);
    agent_save(step, ret_agent);
    step->woken = number;
    return !step_failed(step);
}

struct message_agent *presence_view(struct step *step, const struct agent *agent)
{
    struct agent_profile profile;
    struct message_agent *view = step_take(step, sizeof *view);
    if (view == NULL || !agent_profile_load(step, agent->number, &profile))
        return NULL;
    view->agent_id = profile.id;
    view->name = profile.name;
    view->status = profile.status;
    view->capabilities = profile.capabilities;
    view->connected_at = agent->connected_ms;
    return view;
}

/* In a large fleet everybody telling everybody would be most of the traffic. */
static bool events_are_told(struct step *step)
{
    return agents_connected(step) <= step->settings->presence_events_agents_max;
}

void presence_log_joined(struct step *step, const struct agent *agent,
                         const struct agent_profile *profile)
{
    struct message event = { .type = MESSAGE_EVENT_AGENT_JOINED };
    event.as.event_agent_joined = (struct message_event_agent_joined){
        .agent_id = profile->id,
        .capabilities = profile->capabilities,
        .slots = agent->slots,
    };
    event_add(step, &event);
}

void presence_log_left(struct step *step, const struct agent *agent, struct slice reason)
{
    struct message event = { .type = MESSAGE_EVENT_AGENT_LEFT };
    event.as.event_agent_left = (struct message_event_agent_left){
        .agent_id = agent_id(step, agent->number),
        .held = agent->held,
        .reason = reason,
    };
    event_add(step, &event);
}

void presence_log_status(struct step *step, const struct agent_profile *profile)
{
    struct message event = { .type = MESSAGE_EVENT_STATUS_CHANGED };
    event.as.event_status_changed.agent_id = profile->id;
    event.as.event_status_changed.status = profile->status;
    event_add(step, &event);
}

void presence_tell_joined(struct step *step, const struct agent *agent)
{
    struct message message = { .type = MESSAGE_AGENT_JOINED };
    if (!events_are_told(step))
        return;
    message.as.agent_joined.agent = presence_view(step, agent);
    step_broadcast(step, agent->link, &message);
}

void presence_tell_changed(struct step *step, const struct agent *agent)
{
    struct message message = { .type = MESSAGE_STATUS_CHANGED };
    if (!events_are_told(step))
        return;
    message.as.status_changed.agent = presence_view(step, agent);
    step_broadcast(step, 0, &message);
}

static void presence_tell_left(struct step *step, uint64_t number, uint64_t link)
{
    struct message message = { .type = MESSAGE_AGENT_LEFT };
    if (!events_are_told(step))
        return;
    message.as.agent_left.agent_id = agent_id(step, number);
    step_broadcast(step, link, &message);
}

void presence_drop(struct step *step, struct agent *agent)
{
    struct number_key key;
    feed_unsubscribe(step, agent->link);
    feed_touch(step, agent->number);
    step_remove(step, TABLE_LINK, key_one(&key, agent->link));
    step_remove(step, TABLE_CONNECTED, key_one(&key, agent->number));
    step_counter_move(step, COUNTER_CONNECTED, -1);
    agent_leave_line(step, agent);
    set_release(step, agent->set);
    agent->set = 0;
    agent->link = 0;
    agent->unresponsive = false;
    agent->drains &= (uint8_t)~DRAIN_AGENT;
    agent->changed_ms = step->command->wall_ms;
    if (agent->held > 0) {
        agent->grace_until_ms =
            step->command->now_ms + step->settings->reconnect_grace_ms;
        if (agent->grace_until_ms == 0)
            agent->grace_until_ms = 1; /* zero says that there is none */
        deadline_add_number(step, CLOCK_FLEET, agent->grace_until_ms, DEADLINE_GRACE,
                            agent->number);
    }
    agent_save(step, agent);
    activity_gone(step, agent_id(step, agent->number));
}

void presence_leave(struct step *step, struct agent *agent)
{
    uint64_t link = agent->link;
    presence_drop(step, agent);
    presence_log_left(step, agent, SLICE_OF("disconnected"));
    presence_tell_left(step, agent->number, link);
}
