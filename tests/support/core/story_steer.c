#include "core/story_steer.h"

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

void story_steer(struct fleet *fleet)
{
    configure(fleet);
}
