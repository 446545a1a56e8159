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

/* One of each, and all of it again. */
static void import(struct fleet *fleet)
{
    struct message_import_event event = { .event = SLICE_OF("queued"),
                                          .timestamp = 1000 };
    struct message_import_task tasks[] = {
        { .id = SLICE_OF("task-00000000000000a1"),
          .description = SLICE_OF("old"),
          .status = SLICE_OF("completed"),
          .result = SLICE_OF("{}"),
          .assigned_to = SLICE_OF("zoe"),
          .max_retries = 3,
          .history = { &event, 1 } },
        { .id = SLICE_OF("task-00000000000000a2"),
          .description = SLICE_OF("older"),
          .status = SLICE_OF("assigned"),
          .max_retries = 3 },
    };
    struct slice subscriber = SLICE_OF("zoe");
    struct message_import_token token = {
        .agent_id = SLICE_OF("zoe"),
        .digest = SLICE_OF("0123456789abcdef0123456789abcdef"
                           "0123456789abcdef0123456789abcdef"),
        .prefix = SLICE_OF("01234567"),
    };
    struct message_import_channel channel = { .name = SLICE_OF("old"),
                                              .subscribers = { &subscriber, 1 } };
    struct message_import_message messages[] = {
        { .channel = SLICE_OF("old"),
          .id = SLICE_OF("00000000000000aa"),
          .seq = 5,
          .from = SLICE_OF("zoe"),
          .payload = SLICE_OF("{}"),
          .timestamp = 1000 },
        { .mailbox = SLICE_OF("zoe"),
          .id = SLICE_OF("00000000000000ab"),
          .seq = 5,
          .from = SLICE_OF("ada"),
          .payload = SLICE_OF("{}"),
          .timestamp = fleet->command.wall_ms },
    };
    struct message_import_mailbox mailbox = { .agent_id = SLICE_OF("zoe"),
                                              .last_seq = 9 };
    struct message message = { .type = MESSAGE_POST_ADMIN_IMPORT };
    message.as.post_admin_import = (struct message_post_admin_import){
        .tokens = { &token, 1 },
        .tasks = { tasks, 2 },
        .channels = { &channel, 1 },
        .messages = { messages, 2 },
        .mailboxes = { &mailbox, 1 },
    };
    ask(fleet, message);
    ask(fleet, message);
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
    import(fleet);
}
