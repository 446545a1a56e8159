#include "core/story_steer.h"

#include "core/scene.h"

static void ask(struct fleet *fleet, struct message message)
{
    fleet_as_client(fleet, "root", ROLE_ADMIN);
    fleet_do(fleet, &message);
}

static void configure(struct fleet *fleet)
{
    struct message message = { .type = MESSAGE_PUT_DEFAULT_REPO };
    message.as.put_default_repo.url = SLICE_OF("https://git.example/fleet.git");
    ask(fleet, message);
    message = (struct message){ .type = MESSAGE_PUT_HEARTBEAT_INTERVAL };
    message.as.put_heartbeat_interval.heartbeat_interval_ms = 20000;
    ask(fleet, message);
    ask(fleet, (struct message){ .type = MESSAGE_GET_DEFAULT_REPO });
    ask(fleet, (struct message){ .type = MESSAGE_GET_HEARTBEAT_INTERVAL });
}

/* One task at work, one that waits for the agent it is for; then the agent goes away. */
static void push(struct fleet *fleet)
{
    static const struct scene_agent DAVE = { "dave", 31 };
    struct message message = { .type = MESSAGE_POST_ADMIN_PUSH_TASK };
    message.as.post_admin_push_task.agent_id = slice_from_text(DAVE.name);
    message.as.post_admin_push_task.description = SLICE_OF("for dave");
    ask(fleet, message);
    scene_identify(fleet, DAVE, 1);
    ask(fleet, message);
    ask(fleet, message);
    scene_link_closed(fleet, DAVE.link);
}

static void look(struct fleet *fleet)
{
    struct message message = { .type = MESSAGE_GET_ANALYTICS_AGENT_HOURLY };
    message.as.get_analytics_agent_hourly.agent_id = SLICE_OF("ada");
    ask(fleet, message);
    ask(fleet, (struct message){ .type = MESSAGE_GET_ANALYTICS_AGENTS });
    ask(fleet, (struct message){ .type = MESSAGE_GET_ANALYTICS_SUMMARY });
}

void story_reset(struct fleet *fleet)
{
    ask(fleet, (struct message){ .type = MESSAGE_POST_ADMIN_RESET });
}

void story_steer(struct fleet *fleet)
{
    story_reset(fleet);
    look(fleet);
    configure(fleet);
    push(fleet);
}
