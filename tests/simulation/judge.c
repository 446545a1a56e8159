#include "simulation/judge.h"

#include "base/ensure.h"
#include "simulation/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is being judged: one change of a task's row by one command. */
struct move {
    struct audit *audit;
    const struct audit_note *note;
    struct audit_task *task;   /* as it stood; its row is the one before */
    const struct task *before; /* NULL: it is new */
    const struct task *after;
};

static void breaks(const struct move *move, const char *text)
{
    char about[128];
    struct slice from =
        move->before == NULL ? SLICE_OF("new") : task_state_name(move->before->state);
    struct slice to = task_state_name(move->after->state);
    (void)snprintf(about, sizeof about, "task %llx: %.*s to %.*s by %.*s",
                   (unsigned long long)move->after->number, (int)from.size, from.data,
                   (int)to.size, to.data, (int)MESSAGE_ROWS[move->note->type].name.size,
                   MESSAGE_ROWS[move->note->type].name.data);
    sim_break(move->audit->sim, text, about);
}

static struct audit_agent *agent_of(struct audit *audit, uint64_t number)
{
    return map_get(audit->agents, slice_make(&number, sizeof number));
}

static void ready_leave(struct audit *audit, struct audit_task *task)
{
    if (task->ready_index == SIZE_MAX)
        return;
    struct audit_task *last = audit->ready[--audit->ready_count];
    audit->ready[task->ready_index] = last;
    last->ready_index = task->ready_index;
    task->ready_index = SIZE_MAX;
}

void audit_ready_enter(struct audit *audit, struct audit_task *task)
{
    if (task->ready_index != SIZE_MAX)
        return;
    if (audit->ready_count == audit->ready_room) {
        audit->ready_room = audit->ready_room == 0 ? 64 : audit->ready_room * 2;
        audit->ready = realloc(audit->ready, audit->ready_room * sizeof(void *));
        ENSURE(audit->ready != NULL);
    }
    task->ready_index = audit->ready_count;
    task->ready_since = audit->judged;
    audit->ready[audit->ready_count++] = task;
}

static bool is_held(const struct task *task)
{
    return task != NULL && task->held;
}

/* P7, P10. */
static void judge_hand_out(const struct move *move)
{
    struct audit *audit = move->audit;
    const struct task *after = move->after;
    const struct audit_agent *agent = agent_of(audit, after->agent);
    audit->hand_outs++;
    if (after->generation != move->before->generation + 1)
        breaks(move, "a hand-out did not raise the generation by one");
    if (agent == NULL || agent->row.link == 0) {
        breaks(move, "a task was handed to nobody");
        return;
    }
    if (!hub_knows_link(&audit->sim->hub, agent->row.link))
        breaks(move, "a task was handed to a connection of an earlier run");
    if ((move->task->needs & ~agent->abilities) != 0)
        breaks(move, "a task was handed to an agent that cannot do it");
    if (agent->held + 1 > agent->row.slots)
        breaks(move, "an agent was handed more than it has slots");
    for (size_t i = 0; i < audit->ready_count; i++) {
        const struct audit_task *other = audit->ready[i];
        if (other->row.lane == after->lane && other->row.number < after->number &&
            other->ready_since < audit->judged && (other->needs & ~agent->abilities) == 0)
            breaks(move, "a task overtook an older one of its lane");
    }
}

/* P16: a tick takes a task from its holder only when something has run out. */
static void judge_taken_back(const struct move *move)
{
    const struct task *before = move->before;
    const struct audit_note *note = move->note;
    const struct audit_agent *agent = agent_of(move->audit, before->agent);
    bool overdue = before->complete_by_ms != 0 && before->complete_by_ms <= note->wall_ms;
    bool lost = agent != NULL && agent->row.link == 0 && agent->row.grace_until_ms != 0 &&
                agent->row.grace_until_ms <= note->now_ms;
    bool expired = before->lease_until_ms <= note->now_ms;
    if (!expired && !overdue && !lost)
        breaks(move, "a task was taken from its holder before its time");
    if (move->task->promised_ms > note->now_ms && !overdue && !lost &&
        before->state == TASK_WORKING)
        breaks(move, "a lease that was renewed ran out early");
}

static bool is_report(enum message_type type)
{
    return type == MESSAGE_TASK_ACCEPTED || type == MESSAGE_TASK_PROGRESS ||
           type == MESSAGE_TASK_COMPLETE || type == MESSAGE_TASK_FAILED ||
           type == MESSAGE_TASK_CANCELLED || type == MESSAGE_LEASE_RENEW ||
           type == MESSAGE_TASK_BLOCKED || type == MESSAGE_TASK_UNBLOCKED;
}

/* P6. */
static void judge_report(const struct move *move)
{
    const struct audit_note *note = move->note;
    const struct task *before = move->before;
    if (before == NULL || !is_report(note->type) || note->named != before->number)
        return;
    bool matched = before->state == TASK_QUEUED && move->after->state == TASK_ASSIGNED;
    bool current =
        !note->has_generation || (uint64_t)note->generation == before->generation;
    /* The agent's own report may have ended its turn; what the queue does then with the
     * same task is not the report's doing. */
    bool own = move->task->judged_in == move->audit->judged;
    if (!current && !matched && !own)
        breaks(move, "a stale report changed its task");
    const struct audit_agent *holder = agent_of(move->audit, before->agent);
    if (before->held && !own && holder != NULL && strcmp(holder->id, note->actor) != 0)
        breaks(move, "a report of somebody who does not hold it changed a task");
}

static void judge_completion(const struct move *move)
{
    const struct audit_note *note = move->note;
    const struct audit_agent *agent = agent_of(move->audit, move->before->agent);
    move->audit->completions++;
    if (move->task->completed)
        breaks(move, "a task was completed twice");
    if (note->type != MESSAGE_TASK_COMPLETE || !is_held(move->before) ||
        note->named != move->before->number ||
        (uint64_t)note->generation != move->before->generation)
        breaks(move, "a task was completed without its holder's current report");
    else if (agent == NULL || strcmp(agent->id, note->actor) != 0)
        breaks(move, "a task was completed by somebody who does not hold it");
    move->task->completed = true;
}

/* P9. */
static void judge_attempts(const struct move *move)
{
    const struct task *before = move->before;
    const struct task *after = move->after;
    bool retried = move->note->type == MESSAGE_POST_TASK_RETRY;
    if (after->attempts > after->attempts_max)
        breaks(move, "a task was tried more often than it may");
    if (after->state == TASK_DEAD_LETTER && after->attempts != after->attempts_max)
        breaks(move, "a dead letter has attempts left");
    if (before == NULL)
        return;
    if (after->attempts != before->attempts && after->attempts != before->attempts + 1 &&
        !(retried && after->attempts == 0))
        breaks(move, "attempts were miscounted");
    if (is_held(before) && !is_held(after) && before->state != TASK_CANCELLED &&
        after->state != TASK_COMPLETED && after->attempts != before->attempts + 1)
        breaks(move, "a lost attempt was not counted");
}

static void judge_states(const struct move *move)
{
    const struct task *before = move->before;
    const struct task *after = move->after;
    if (before == NULL) {
        if (is_held(after) || task_state_is_end(after->state) || after->generation != 0)
            breaks(move, "a task was not new when it came");
        return;
    }
    if (after->generation < before->generation)
        breaks(move, "a generation fell");
    if (before->state == TASK_COMPLETED && after->state != TASK_COMPLETED)
        breaks(move, "a completed task went on");
    if (before->state == TASK_CANCELLED && after->state != TASK_CANCELLED)
        breaks(move, "a cancelled task went on");
    if (before->state == TASK_DEAD_LETTER && after->state != TASK_DEAD_LETTER &&
        move->note->type != MESSAGE_POST_TASK_RETRY)
        breaks(move, "a dead letter rose by itself");
    if (is_held(before) && is_held(after) && before->agent != after->agent)
        breaks(move, "a task went from holder to holder");
    if (is_held(before) && !is_held(after) && !task_state_is_end(after->state) &&
        after->generation <= before->generation)
        breaks(move, "a task came back under the generation of its last holder");
    if (after->held && after->timer_ms == 0)
        breaks(move, "a task is held without a timer");
}

static void judge_move(const struct move *move)
{
    const struct task *before = move->before;
    const struct task *after = move->after;
    judge_states(move);
    judge_attempts(move);
    judge_report(move);
    if (before == NULL)
        return;
    if (after->state == TASK_ASSIGNED && before->state != TASK_ASSIGNED)
        judge_hand_out(move);
    if (after->state == TASK_COMPLETED && before->state != TASK_COMPLETED)
        judge_completion(move);
    if (is_held(before) && !is_held(after) && move->note->type == MESSAGE_TICK)
        judge_taken_back(move);
}

static void held_count(struct audit *audit, const struct task *task, bool more)
{
    if (!is_held(task))
        return;
    struct audit_agent *agent = agent_of(audit, task->agent);
    if (agent == NULL) {
        sim_break(audit->sim, "a task is held by nobody", NULL);
        return;
    }
    agent->held += more ? 1u : UINT32_MAX;
}

static struct step step_for_reading(struct audit *audit, struct effects *effects)
{
    arena_clear(&audit->arena);
    effects_init(effects, &audit->arena);
    return (struct step){ .settings = &audit->sim->plan.settings, .effects = effects };
}

struct audit_task *audit_task_add(struct audit *audit, uint64_t number)
{
    struct audit_task *task = calloc(1, sizeof *task);
    ENSURE(task != NULL);
    task->ready_index = SIZE_MAX;
    ENSURE(map_put(audit->tasks, slice_make(&number, sizeof number), task, NULL) ==
           ERR_OK);
    return task;
}

static void task_forget(struct audit *audit, struct audit_task *task)
{
    uint64_t number = task->row.number;
    if (!task_state_is_end(task->row.state) || task->row.held)
        sim_break(audit->sim, "a task that has not ended was deleted", NULL);
    ready_leave(audit, task);
    free(map_remove(audit->tasks, slice_make(&number, sizeof number)));
}

static uint64_t number_of_key(struct slice key)
{
    uint64_t number = 0;
    for (size_t i = 0; i < key.size; i++)
        number = number << 8 | (uint8_t)key.data[i];
    return number;
}

static void judge_task(struct audit *audit, const struct audit_note *note,
                       const struct disk_change *change)
{
    struct effects effects;
    struct step step = step_for_reading(audit, &effects);
    struct task after;
    uint64_t number = number_of_key(change->key);
    struct audit_task *task = map_get(audit->tasks, slice_make(&number, sizeof number));
    if (!slice_is_present(change->after)) {
        if (task != NULL)
            task_forget(audit, task);
        return;
    }
    if (!task_unpack(&step, number, change->after, &after)) {
        sim_break(audit->sim, "a task's row cannot be read", NULL);
        return;
    }
    bool is_new = task == NULL;
    if (is_new) {
        if (map_get(audit->gone, change->key) != NULL)
            sim_break(audit->sim, "a number that a restore took away was given out again",
                      NULL);
        task = audit_task_add(audit, number);
        task->needs = note->capabilities;
    }
    const struct move move = { audit, note, task, is_new ? NULL : &task->row, &after };
    judge_move(&move);
    if (!is_new) {
        held_count(audit, &task->row, false);
        audit->open -= !task_state_is_end(task->row.state);
        audit->dead -= task->row.state == TASK_DEAD_LETTER;
    }
    held_count(audit, &after, true);
    audit->open += !task_state_is_end(after.state);
    audit->dead += after.state == TASK_DEAD_LETTER;
    task->judged_in = audit->judged;
    /* A word after the promise may promise less: the settings may have changed. */
    if (!after.held || after.lease_until_ms != task->row.lease_until_ms)
        task->promised_ms = 0;
    task->row = after;
    if (after.state == TASK_QUEUED)
        audit_ready_enter(audit, task);
    else
        ready_leave(audit, task);
}

static void judge_agent(struct audit *audit, const struct audit_note *note,
                        const struct disk_change *change)
{
    struct effects effects;
    struct step step = step_for_reading(audit, &effects);
    struct agent row;
    uint64_t number = number_of_key(change->key);
    struct audit_agent *agent = agent_of(audit, number);
    if (!slice_is_present(change->after))
        return;
    if (!agent_unpack(&step, number, change->after, &row)) {
        sim_break(audit->sim, "an agent's row cannot be read", NULL);
        return;
    }
    if (agent == NULL) {
        agent = calloc(1, sizeof *agent);
        ENSURE(agent != NULL);
        memcpy(agent->id, note->actor, sizeof agent->id);
        ENSURE(map_put(audit->agents, slice_make(&number, sizeof number), agent, NULL) ==
               ERR_OK);
    }
    agent->row = row;
    if (note->type == MESSAGE_IDENTIFY && strcmp(agent->id, note->actor) == 0)
        agent->abilities = note->capabilities;
}

/* P12: new ones at the end, old ones away from the beginning, nothing changed between. */
static void judge_event(struct audit *audit, const struct disk_change *change)
{
    uint64_t number = number_of_key(change->key);
    if (!slice_is_present(change->after)) {
        if (number != audit->event_first)
            sim_break(audit->sim, "an event was taken from the middle of the log", NULL);
        audit->event_first = number + 1;
        return;
    }
    if (slice_is_present(change->before))
        sim_break(audit->sim, "an event was written over", NULL);
    if (audit->event_last != 0 && number != audit->event_last + 1)
        sim_break(audit->sim, "events are not numbered without a gap", NULL);
    if (audit->event_last == 0)
        audit->event_first = number;
    audit->event_last = number;
}

/* Both ways of counting come to the same. */
static void judge_held(struct audit *audit, const struct disk_change *change)
{
    const struct audit_agent *agent = agent_of(audit, number_of_key(change->key));
    if (agent != NULL && agent->row.held != agent->held)
        sim_break(audit->sim, "an agent's slots are miscounted", agent->id);
}

/* Who was there when the hub went down is not there when it is up again. */
static void judge_start(struct audit *audit)
{
    size_t position = 0;
    struct slice key;
    void *value;
    while (map_next(audit->agents, &position, &key, &value)) {
        const struct audit_agent *agent = value;
        if (agent->row.link != 0)
            sim_break(audit->sim, "an agent outlived the hub's run", agent->id);
    }
}

void judge_note(struct audit *audit, const struct audit_note *note)
{
    const struct disk *disk = &audit->sim->disk;
    for (size_t i = note->change_from; i < note->change_to; i++) {
        const struct disk_change *change = &disk->changes[i];
        if (change->table == TABLE_TASK)
            judge_task(audit, note, change);
        else if (change->table == TABLE_EVENT)
            judge_event(audit, change);
        else
            judge_agent(audit, note, change);
    }
    for (size_t i = note->change_from; i < note->change_to; i++) {
        if (disk->changes[i].table == TABLE_AGENT)
            judge_held(audit, &disk->changes[i]);
    }
    if (note->type == MESSAGE_HUB_STARTED)
        judge_start(audit);
    struct audit_task *task =
        map_get(audit->tasks, slice_make(&note->named, sizeof note->named));
    if (task != NULL && note->promised_ms != 0)
        task->promised_ms = note->promised_ms;
}
