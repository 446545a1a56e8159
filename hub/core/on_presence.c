#include "core/agent_view.h"
#include "core/backup.h"
#include "core/event_log.h"
#include "core/feed.h"
#include "core/handlers.h"
#include "core/presence.h"
#include "core/retention.h"
#include "core/upkeep.h"

enum {
    AGENTS_LISTED_MAX = 1000,
    AGENTS_LISTED_BYTES_MAX = 512 * 1024,
};

void on_ping(struct step *step, const struct message_ping *message)
{
    (void)message;
    struct agent agent;
    if (!presence_asker(step, &agent))
        return;
    struct message pong = { .type = MESSAGE_PONG };
    pong.as.pong.timestamp = step->command->wall_ms;
    step_answer(step, &pong, 0);
}

void on_status(struct step *step, const struct message_status *message)
{
    struct agent agent;
    struct agent_profile profile;
    if (!presence_asker(step, &agent) ||
        !agent_profile_load(step, agent.number, &profile))
        return;
    if (!slice_equal(profile.status, message->status)) {
        profile.status = message->status;
        agent_profile_save(step, agent.number, &profile);
        presence_log_status(step, &profile);
        feed_touch(step, agent.number);
    }
    struct message updated = { .type = MESSAGE_STATUS_UPDATED };
    step_answer(step, &updated, 0);
    presence_tell_changed(step, &agent);
}

static size_t view_bytes(const struct message_agent *view)
{
    size_t size = view->agent_id.size + view->name.size + view->status.size;
    for (size_t i = 0; i < view->capabilities.count; i++)
        size += view->capabilities.items[i].size;
    return size;
}

void on_list_agents(struct step *step, const struct message_list_agents *message)
{
    struct message answer = { .type = MESSAGE_AGENTS };
    struct agent_page page = { .limit = AGENTS_LISTED_MAX };
    struct agent agent;
    size_t listed = 0;
    size_t bytes = 0;
    if (message->has_limit && message->limit < AGENTS_LISTED_MAX)
        page.limit = (size_t)message->limit;
    if (!agent_cursor_parse(step, message->cursor, &page.after))
        return;
    struct message_agent *agents = agent_page_take(step, &page, sizeof *agents);
    while (agents != NULL && agent_page_next(step, &page, &agent)) {
        const struct message_agent *view = presence_view(step, &agent);
        if (view == NULL)
            return;
        agents[listed++] = *view;
        bytes += view_bytes(view);
        if (bytes >= AGENTS_LISTED_BYTES_MAX)
            page.limit = page.count;
    }
    answer.as.agents.agents = (struct message_list){ agents, listed };
    answer.as.agents.cursor = agent_cursor(step, &page);
    step_answer(step, &answer, 0);
}

void on_link_closed(struct step *step, const struct message_link_closed *message)
{
    (void)message;
    struct agent agent;
    uint64_t number;
    if (!presence_of_link(step, step->command->origin.link, &number))
        return;
    if (!agent_load(step, number, &agent)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    presence_leave(step, &agent);
}

/* A new store gets the epoch of its history. */
static void epoch_begin(struct step *step)
{
    struct core_place place;
    enum err err = core_place_read(step->transaction, &place);
    if (err == ERR_OK && place.epoch == 0)
        err = core_epoch_start(step->transaction, (uint64_t)step->command->wall_ms);
    if (err != ERR_OK)
        step_fail(step, err);
}

static void tell_started(struct step *step)
{
    struct core_place place;
    struct message event = { .type = MESSAGE_EVENT_HUB_STARTED };
    enum err err = core_place_read(step->transaction, &place);
    if (err != ERR_OK)
        step_fail(step, err);
    event.as.event_hub_started.epoch = (int64_t)place.epoch;
    event_add(step, &event);
}

/* No link and no job outlives the hub: whoever was connected has its grace from now on. */
void on_hub_started(struct step *step, const struct message_hub_started *message)
{
    (void)message;
    struct agent agent;
    uint64_t position = 0;
    epoch_begin(step);
    tell_started(step);
    event_sweep_start(step);
    retention_start(step);
    while (agent_next_connected(step, &position, &agent)) {
        presence_drop(step, &agent);
        presence_log_left(step, &agent, SLICE_OF("hub_restarted"));
    }
    instance_ensure(step);
    jobs_interrupt(step);
    upkeep_schedule(step);
}
