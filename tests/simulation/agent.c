#include "simulation/agent.h"

#include "base/ensure.h"
#include "simulation/sim.h"
#include "simulation/speech.h"

#include <stdio.h>
#include <string.h>

enum {
    BACKOFF_MS = 500,
    BACKOFF_DOUBLINGS_MAX = 12,
    REPORT_AGAIN_MS = 15000,
    REPORT_TRIES_MAX = 6,
    WORK_MS_MAX = 60000,
    WORK_GOOD_MS = 50,
    REGISTER_AGAIN_MS = 30000,
    TRIES_MAX = 6,
};

void agents_init(struct agents *agents, struct sim *sim)
{
    struct dice *dice = &sim->dice;
    *agents = (struct agents){ .sim = sim, .count = sim->plan.agents };
    uint32_t all = (1u << sim->plan.capabilities) - 1;
    for (unsigned i = 0; i < agents->count; i++) {
        struct agent_actor *agent = &agents->agents[i];
        (void)snprintf(agent->id, sizeof agent->id, "agent-%u", i);
        agent->connection = NO_CONNECTION;
        agent->abilities = dice_many(dice, all);
        agent->slots = dice_chance(dice, 600) ? 1 : 1 + dice_below(dice, JOBS_MAX);
    }
}

void agent_token(struct agents *agents, uint32_t index,
                 const char token[TOKEN_TEXT_BYTES])
{
    struct agent_actor *agent = &agents->agents[index];
    memcpy(agent->token, token, TOKEN_TEXT_BYTES);
    agent->has_token = true;
    agent->revoked = false;
    agent->tries = 0;
    if (agent->connection == NO_CONNECTION)
        agent_connect_later(agents, index, dice_below(&agents->sim->dice, 100));
}

void agent_revoked(struct agents *agents, uint32_t index)
{
    agents->agents[index].revoked = true;
}

void agent_connect_later(struct agents *agents, uint32_t index, int64_t wait_ms)
{
    struct sim *sim = agents->sim;
    struct agent_actor *agent = &agents->agents[index];
    if (agent->connecting)
        return;
    agent->connecting = true;
    agenda_add(&sim->agenda, sim->monotonic_ms + wait_ms, AGENDA_CONNECT, index, 0,
               (struct slice){ 0 });
}

static void back_off(struct agents *agents, uint32_t index)
{
    struct agent_actor *agent = &agents->agents[index];
    unsigned doublings =
        agent->tries < BACKOFF_DOUBLINGS_MAX ? agent->tries : BACKOFF_DOUBLINGS_MAX;
    if (agents->sim->calm && doublings > 1)
        doublings = 1;
    agent->tries++;
    agent_connect_later(agents, index,
                        ((int64_t)BACKOFF_MS << doublings) +
                            dice_below(&agents->sim->dice, 500));
}

void agent_connect(struct agents *agents, uint32_t index)
{
    struct sim *sim = agents->sim;
    struct agent_actor *agent = &agents->agents[index];
    agent->connecting = false;
    /* Somebody looks after an agent that nobody lets in. */
    if (agent->tries >= TRIES_MAX)
        agent->has_token = false;
    if (!agent->has_token) {
        clients_mint(&sim->clients, index);
        agent_connect_later(agents, index, REGISTER_AGAIN_MS);
        return;
    }
    if (agent->connection != NO_CONNECTION && !sim_fault(sim, POINT_AGENT_TWICE))
        return;
    agent->connection = network_open(&sim->network, index);
    agent->identified = false;
    unsigned slots = agent->slots;
    if (sim_fault(sim, POINT_AGENT_OVERCLAIM))
        slots += 1 + dice_below(&sim->dice, 40);
    say_identify(agents, index, slots);
    /* No answer is an answer too. */
    agent->connecting = true;
    agenda_add(&sim->agenda, sim->monotonic_ms + REGISTER_AGAIN_MS, AGENDA_CONNECT, index,
               1 + (uint64_t)agent->connection, (struct slice){ 0 });
}

void agent_disconnect(struct agents *agents, uint32_t index, bool half_open)
{
    struct agent_actor *agent = &agents->agents[index];
    if (agent->connection == NO_CONNECTION)
        return;
    uint32_t connection = agent->connection;
    agent->connection = NO_CONNECTION;
    agent->identified = false;
    network_close_by_agent(&agents->sim->network, connection, half_open);
    back_off(agents, index);
}

void agent_lost(struct agents *agents, uint32_t number)
{
    struct connection *connection = network_at(&agents->sim->network, number);
    uint32_t index = connection->agent;
    struct agent_actor *agent = &agents->agents[index];
    connection->open_at_agent = false;
    if (agent->connection != number)
        return;
    agent->connection = NO_CONNECTION;
    agent->identified = false;
    if (sim_fault(agents->sim, POINT_AGENT_LOSES_MEMORY))
        memset(agent->jobs, 0, sizeof agent->jobs);
    back_off(agents, index);
}

static struct job *job_of(struct agent_actor *agent, struct slice id)
{
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        if (agent->jobs[i].state != JOB_NONE && slice_equal_text(id, agent->jobs[i].id))
            return &agent->jobs[i];
    }
    return NULL;
}

static struct job *job_free(struct agent_actor *agent)
{
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        if (agent->jobs[i].state == JOB_NONE)
            return &agent->jobs[i];
    }
    return NULL;
}

static void look_again(struct agents *agents, uint32_t index, struct job *job,
                       int64_t wait_ms)
{
    struct sim *sim = agents->sim;
    uint64_t slot = (uint64_t)(job - agents->agents[index].jobs);
    agenda_add(&sim->agenda, sim->monotonic_ms + wait_ms, AGENDA_WORK, index,
               (uint64_t)job->serial << 8 | slot, (struct slice){ 0 });
}

/* Until the work ends, or the next word is due. */
static int64_t work_wait_ms(struct agents *agents, const struct job *job)
{
    int64_t left_ms = job->ends_ms - agents->sim->monotonic_ms;
    int64_t beat_ms = job->mute ? job->lease_ms + 1 : job->lease_ms / 3 + 1;
    return left_ms < 0 ? 0 : left_ms < beat_ms ? left_ms : beat_ms;
}

/* What an agent reports follows from the task and its turn alone. */
static bool result_is_large(struct sim *sim, struct slice task_id, int64_t generation)
{
    uint32_t rate = sim->plan.rate[POINT_AGENT_LARGE_RESULT];
    bool large = (bytes_hash(task_id) + (uint64_t)generation * 37) % 1000 < rate;
    sim->reached[POINT_AGENT_LARGE_RESULT] += large;
    return large;
}

static void job_begin(struct agents *agents, uint32_t index,
                      const struct message_task_assign *assign)
{
    struct sim *sim = agents->sim;
    struct agent_actor *agent = &agents->agents[index];
    struct job *job = job_of(agent, assign->task_id);
    if (job == NULL || job->state == JOB_REPORTED)
        job = job != NULL ? job : job_free(agent);
    if (job == NULL || sim_fault(sim, POINT_AGENT_NEVER_ACCEPT))
        return;
    *job = (struct job){ .state = JOB_WORKING, .serial = ++agent->serial };
    (void)snprintf(job->id, sizeof job->id, "%.*s", (int)assign->task_id.size,
                   assign->task_id.data);
    job->generation = assign->generation;
    job->lease_ms = assign->has_lease_ms ? assign->lease_ms : 1000;
    job->fails = sim_fault(sim, POINT_AGENT_FAIL);
    job->large = result_is_large(sim, assign->task_id, assign->generation);
    job->mute = sim_fault(sim, POINT_AGENT_LATE_HEARTBEAT);
    int64_t work_ms = sim->calm ? WORK_GOOD_MS : dice_tail(&sim->dice, 20, WORK_MS_MAX);
    if (sim_fault(sim, POINT_AGENT_SLOW))
        work_ms = job->lease_ms * 3;
    job->ends_ms = sim->monotonic_ms + work_ms;
    say_about(agents, index, SAY_ACCEPTED, job->id, job->generation);
    look_again(agents, index, job, work_wait_ms(agents, job));
    if (sim_fault(sim, POINT_AGENT_VANISH))
        agent_disconnect(agents, index, sim_fault(sim, POINT_NET_HALF_OPEN));
}

static void job_report(struct agents *agents, uint32_t index, struct job *job)
{
    struct sim *sim = agents->sim;
    if (sim_fault(sim, POINT_AGENT_OLD_GENERATION))
        say_report(agents, index, job, job->generation - 1);
    say_report(agents, index, job, job->generation);
    if (sim_fault(sim, POINT_AGENT_FINISH_TWICE))
        say_report(agents, index, job, job->generation);
    job->state = JOB_REPORTED;
    if (++job->tries > REPORT_TRIES_MAX)
        job->state = JOB_NONE;
    else
        look_again(agents, index, job, REPORT_AGAIN_MS);
}

void agent_work(struct agents *agents, uint32_t index, uint64_t tag)
{
    struct sim *sim = agents->sim;
    struct agent_actor *agent = &agents->agents[index];
    struct job *job = &agent->jobs[tag & 0xff];
    if (job->state == JOB_NONE || job->serial != (uint32_t)(tag >> 8))
        return;
    if (agent->connection == NO_CONNECTION || !agent->identified) {
        look_again(agents, index, job, REPORT_AGAIN_MS);
        return;
    }
    if (job->state == JOB_REPORTED || sim->monotonic_ms >= job->ends_ms) {
        job_report(agents, index, job);
        return;
    }
    enum say word = dice_chance(&sim->dice, 500) ? SAY_PROGRESS : SAY_LEASE_RENEW;
    if (job->blocked || sim_fault(sim, POINT_AGENT_BLOCKED)) {
        word = job->blocked ? SAY_UNBLOCKED : SAY_BLOCKED;
        job->blocked = !job->blocked;
    }
    say_about(agents, index, word, job->id, job->generation);
    job->mute = false;
    look_again(agents, index, job, work_wait_ms(agents, job));
}

static void hear_identified(struct agents *agents, uint32_t index)
{
    struct agent_actor *agent = &agents->agents[index];
    agent->identified = true;
    agent->tries = 0;
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        struct job *job = &agent->jobs[i];
        if (job->state == JOB_WORKING)
            say_about(agents, index, SAY_RECOVERING, job->id, 0);
        else if (job->state == JOB_REPORTED)
            job_report(agents, index, job);
    }
}

/* `current`: said in the history that goes on, not in one that a restore has ended. */
static void hear_ack(struct agents *agents, uint32_t index,
                     const struct message_task_ack *ack, bool current)
{
    struct agent_actor *agent = &agents->agents[index];
    struct job *job = job_of(agent, ack->task_id);
    if (slice_equal_text(ack->status, "accepted") ||
        slice_equal_text(ack->status, "blocked") ||
        slice_equal_text(ack->status, "unblocked"))
        return;
    if (slice_equal_text(ack->status, "complete")) {
        struct buffer result;
        buffer_init(&result, (size_t)1 << 20);
        say_result(&result, ack->task_id, ack->generation,
                   job != NULL && job->generation == ack->generation && job->large);
        if (job != NULL && job->generation == ack->generation && current)
            clients_finished(&agents->sim->clients, ack->task_id, ack->generation,
                             buffer_slice(&result));
        buffer_finish(&result);
    }
    if (job != NULL && job->generation == ack->generation)
        job->state = JOB_NONE;
}

static void hear_error(struct agents *agents, uint32_t index,
                       const struct message_error *error)
{
    struct agent_actor *agent = &agents->agents[index];
    struct job *job =
        slice_is_present(error->task_id) ? job_of(agent, error->task_id) : NULL;
    if (slice_equal_text(error->error, "invalid_token")) {
        agent->has_token = false;
        agent_disconnect(agents, index, false);
        return;
    }
    /* Weather passes; a refusal stands. */
    if (job == NULL || slice_equal_text(error->error, "storage_error") ||
        slice_equal_text(error->error, "storage_full") ||
        slice_equal_text(error->error, "unavailable") ||
        slice_equal_text(error->error, "rate_limited"))
        return;
    if (!error->has_generation || error->generation > job->generation ||
        slice_equal_text(error->error, "task_cancelled"))
        job->state = JOB_NONE;
}

static void hear_cancel(struct agents *agents, uint32_t index,
                        const struct message_task_cancel *cancel)
{
    struct agent_actor *agent = &agents->agents[index];
    struct job *job = job_of(agent, cancel->task_id);
    if (job != NULL && cancel->generation >= job->generation)
        job->state = JOB_NONE;
    if (!sim_fault(agents->sim, POINT_AGENT_NEVER_ACCEPT)) {
        char id[TASK_ID_SPACE];
        (void)snprintf(id, sizeof id, "%.*s", (int)cancel->task_id.size,
                       cancel->task_id.data);
        say_about(agents, index, SAY_CANCELLED, id, cancel->generation);
    }
}

static void hear(struct agents *agents, uint32_t index, const struct message *message,
                 bool current)
{
    struct job *job;
    switch ((int)message->type) {
    case MESSAGE_IDENTIFIED:
        hear_identified(agents, index);
        break;
    case MESSAGE_TASK_ASSIGN:
        job_begin(agents, index, &message->as.task_assign);
        break;
    case MESSAGE_TASK_ACK:
        hear_ack(agents, index, &message->as.task_ack, current);
        break;
    case MESSAGE_TASK_CANCEL:
        hear_cancel(agents, index, &message->as.task_cancel);
        break;
    case MESSAGE_TASK_REASSIGN:
        job = job_of(&agents->agents[index], message->as.task_reassign.task_id);
        if (job != NULL)
            job->state = JOB_NONE;
        break;
    case MESSAGE_TASK_CONTINUE:
        job = job_of(&agents->agents[index], message->as.task_continue.task_id);
        if (job != NULL && job->state == JOB_WORKING)
            job->generation = message->as.task_continue.generation;
        break;
    case MESSAGE_ERROR:
        hear_error(agents, index, &message->as.error);
        break;
    default:
        break;
    }
}

void agent_hear(struct agents *agents, uint32_t number, struct slice frame)
{
    struct sim *sim = agents->sim;
    const struct connection *connection = network_at(&sim->network, number);
    struct agent_actor *agent = &agents->agents[connection->agent];
    if (!connection->open_at_agent || agent->connection != number)
        return;
    struct arena arena;
    struct message message = { 0 };
    struct refusal refusal = { 0 };
    arena_init(&arena, (size_t)16 << 20);
    if (wire_parse_socket(sim->reader, DIRECTION_SOCKET_OUT, frame, &arena, &message,
                          &refusal))
        hear(agents, connection->agent, &message, connection->run > sim->restored_run);
    else
        sim_break(sim, "a frame of the hub is not what its schema says", NULL);
    arena_finish(&arena);
}

void agent_make_good(struct agents *agents, uint32_t index)
{
    struct agent_actor *agent = &agents->agents[index];
    agent->abilities = (1u << CAPABILITIES) - 1;
    agent->slots = JOBS_MAX;
    agent_disconnect(agents, index, false);
    agent->tries = 0;
    agent_connect_later(agents, index, 1);
}
