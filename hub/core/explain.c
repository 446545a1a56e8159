#include "core/explain.h"

#include "core/agent.h"
#include "core/set.h"

/* What is written fits: the schema bounds what the pieces are made of. */
static struct slice words_end(struct step *step, const struct packed *packed)
{
    return step_copy(step, packed_slice(step, &packed->buffer));
}

static struct slice until(struct step *step, const char *words, int64_t wall_ms)
{
    struct packed packed;
    struct buffer *buffer = packed_start(&packed);
    buffer_append_text(buffer, words);
    buffer_append_i64(buffer, wall_ms);
    return words_end(step, &packed);
}

static struct slice scheduled_reason(struct step *step, const struct task *task)
{
    const struct command *command = step->command;
    if (task->wall_timer_ms != 0)
        return until(step, "scheduled until ", task->not_before_ms);
    if (task->timer_ms == 0)
        return SLICE_OF("its time has come");
    /* The delay runs on the fleet's clock; people read the wall's. */
    int64_t wall_ms = task->timer_ms - command->now_ms + command->wall_ms;
    return until(step, "retry delay until ", wall_ms);
}

static struct slice blocked_reason(struct step *step, const struct task *task)
{
    struct task_body body;
    struct packed packed;
    struct buffer *buffer = packed_start(&packed);
    uint32_t named = 0;
    uint32_t waits = 0;

    if (!task_body_load(step, task->number, &body)) {
        step_fail(step, ERR_CORRUPT);
        return (struct slice){ 0 };
    }
    buffer_append_text(buffer, "blocked on ");
    for (size_t i = 0; i < body.depends_on_count; i++) {
        struct task other;
        if (!task_load(step, body.depends_on[i], &other) || other.state == TASK_COMPLETED)
            continue;
        waits++;
        if (named == EXPLAIN_WAITS_MAX)
            continue;
        buffer_append_text(buffer, named > 0 ? ", " : "");
        buffer_append_slice(buffer, task_id(step, other.number));
        if (task_state_is_end(other.state)) {
            buffer_append_text(buffer, " (");
            buffer_append_slice(buffer, task_state_name(other.state));
            buffer_append_text(buffer, ")");
        }
        named++;
    }
    if (waits == 0)
        return SLICE_OF("what it waited for is done");
    if (waits > named) {
        buffer_append_text(buffer, " and ");
        buffer_append_u64(buffer, waits - named);
        buffer_append_text(buffer, " more");
    }
    return words_end(step, &packed);
}

static struct slice missing(struct step *step, struct slice capability)
{
    struct packed packed;
    struct buffer *buffer = packed_start(&packed);
    buffer_append_text(buffer, "missing capability ");
    buffer_append_slice(buffer, capability);
    return words_end(step, &packed);
}

/* What can never change for this connection comes first. Absent: nothing fails. */
static struct slice agent_reason(struct step *step, const struct agent *agent,
                                 const struct set *needed)
{
    struct set offered = { 0 };
    if (agent->set != 0 && !set_load(step, agent->set, &offered)) {
        step_fail(step, ERR_CORRUPT);
        return (struct slice){ 0 };
    }
    struct slice lacks = set_first_missing(&offered, needed);
    if (slice_is_present(lacks))
        return missing(step, lacks);
    if (agent->slots == 0)
        return SLICE_OF("takes no tasks");
    if (agent->unresponsive)
        return SLICE_OF("unresponsive");
    if (agent->limited_until_ms != 0)
        return SLICE_OF("rate limited");
    if (agent->drains != 0)
        return SLICE_OF("draining");
    if (agent->held >= agent->slots)
        return SLICE_OF("busy");
    return (struct slice){ 0 };
}

/* True when an agent could take the task: then it is on its way. */
static bool agents_explain(struct step *step, const struct task *task,
                           struct message_list *list)
{
    struct message_pending_agent *items = list->items;
    struct set needed = { 0 };
    struct agent agent;
    uint64_t position = 0;
    bool free = false;

    if (task->set != 0 && !set_load(step, task->set, &needed)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    while (list->count < EXPLAIN_AGENTS_MAX && !step_failed(step) &&
           agent_next_connected(step, &position, &agent)) {
        struct slice reason = agent_reason(step, &agent, &needed);
        if (!slice_is_present(reason)) {
            reason = SLICE_OF("free");
            free = true;
        }
        items[list->count++] = (struct message_pending_agent){
            .agent_id = agent_id(step, agent.number),
            .reason = reason,
        };
    }
    return free;
}

/* A task that is for one agent waits for that one. */
static struct slice pinned_reason(struct step *step, const struct task *task,
                                  struct message_list *list)
{
    struct message_pending_agent *items = list->items;
    struct set needed = { 0 };
    struct agent agent;
    struct packed packed;
    if (!agent_load(step, task->pin, &agent)) {
        step_fail(step, ERR_CORRUPT);
        return (struct slice){ 0 };
    }
    struct slice id = agent_id(step, agent.number);
    struct slice reason =
        agent.link == 0 ? SLICE_OF("not connected") : agent_reason(step, &agent, &needed);
    if (agent.link != 0)
        items[list->count++] = (struct message_pending_agent){
            .agent_id = id,
            .reason = slice_is_present(reason) ? reason : SLICE_OF("free"),
        };
    if (!slice_is_present(reason))
        return SLICE_OF("about to be handed out");
    struct buffer *buffer = packed_start(&packed);
    buffer_append_text(buffer, "for ");
    buffer_append_slice(buffer, id);
    buffer_append_text(buffer, " alone: ");
    buffer_append_slice(buffer, reason);
    return words_end(step, &packed);
}

static struct slice queued_reason(struct step *step, const struct task *task,
                                  struct message_list *agents)
{
    if (task->pin != 0)
        return pinned_reason(step, task, agents);
    bool free = agents_explain(step, task, agents);
    if (free)
        return SLICE_OF("about to be handed out");
    if (agents->count == 0)
        return SLICE_OF("no agent connected");
    return SLICE_OF("no agent can take it now");
}

static bool task_stands_still(const struct task *task)
{
    return task->state == TASK_QUEUED || task->state == TASK_SCHEDULED ||
           task->state == TASK_BLOCKED || (task->state == TASK_WORKING && task->blocked);
}

struct message_pending *explain_task(struct step *step, const struct task *task)
{
    if (!task_stands_still(task))
        return NULL;

    struct message_pending *pending = step_take(step, sizeof *pending);
    if (pending == NULL)
        return NULL;
    pending->agents.items =
        step_take_many(step, EXPLAIN_AGENTS_MAX, sizeof(struct message_pending_agent));
    if (pending->agents.items == NULL)
        return NULL;

    if (task->state == TASK_SCHEDULED)
        pending->reason = scheduled_reason(step, task);
    else if (task->state == TASK_BLOCKED)
        pending->reason = blocked_reason(step, task);
    else if (task->state == TASK_WORKING)
        pending->reason = SLICE_OF("its agent is blocked");
    else
        pending->reason = queued_reason(step, task, &pending->agents);
    return step_failed(step) ? NULL : pending;
}
