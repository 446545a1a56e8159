/* Heads, and what the indexes should hold for them. */
#include "core/reset.h"

#include "core/agent.h"
#include "core/blob.h"
#include "core/deadline.h"
#include "core/fleet_schema.h"
#include "core/retention.h"
#include "core/stats.h"
#include "core/token.h"

static void ensure_two(struct step *step, struct reset *reset, enum table table,
                       uint64_t first, uint64_t second)
{
    struct number_key key;
    reset_ensure(step, reset, table, key_two(&key, first, second));
}

/* A due time of 0 has no row. */
static void ensure_timer(struct step *step, struct reset *reset,
                         enum deadline_clock clock, int64_t due_ms,
                         enum deadline_kind kind, uint64_t number)
{
    struct number_key subject;
    if (due_ms == 0 || deadline_has(step, clock, due_ms, kind, key_one(&subject, number)))
        return;
    deadline_add_number(step, clock, due_ms, kind, number);
    reset->differences++;
}

static void ensure_ready(struct step *step, struct reset *reset, const struct task *task)
{
    struct number_key key;
    enum table table;
    uint64_t before = reset->differences;
    struct slice ready = task_ready_key(task, &key, &table);
    reset_ensure(step, reset, table, ready);
    /* Nobody has looked for an agent while it stood nowhere. */
    if (reset->differences != before)
        deadline_add_number(step, CLOCK_FLEET, step->command->now_ms, DEADLINE_MATCH_TASK,
                            task->number);
}

static void wait_for(struct step *step, struct reset *reset, uint64_t on, uint64_t number)
{
    ensure_two(step, reset, TABLE_WAITER, on, number);
    deadline_add_number(step, CLOCK_FLEET, step->command->now_ms, DEADLINE_WAITERS, on);
}

/* It waits for each dependency that is not completed; for one that is, as long as that
 * has not been told. A task that has lost all it waits for is told by its first. */
static void ensure_waits(struct step *step, struct reset *reset, struct task *task)
{
    uint64_t *tasks;
    size_t count;
    uint32_t waits = 0;
    if (!task_waits_load(step, task->number, &tasks, &count))
        return;
    for (size_t i = 0; i < count && !step_failed(step); i++) {
        struct number_key key;
        struct task on;
        bool there = task_load(step, tasks[i], &on);
        bool waiting =
            step_has(step, TABLE_WAITER, key_two(&key, tasks[i], task->number));
        if (there && !waiting && on.state != TASK_COMPLETED) {
            ensure_two(step, reset, TABLE_WAITER, tasks[i], task->number);
            waiting = true;
        }
        if (there && waiting && task_state_is_end(on.state))
            wait_for(step, reset, tasks[i], task->number);
        waits += waiting;
    }
    if (waits == 0 && count > 0) {
        wait_for(step, reset, tasks[0], task->number);
        waits = 1;
    }
    if (waits == task->blocked_on)
        return;
    task->blocked_on = waits;
    task_save(step, task);
    reset->differences++;
}

static void ensure_kind(struct step *step, struct reset *reset, const struct task *task)
{
    struct task_body body;
    struct packed_key key;
    if (task_body_load(step, task->number, &body))
        reset_ensure(step, reset, TABLE_TASK_KIND,
                     task_kind_key(step, &key, body.kind, task->number));
}

void reset_task(struct step *step, struct reset *reset, struct slice key,
                struct slice value)
{
    struct task task;
    if (!task_unpack(step, key_number(step, key, 0), value, &task))
        return;
    stats_recount(step, &task);
    ensure_two(step, reset, TABLE_TASK_STATE, task.state, task.number);
    if (task.agent != 0)
        ensure_two(step, reset, TABLE_TASK_AGENT, task.agent, task.number);
    if (task.held)
        ensure_two(step, reset, TABLE_HOLDING, task.agent, task.number);
    if (task.state == TASK_QUEUED)
        ensure_ready(step, reset, &task);
    if (task.has_kind)
        ensure_kind(step, reset, &task);
    if (task_state_is_end(task.state) && retention_is_free(step, &task)) {
        struct number_key finished;
        reset_ensure(step, reset, TABLE_FINISHED, retention_key(&task, &finished));
    }
    ensure_timer(step, reset, CLOCK_FLEET, task.timer_ms, DEADLINE_TASK, task.number);
    ensure_timer(step, reset, CLOCK_WALL, task.wall_timer_ms, DEADLINE_TASK_WALL,
                 task.number);
    if (task.state == TASK_BLOCKED)
        ensure_waits(step, reset, &task);
}

static void ensure_number(struct step *step, struct reset *reset, enum table table,
                          struct slice key, uint64_t number)
{
    uint64_t there = 0;
    if (step_get_number(step, table, key, &there) && there == number)
        return;
    step_put_number(step, table, key, number);
    reset->differences++;
}

static uint32_t held_count(struct step *step, uint64_t agent)
{
    uint32_t count = 0;
    uint64_t task = 0;
    while (agent_next_held(step, agent, task, &task)) {
        count++;
        task++;
    }
    return count;
}

/* Its place in line, and the number of tasks it holds. */
static void ensure_line(struct step *step, struct reset *reset, struct agent *agent)
{
    struct number_key key;
    uint64_t before = reset->differences;
    if (agent->idle)
        reset_ensure(step, reset, TABLE_IDLE,
                     key_three(&key, agent->idle_set, agent->idle_order, agent->number));
    uint32_t held = held_count(step, agent->number);
    bool has_room = agent_has_room(agent);
    if (held != agent->held || agent->idle != has_room) {
        agent->held = held;
        agent_save(step, agent);
        reset->differences++;
    }
    if (reset->differences != before)
        deadline_add_number(step, CLOCK_FLEET, step->command->now_ms, DEADLINE_MATCH,
                            agent->number);
}

void reset_agent(struct step *step, struct reset *reset, struct slice key,
                 struct slice value)
{
    struct agent agent;
    struct number_key number;
    struct agent_profile profile;
    if (!agent_unpack(step, key_number(step, key, 0), value, &agent) ||
        !agent_profile_load(step, agent.number, &profile))
        return;
    ensure_number(step, reset, TABLE_AGENT_ID, profile.id, agent.number);
    if (agent.link != 0) {
        ensure_number(step, reset, TABLE_LINK, key_one(&number, agent.link),
                      agent.number);
        reset_ensure(step, reset, TABLE_CONNECTED, key_one(&number, agent.number));
    }
    ensure_line(step, reset, &agent);
    ensure_timer(step, reset, CLOCK_FLEET, agent.grace_until_ms, DEADLINE_GRACE,
                 agent.number);
}

/* The doors hear of every key; who has which is an index. */
void reset_token(struct step *step, struct reset *reset, struct slice key,
                 struct slice value)
{
    (void)value;
    if (token_rebuild(step, key))
        reset->differences++;
}
