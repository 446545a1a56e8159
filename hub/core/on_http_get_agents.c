#include "core/agent.h"
#include "core/handlers.h"

enum {
    AGENTS_LISTED_MAX = 10000,
    AGENTS_BYTES_MAX = 4 << 20,
    AGENT_VIEW_BYTES = 200, /* names, numbers and punctuation of one agent */
};

static size_t agent_bytes(const struct message_agent_listed *view)
{
    size_t bytes =
        AGENT_VIEW_BYTES + view->agent_id.size + view->name.size + view->status.size;
    for (size_t i = 0; i < view->capabilities.count; i++)
        bytes += view->capabilities.items[i].size + 3;
    return bytes;
}

static bool agent_view(struct step *step, const struct agent *agent,
                       struct message_agent_listed *ret_view)
{
    struct agent_profile profile;
    if (!agent_profile_load(step, agent->number, &profile)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    struct slice fsm_state = agent_fsm_state(step, agent);
    *ret_view = (struct message_agent_listed){
        .agent_id = profile.id,
        .name = profile.name,
        .status = profile.status,
        .capabilities = profile.capabilities,
        .connected_at = agent->connected_ms,
        .fsm_state = fsm_state,
        .state = agent->unresponsive ? SLICE_OF("unresponsive") : fsm_state,
        .has_tasks_held = true,
        .tasks_held = agent->held,
        .has_max_concurrent = true,
        .max_concurrent = agent->slots,
    };
    if (ret_view->capabilities.items == NULL)
        ret_view->capabilities.items = step_take(step, sizeof(struct slice));
    return !step_failed(step);
}

void on_get_agents(struct step *step, const struct message_get_agents *message)
{
    (void)message;
    uint64_t connected = agents_connected(step);
    size_t room = connected < AGENTS_LISTED_MAX ? (size_t)connected : AGENTS_LISTED_MAX;
    struct message_agent_listed *items = step_take_many(step, room + 1, sizeof *items);
    struct agent agent;
    uint64_t position = 0;
    size_t count = 0;
    size_t bytes = 0;

    while (items != NULL && count < room && bytes < AGENTS_BYTES_MAX &&
           agent_next_connected(step, &position, &agent) &&
           agent_view(step, &agent, &items[count]))
        bytes += agent_bytes(&items[count++]);

    struct message answer = { .type = MESSAGE_GET_AGENTS_ANSWER };
    answer.as.get_agents_answer.agents =
        (struct message_list){ .items = items, .count = count };
    step_answer(step, &answer, 0);
}
