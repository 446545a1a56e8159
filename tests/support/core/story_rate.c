#include "core/story_rate.h"

static void ask(struct fleet *fleet, struct message message)
{
    fleet_as_client(fleet, "root", ROLE_ADMIN);
    fleet_do(fleet, &message);
}

static void give_numbers(struct fleet *fleet, struct slice name)
{
    struct message_rate_limit heavy = { 100, 50 };
    struct message message = { .type = MESSAGE_PUT_RATE_LIMIT };
    message.as.put_rate_limit.agent_id = name;
    message.as.put_rate_limit.heavy = &heavy;
    ask(fleet, message);
}

static void free_from_limits(struct fleet *fleet, struct slice name)
{
    struct message message = { .type = MESSAGE_POST_RATE_WHITELIST };
    message.as.post_rate_whitelist.agent_id = name;
    ask(fleet, message);
}

static void hold_back(struct fleet *fleet, struct slice agent)
{
    struct message message = { .type = MESSAGE_RATE_VIOLATED };
    message.as.rate_violated = (struct message_rate_violated){ agent, 60 * 1000 };
    fleet_as_hub(fleet);
    fleet_do(fleet, &message);
}

void story_rate(struct fleet *fleet, struct slice agent)
{
    struct slice names[] = { SLICE("bob"), SLICE("cy") };
    give_numbers(fleet, SLICE_OF("bob"));
    give_numbers(fleet, SLICE_OF("dot"));
    struct message message = { .type = MESSAGE_DELETE_RATE_LIMIT };
    message.as.delete_rate_limit.agent_id = SLICE_OF("bob");
    ask(fleet, message);
    free_from_limits(fleet, SLICE_OF("eve"));
    message = (struct message){ .type = MESSAGE_PUT_RATE_WHITELIST };
    message.as.put_rate_whitelist.agent_ids = (struct slice_list){ names, 2 };
    ask(fleet, message);
    message = (struct message){ .type = MESSAGE_DELETE_RATE_WHITELIST };
    message.as.delete_rate_whitelist.agent_id = SLICE_OF("cy");
    ask(fleet, message);
    hold_back(fleet, agent);
    hold_back(fleet, agent);
}
