#include "core/feed.h"
#include "core/handlers.h"
#include "core/match.h"
#include "core/presence.h"

static struct message draining(const struct agent *agent)
{
    struct message message = { .type = MESSAGE_AGENT_DRAINING };
    message.as.agent_draining = (struct message_agent_draining){
        .draining = agent->drains != 0,
        .by_agent = (agent->drains & DRAIN_AGENT) != 0,
        .by_operator = (agent->drains & DRAIN_OPERATOR) != 0,
        .tasks_held = agent->held,
    };
    return message;
}

static bool drain_set(struct step *step, struct agent *agent, enum drain who, bool on)
{
    uint8_t drains = (uint8_t)(on ? agent->drains | who : agent->drains & ~who);
    if (drains == agent->drains)
        return false;
    agent->drains = drains;
    agent_save(step, agent);
    feed_touch(step, agent->number);
    return true;
}

void on_agent_drain(struct step *step, const struct message_agent_drain *message)
{
    struct agent agent;
    if (!presence_asker(step, &agent))
        return;
    drain_set(step, &agent, DRAIN_AGENT, !message->has_on || message->on);
    struct message answer = draining(&agent);
    step_answer(step, &answer, 0);
    match_agent(step, agent.number);
}

/* False: there is no such agent, and the asker knows. */
static bool drain_by_operator(struct step *step, struct slice id, bool on,
                              struct agent *agent)
{
    if (!agent_load_id(step, id, agent)) {
        step_refuse(step, ERROR_AGENT_NOT_FOUND);
        return false;
    }
    if (drain_set(step, agent, DRAIN_OPERATOR, on)) {
        struct message notice = draining(agent);
        step_send(step, agent->link, &notice);
    }
    return !step_failed(step);
}

void on_post_agent_drain(struct step *step,
                         const struct message_post_agent_drain *message)
{
    struct message answer = { .type = MESSAGE_POST_AGENT_DRAIN_ANSWER };
    struct agent agent;
    if (!drain_by_operator(step, message->agent_id, true, &agent))
        return;
    answer.as.post_agent_drain_answer = (struct message_post_agent_drain_answer){
        .status = SLICE_OF("draining"),
        .agent_id = message->agent_id,
        .draining_by_agent = (agent.drains & DRAIN_AGENT) != 0,
        .draining_by_operator = true,
        .tasks_held = agent.held,
    };
    step_answer(step, &answer, 0);
}

void on_post_agent_resume(struct step *step,
                          const struct message_post_agent_resume *message)
{
    struct message answer = { .type = MESSAGE_POST_AGENT_RESUME_ANSWER };
    struct agent agent;
    if (!drain_by_operator(step, message->agent_id, false, &agent))
        return;
    answer.as.post_agent_resume_answer = (struct message_post_agent_resume_answer){
        .status = SLICE_OF("resumed"),
        .agent_id = message->agent_id,
        .draining_by_agent = (agent.drains & DRAIN_AGENT) != 0,
        .tasks_held = agent.held,
    };
    step_answer(step, &answer, 0);
    match_agent(step, agent.number);
}
