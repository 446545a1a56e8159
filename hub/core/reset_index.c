/* Index entries, and the heads that stand for them. */
#include "core/reset.h"

#include "core/agent.h"
#include "core/deadline.h"
#include "core/fleet_schema.h"
#include "core/retention.h"
#include "core/token.h"

static bool task_of(struct step *step, struct slice key, unsigned index,
                    struct task *ret_task)
{
    return key.size == 8 * ((size_t)index + 1) &&
           task_load(step, key_number(step, key, index), ret_task);
}

static bool agent_of(struct step *step, struct slice key, unsigned index,
                     struct agent *ret_agent)
{
    return key.size == 8 * ((size_t)index + 1) &&
           agent_load(step, key_number(step, key, index), ret_agent);
}

static bool ready_stands(struct step *step, enum table table, struct slice key)
{
    struct task task;
    struct number_key own;
    enum table own_table;
    if (!task_of(step, key, 2, &task) || task.state != TASK_QUEUED)
        return false;
    struct slice own_key = task_ready_key(&task, &own, &own_table);
    return own_table == table && slice_equal(own_key, key);
}

static bool kind_stands(struct step *step, struct slice key)
{
    enum { TAIL = 9 }; /* a NUL and the task */
    struct task task;
    struct task_body body;
    if (key.size <= TAIL)
        return false;
    uint64_t number = get_u64((const uint8_t *)key.data + key.size - TAIL + 1);
    return task_load(step, number, &task) && task.has_kind &&
           task_body_load(step, number, &body) &&
           slice_equal(body.kind, slice_make(key.data, key.size - TAIL));
}

static bool link_stands(struct step *step, struct slice key)
{
    struct agent agent;
    uint64_t number = 0;
    return key.size == 8 && step_get_number(step, TABLE_LINK, key, &number) &&
           agent_load(step, number, &agent) && agent.link == key_number(step, key, 0);
}

static bool agent_id_stands(struct step *step, struct slice key)
{
    struct agent agent;
    uint64_t number = 0;
    return step_get_number(step, TABLE_AGENT_ID, key, &number) &&
           agent_load(step, number, &agent) && slice_equal(agent_id(step, number), key);
}

static bool idle_stands(struct step *step, struct slice key)
{
    struct agent agent;
    return agent_of(step, key, 2, &agent) && agent.idle &&
           agent.idle_set == key_number(step, key, 0) &&
           agent.idle_order == key_number(step, key, 1);
}

/* Of a head's timers; what else is due goes by itself when it fires. */
static bool deadline_stands(struct step *step, struct slice key)
{
    struct task task;
    struct agent agent;
    struct token token;
    struct unpack unpack = unpack_start(key);
    enum deadline_clock clock = (enum deadline_clock)unpack_u8(&unpack);
    int64_t due_ms = unpack_i64(&unpack);
    enum deadline_kind kind = (enum deadline_kind)unpack_u8(&unpack);
    if (kind == DEADLINE_TASK)
        return clock == CLOCK_FLEET && task_of(step, unpack.rest, 0, &task) &&
               task.timer_ms == due_ms;
    if (kind == DEADLINE_TASK_WALL)
        return clock == CLOCK_WALL && task_of(step, unpack.rest, 0, &task) &&
               task.wall_timer_ms == due_ms;
    if (kind == DEADLINE_GRACE)
        return clock == CLOCK_FLEET && agent_of(step, unpack.rest, 0, &agent) &&
               agent.grace_until_ms == due_ms;
    if (kind == DEADLINE_TOKEN)
        return unpack.rest.size == DIGEST_BYTES &&
               token_load(step, (const uint8_t *)unpack.rest.data, &token) &&
               token.expires_ms == due_ms;
    return true;
}

static bool token_stands(struct step *step, struct slice key)
{
    return key.size > DIGEST_BYTES &&
           step_has(step, TABLE_TOKEN, slice_skip(key, key.size - DIGEST_BYTES));
}

static bool task_index_stands(struct step *step, enum table table, struct slice key)
{
    struct task task;
    if (!task_of(step, key, 1, &task))
        return false;
    uint64_t first = key_number(step, key, 0);
    if (table == TABLE_TASK_STATE)
        return task.state == first;
    if (table == TABLE_WAITER)
        return task.state == TASK_BLOCKED;
    return task.agent == first && (table == TABLE_TASK_AGENT || task.held);
}

static bool finished_stands(struct step *step, struct slice key)
{
    struct task task;
    struct number_key own;
    return task_of(step, key, 2, &task) && task_state_is_end(task.state) &&
           retention_is_free(step, &task) && slice_equal(retention_key(&task, &own), key);
}

bool reset_stands(struct step *step, enum table table, struct slice key)
{
    struct agent agent;
    switch ((int)table) {
    case TABLE_TASK_KIND:
        return kind_stands(step, key);
    case TABLE_READY:
    case TABLE_READY_PIN:
        return ready_stands(step, table, key);
    case TABLE_FINISHED:
        return finished_stands(step, key);
    case TABLE_AGENT_ID:
        return agent_id_stands(step, key);
    case TABLE_CONNECTED:
        return agent_of(step, key, 0, &agent) && agent.link != 0;
    case TABLE_LINK:
        return link_stands(step, key);
    case TABLE_IDLE:
        return idle_stands(step, key);
    case TABLE_TOKEN_AGENT:
        return token_stands(step, key);
    case TABLE_DEADLINE:
        return deadline_stands(step, key);
    default:
        return task_index_stands(step, table, key);
    }
}

static uint64_t rows_count(struct step *step, enum table table)
{
    struct number_key from;
    struct slice key;
    struct slice unused;
    uint64_t count = 0;
    uint64_t next = 0;
    while (step_first_from(step, table, key_one(&from, next), &key, &unused)) {
        count++;
        next = key_number(step, key, 0) + 1;
        if (next == 0)
            break;
    }
    return count;
}

static void count_check(struct step *step, struct reset *reset, enum counter counter,
                        enum table table)
{
    uint64_t count = rows_count(step, table);
    if (step_failed(step) || count == step_counter(step, counter))
        return;
    step_counter_put(step, counter, count);
    reset->differences++;
}

/* As many rows as there are connections, and as there may be sets: bounded by settings. */
void reset_counts(struct step *step, struct reset *reset)
{
    count_check(step, reset, COUNTER_CONNECTED, TABLE_CONNECTED);
    count_check(step, reset, COUNTER_SETS, TABLE_SET);
}
