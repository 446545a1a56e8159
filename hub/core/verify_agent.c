#include "core/verify.h"

#include "core/agent.h"
#include "core/deadline.h"

static uint32_t held_count(struct verify *verify, uint64_t agent)
{
    uint32_t count = 0;
    uint64_t task = 0;
    while (agent_next_held(&verify->step, agent, task, &task)) {
        count++;
        task++;
    }
    return count;
}

static void check_presence(struct verify *verify, const struct agent *agent)
{
    struct number_key key;
    uint64_t number = 0;
    bool connected = agent->link != 0;
    verify_holds(verify,
                 step_has(&verify->step, TABLE_CONNECTED, key_one(&key, agent->number)) ==
                     connected,
                 "the index of connected agents disagrees");
    verify_holds(verify, connected == (agent->set != 0),
                 "an agent's set outlives its link, or the other way round");
    if (connected)
        verify_holds(verify,
                     step_get_number(&verify->step, TABLE_LINK,
                                     key_one(&key, agent->link), &number) &&
                         number == agent->number,
                     "an agent's link is not its own");
    verify_holds(verify, connected || (agent->drains & DRAIN_AGENT) == 0,
                 "an agent that is away drains by its own word");
    verify_holds(verify, agent->idle == agent_has_room(agent),
                 "an agent with room is not in line, or one without is");
    if (agent->idle)
        verify_holds(verify,
                     agent->idle_set == agent->set &&
                         step_has(&verify->step, TABLE_IDLE,
                                  key_three(&key, agent->idle_set, agent->idle_order,
                                            agent->number)),
                     "an agent's place in line is not there");
}

static void check_grace(struct verify *verify, const struct agent *agent)
{
    struct packed_key packed;
    if (agent->grace_until_ms == 0) {
        verify_holds(verify, agent->link != 0 || agent->held == 0,
                     "a lost agent holds tasks without end");
        return;
    }
    struct buffer *key = packed_key_start(&packed);
    pack_u8(key, CLOCK_FLEET);
    pack_i64(key, agent->grace_until_ms);
    pack_u8(key, DEADLINE_GRACE);
    pack_u64(key, agent->number);
    verify_holds(verify, step_has(&verify->step, TABLE_DEADLINE, buffer_slice(key)),
                 "a grace has no deadline");
    verify_holds(verify, agent->link == 0, "a connected agent is in its grace");
    verify->deadlines++;
}

static void check_rate(struct verify *verify, const struct agent *agent)
{
    struct packed_key packed;
    if (agent->limited_until_ms == 0)
        return;
    struct buffer *key = packed_key_start(&packed);
    pack_u8(key, CLOCK_FLEET);
    pack_i64(key, agent->limited_until_ms);
    pack_u8(key, DEADLINE_RATE);
    pack_u64(key, agent->number);
    verify_holds(verify, step_has(&verify->step, TABLE_DEADLINE, buffer_slice(key)),
                 "an agent is held back without end");
    verify->deadlines++;
}

static void agent_row(struct verify *verify, struct slice key, struct slice value)
{
    struct agent agent;
    struct agent_profile profile;
    uint64_t number = 0;
    if (!verify_key(verify, key, 1) ||
        !agent_unpack(&verify->step, key_number(&verify->step, key, 0), value, &agent))
        return;
    verify_set_used(verify, agent.set);
    verify_holds(verify,
                 agent_profile_load(&verify->step, agent.number, &profile) &&
                     agent_number(&verify->step, profile.id, &number) &&
                     number == agent.number,
                 "an agent's id leads elsewhere");
    verify_holds(verify, held_count(verify, agent.number) == agent.held,
                 "an agent holds another number of tasks");
    verify_holds(verify, agent.number <= step_counter(&verify->step, COUNTER_AGENT_LAST),
                 "an agent's number was never given out");
    check_presence(verify, &agent);
    check_grace(verify, &agent);
    check_rate(verify, &agent);
}

static void agent_id_row(struct verify *verify, struct slice key, struct slice value)
{
    struct agent agent;
    (void)value;
    verify_holds(verify, agent_load_id(&verify->step, key, &agent),
                 "an id names an agent that is not there");
}

static void link_row(struct verify *verify, struct slice key, struct slice value)
{
    struct agent agent;
    uint64_t number = 0;
    (void)value;
    if (verify_key(verify, key, 1))
        verify_holds(verify,
                     step_get_number(&verify->step, TABLE_LINK, key, &number) &&
                         agent_load(&verify->step, number, &agent) &&
                         agent.link == key_number(&verify->step, key, 0),
                     "a link speaks for an agent that has another");
}

static void connected_row(struct verify *verify, struct slice key, struct slice value)
{
    struct agent agent;
    verify_mark(verify, value);
    if (verify_key(verify, key, 1))
        verify_holds(
            verify,
            agent_load(&verify->step, key_number(&verify->step, key, 0), &agent) &&
                agent.link != 0,
            "an agent is called connected and is not");
}

static void idle_row(struct verify *verify, struct slice key, struct slice value)
{
    struct agent agent;
    verify_mark(verify, value);
    if (verify_key(verify, key, 3))
        verify_holds(
            verify,
            agent_load(&verify->step, key_number(&verify->step, key, 2), &agent) &&
                agent.idle && agent.idle_set == key_number(&verify->step, key, 0) &&
                agent.idle_order == key_number(&verify->step, key, 1),
            "somebody in line is not idle");
}

void verify_agents(struct verify *verify)
{
    verify_walk(verify, TABLE_AGENT, agent_row);
    verify_walk(verify, TABLE_AGENT_ID, agent_id_row);
    verify_walk(verify, TABLE_LINK, link_row);
    uint64_t connected = verify_walk(verify, TABLE_CONNECTED, connected_row);
    if (verify->text == NULL)
        verify_holds(verify, connected == agents_connected(&verify->step),
                     "the count of connected agents is wrong");
    verify_walk(verify, TABLE_IDLE, idle_row);
}
