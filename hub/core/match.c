#include "core/match.h"

#include "core/blob.h"
#include "core/deadline.h"
#include "core/hold.h"
#include "core/lane.h"
#include "core/set.h"

enum {
    MATCHES_PER_COMMAND_MAX = 64,
    MATCH_BYTES_PER_COMMAND_MAX = 256 * 1024,
    PAUSE_MS = 50,
    LARGE_PER_PAUSE = 2,
};

bool match_is_spent(const struct step *step)
{
    return step->matches >= MATCHES_PER_COMMAND_MAX ||
           step->match_bytes >= MATCH_BYTES_PER_COMMAND_MAX;
}

int64_t match_later_ms(struct step *step)
{
    if (step->match_bytes < MATCH_BYTES_PER_COMMAND_MAX)
        return step->command->now_ms;
    uint32_t pauses = 1 + step->postponed++ / LARGE_PER_PAUSE;
    return step->command->now_ms + (int64_t)pauses * PAUSE_MS;
}

/* The next capability set after `set` with a row in `table` (ready or idle), and the
 * head of its line: one look per set, however long the lines are. */
static bool line_next(struct step *step, enum table table, uint64_t *set,
                      uint64_t *ret_first, uint64_t *ret_second)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    if (*set == UINT64_MAX ||
        !step_first_from(step, table, key_one(&start, *set + 1), &key, &unused))
        return false;
    *set = key_number(step, key, 0);
    *ret_first = key_number(step, key, 1);
    *ret_second = key_number(step, key, 2);
    return !step_failed(step);
}

/* The agent that has waited longest among those that cover the set. */
static bool idle_find(struct step *step, uint64_t needed, uint64_t *ret_agent)
{
    struct slice needed_set = { NULL, 0 };
    uint64_t set = 0;
    uint64_t order;
    uint64_t agent;
    uint64_t best_order = UINT64_MAX;
    *ret_agent = 0;
    while (line_next(step, TABLE_IDLE, &set, &order, &agent)) {
        bool earlier = order < best_order || (order == best_order && agent < *ret_agent);
        if (*ret_agent != 0 && !earlier)
            continue;
        if (set != needed && !slice_is_present(needed_set))
            needed_set = set_packed(step, needed);
        if (set == needed ||
            set_packed_covers(step, blob_peek(step, set, BLOB_SET), needed_set)) {
            best_order = order;
            *ret_agent = agent;
        }
    }
    return *ret_agent != 0 && !step_failed(step);
}

/* The agent a task is pinned to, when it has room. */
static bool pinned_find(struct step *step, const struct task *task, uint64_t *ret_agent)
{
    struct agent agent;
    *ret_agent = task->pin;
    return agent_load(step, task->pin, &agent) && agent.idle;
}

/* The first task pinned to the agent from a lane on, and its lane. */
static bool pin_head(struct step *step, uint64_t agent, uint64_t from_lane,
                     uint64_t *ret_lane, uint64_t *ret_task)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    if (!step_first_from(step, TABLE_READY_PIN, key_three(&start, agent, from_lane, 0),
                         &key, &unused) ||
        key_number(step, key, 0) != agent)
        return false;
    *ret_lane = key_number(step, key, 1);
    *ret_task = key_number(step, key, 2);
    return !step_failed(step);
}

/* The first task in the agent's reach: by lane, then by age. */
static bool ready_find(struct step *step, const struct agent *agent, uint64_t *ret_task)
{
    uint64_t offered = agent->idle_set;
    struct slice offered_set = set_packed(step, offered);
    uint64_t set = 0;
    uint64_t lane;
    uint64_t task;
    uint64_t best_lane = LANE_COUNT;
    *ret_task = 0;
    pin_head(step, agent->number, 0, &best_lane, ret_task);
    while (line_next(step, TABLE_READY, &set, &lane, &task)) {
        bool earlier = lane < best_lane || (lane == best_lane && task < *ret_task);
        if (earlier &&
            (set == offered ||
             set_packed_covers(step, offered_set, blob_peek(step, set, BLOB_SET)))) {
            best_lane = lane;
            *ret_task = task;
        }
    }
    return *ret_task != 0 && !step_failed(step);
}

/* The head of one lane among the tasks that need this set. */
static bool lane_head(struct step *step, uint64_t set, enum lane lane, uint64_t *ret_task)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    if (!step_first_from(step, TABLE_READY, key_three(&start, set, lane, 0), &key,
                         &unused) ||
        key_number(step, key, 0) != set || key_number(step, key, 1) != lane)
        return false;
    *ret_task = key_number(step, key, 2);
    return !step_failed(step);
}

/* The oldest task of one lane in the agent's reach. */
static bool ready_find_in(struct step *step, const struct agent *agent, enum lane lane,
                          uint64_t *ret_task)
{
    uint64_t offered = agent->idle_set;
    struct slice offered_set = set_packed(step, offered);
    uint64_t set = 0;
    uint64_t first_lane;
    uint64_t task;
    if (!pin_head(step, agent->number, lane, &first_lane, ret_task) || first_lane != lane)
        *ret_task = 0;
    while (line_next(step, TABLE_READY, &set, &first_lane, &task)) {
        if (first_lane > lane || !lane_head(step, set, lane, &task))
            continue;
        if ((*ret_task == 0 || task < *ret_task) &&
            (set == offered ||
             set_packed_covers(step, offered_set, blob_peek(step, set, BLOB_SET))))
            *ret_task = task;
    }
    return *ret_task != 0 && !step_failed(step);
}

/* What the agent shall do next. */
static bool next_find(struct step *step, const struct agent *agent, uint64_t *ret_task)
{
    struct lane_turns turns;
    lane_turns_find(step, &turns);
    for (unsigned i = 0; i < turns.count; i++) {
        if (ready_find_in(step, agent, turns.lanes[i], ret_task))
            return true;
    }
    return ready_find(step, agent, ret_task);
}

/* Hands the agent one task. False: it has no room, or nothing is ready for it. */
static bool agent_feed(struct step *step, struct agent *agent)
{
    struct task task;
    uint64_t number;
    if (!agent->idle || !next_find(step, agent, &number))
        return false;
    if (!task_load(step, number, &task) || task.state != TASK_QUEUED) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    lane_count_hand_out(step, task.lane);
    hold_assign(step, &task, agent);
    return !step_failed(step);
}

void match_agent(struct step *step, uint64_t number)
{
    struct agent agent;
    if (!agent_load(step, number, &agent))
        return;
    for (;;) {
        if (agent.idle && match_is_spent(step)) {
            deadline_add_number(step, CLOCK_FLEET, match_later_ms(step), DEADLINE_MATCH,
                                number);
            return;
        }
        if (!agent_feed(step, &agent))
            return;
    }
}

void match_task(struct step *step, uint64_t number)
{
    struct task task;
    struct agent agent;
    uint64_t found;
    /* An agent that still has something older or more urgent in its reach takes that
     * first; then the task looks again. */
    while (task_load(step, number, &task) && task.state == TASK_QUEUED &&
           (task.pin != 0 ? pinned_find(step, &task, &found)
                          : idle_find(step, task.set, &found))) {
        if (match_is_spent(step)) {
            deadline_add_number(step, CLOCK_FLEET, step->command->now_ms,
                                DEADLINE_MATCH_TASK, number);
            return;
        }
        if (!agent_load(step, found, &agent) || !agent_feed(step, &agent)) {
            step_fail(step, ERR_CORRUPT);
            return;
        }
    }
}
