#include "core/verify.h"

#include "core/blob.h"
#include "core/deadline.h"
#include "core/retention.h"

static bool has_two(struct verify *verify, enum table table, uint64_t first,
                    uint64_t second)
{
    struct number_key key;
    return step_has(&verify->step, table, key_two(&key, first, second));
}

/* A due time of 0 has no row; any other has exactly its own. */
static void check_timer(struct verify *verify, enum deadline_clock clock,
                        enum deadline_kind kind, const struct task *task, int64_t due_ms)
{
    struct packed_key packed;
    if (due_ms == 0)
        return;
    struct buffer *key = packed_key_start(&packed);
    pack_u8(key, (uint8_t)clock);
    pack_i64(key, due_ms);
    pack_u8(key, (uint8_t)kind);
    pack_u64(key, task->number);
    verify_holds(verify, step_has(&verify->step, TABLE_DEADLINE, buffer_slice(key)),
                 "a task's timer has no deadline");
    verify->deadlines++;
}

static void check_holding(struct verify *verify, const struct task *task)
{
    bool in_hand = task->state == TASK_ASSIGNED || task->state == TASK_WORKING;
    verify_holds(verify, !in_hand || task->held, "a task is at work in nobody's hands");
    verify_holds(verify, !task->held || in_hand || task->state == TASK_CANCELLED,
                 "a task is held in a state that is not");
    verify_holds(verify, !task->held || task->timer_ms != 0,
                 "a task is held without a timer");
    verify_holds(verify, !task->held || task->agent != 0, "a task is held by nobody");
    verify_holds(verify, !task->blocked || (task->held && task->state != TASK_ASSIGNED),
                 "a task's agent is blocked and does not work on it");
    verify_holds(verify,
                 slice_is_present(blob_peek_start(&verify->step, task->number,
                                                  BLOB_TASK_BLOCKED)) == task->blocked,
                 "what a task's agent is blocked by is not there, or is left");
    if (task->agent == 0)
        return;
    verify_holds(verify,
                 has_two(verify, TABLE_HOLDING, task->agent, task->number) == task->held,
                 "holding and its index disagree");
    verify_holds(verify, has_two(verify, TABLE_TASK_AGENT, task->agent, task->number),
                 "an assigned task is not in its agent's index");
}

static void check_waiting(struct verify *verify, const struct task *task)
{
    struct task_body body;
    uint32_t waits = 0;
    if (!task_body_load(&verify->step, task->number, &body)) {
        verify_broken(verify, "a task has no body");
        return;
    }
    verify_holds(verify, slice_is_present(body.kind) == task->has_kind,
                 "a task and its body disagree about its kind");
    verify->tasks_of_kind += task->has_kind;
    for (size_t i = 0; i < body.depends_on_count; i++)
        waits += has_two(verify, TABLE_WAITER, body.depends_on[i], task->number);
    verify_holds(verify, waits == task->blocked_on, "a task waits for another number");
    verify_holds(verify, (task->state == TASK_BLOCKED) == (task->blocked_on > 0),
                 "a task is blocked by nothing, or waits unblocked");
    verify_holds(verify,
                 task->state != TASK_SCHEDULED ||
                     (task->timer_ms != 0) != (task->wall_timer_ms != 0),
                 "a scheduled task has not one timer");
}

static void check_history(struct verify *verify, const struct task *task)
{
    struct task_history history;
    uint32_t position = task->history_next;
    while (task_history_walk(&verify->step, task, &position, &history))
        continue;
    verify_holds(verify, position == task->history_first, "a history has a gap");
}

static void check_finished(struct verify *verify, const struct task *task)
{
    struct number_key key;
    bool free = task_state_is_end(task->state) && retention_is_free(&verify->step, task);
    verify_holds(verify, task->finished_ms == 0 || task_state_is_end(task->state),
                 "a task has an end and goes on");
    verify_holds(verify,
                 step_has(&verify->step, TABLE_FINISHED, retention_key(task, &key)) ==
                     free,
                 "finished tasks and their index disagree");
}

static void task_row(struct verify *verify, struct slice key, struct slice value)
{
    struct task task;
    struct number_key ready;
    if (!verify_key(verify, key, 1) ||
        !task_unpack(&verify->step, key_number(&verify->step, key, 0), value, &task))
        return;
    verify->stats.tasks[task.state][task.lane]++;
    verify->tasks_imported += task.number < TASK_NUMBER_FIRST;
    verify_set_used(verify, task.set);
    verify_holds(verify, (task.set == 0) == task_state_is_end(task.state),
                 "a task's needs are kept too long or too short");
    verify_holds(verify, has_two(verify, TABLE_TASK_STATE, task.state, task.number),
                 "a task is not in its state's index");
    enum table table;
    struct slice ready_key = task_ready_key(&task, &ready, &table);
    verify_holds(verify,
                 step_has(&verify->step, table, ready_key) == (task.state == TASK_QUEUED),
                 "queued tasks and the ready index disagree");
    verify_holds(verify, task.pin <= step_counter(&verify->step, COUNTER_AGENT_LAST),
                 "a task is for an agent that never was");
    verify_holds(verify, task.attempts <= task.attempts_max, "a task had more attempts");
    verify_holds(verify,
                 task.number < TASK_NUMBER_FIRST ||
                     task.number <= step_counter(&verify->step, COUNTER_TASK_LAST),
                 "a task's number was never given out");
    check_holding(verify, &task);
    check_waiting(verify, &task);
    check_history(verify, &task);
    check_finished(verify, &task);
    check_timer(verify, CLOCK_FLEET, DEADLINE_TASK, &task, task.timer_ms);
    check_timer(verify, CLOCK_WALL, DEADLINE_TASK_WALL, &task, task.wall_timer_ms);
}

/* The task a row of an index names last. */
static bool index_task(struct verify *verify, struct slice key, unsigned numbers,
                       struct task *ret_task)
{
    if (!verify_key(verify, key, numbers))
        return false;
    uint64_t number = key_number(&verify->step, key, numbers - 1);
    if (task_load(&verify->step, number, ret_task))
        return true;
    verify_broken(verify, "an index names a task that is not there");
    return false;
}

static void task_state_row(struct verify *verify, struct slice key, struct slice value)
{
    struct task task;
    verify_mark(verify, value);
    if (index_task(verify, key, 2, &task))
        verify_holds(verify, task.state == key_number(&verify->step, key, 0),
                     "the index by state is stale");
}

static void task_agent_row(struct verify *verify, struct slice key, struct slice value)
{
    struct task task;
    verify_mark(verify, value);
    if (index_task(verify, key, 2, &task))
        verify_holds(verify, task.agent == key_number(&verify->step, key, 0),
                     "the index by assignee is stale");
}

static void holding_row(struct verify *verify, struct slice key, struct slice value)
{
    struct task task;
    verify_mark(verify, value);
    if (index_task(verify, key, 2, &task))
        verify_holds(verify, task.held && task.agent == key_number(&verify->step, key, 0),
                     "an agent holds a task that is not held");
}

static void ready_row(struct verify *verify, struct slice key, struct slice value)
{
    struct task task;
    verify_mark(verify, value);
    if (index_task(verify, key, 3, &task))
        verify_holds(verify,
                     task.state == TASK_QUEUED && task.pin == 0 &&
                         task.set == key_number(&verify->step, key, 0) &&
                         task.lane == key_number(&verify->step, key, 1),
                     "the ready index is stale");
}

static void ready_pin_row(struct verify *verify, struct slice key, struct slice value)
{
    struct task task;
    verify_mark(verify, value);
    if (index_task(verify, key, 3, &task))
        verify_holds(verify,
                     task.state == TASK_QUEUED &&
                         task.pin == key_number(&verify->step, key, 0) &&
                         task.lane == key_number(&verify->step, key, 1),
                     "the index of pinned tasks is stale");
}

static void alias_row(struct verify *verify, struct slice key, struct slice value)
{
    struct number_key own;
    uint64_t number = 0;
    uint64_t shown = 0;
    (void)value;
    if (!verify_key(verify, key, 1) ||
        !step_get_number(&verify->step, TABLE_TASK_ALIAS, key, &number))
        return;
    verify_holds(verify,
                 number < TASK_NUMBER_FIRST &&
                     step_has(&verify->step, TABLE_TASK, key_one(&own, number)),
                 "an id shows a task that is not there");
    verify_holds(
        verify,
        step_get_number(&verify->step, TABLE_TASK_SHOWN, key_one(&own, number), &shown) &&
            shown == key_number(&verify->step, key, 0),
        "an imported task and its id disagree");
    verify_holds(verify, number <= step_counter(&verify->step, COUNTER_TASK_IMPORTED),
                 "an imported task's number was never given out");
}

static void shown_row(struct verify *verify, struct slice key, struct slice value)
{
    (void)value;
    verify_key(verify, key, 1);
}

static void waiter_row(struct verify *verify, struct slice key, struct slice value)
{
    struct task task;
    verify_mark(verify, value);
    if (!index_task(verify, key, 2, &task))
        return;
    verify_holds(verify, task.state == TASK_BLOCKED, "a task waits and is not blocked");
    verify_holds(verify,
                 task_load(&verify->step, key_number(&verify->step, key, 0), &task),
                 "a task waits for one that is not there");
}

static void history_row(struct verify *verify, struct slice key, struct slice value)
{
    struct task task;
    (void)value;
    if (!verify_key(verify, key, 2))
        return;
    uint64_t index = key_number(&verify->step, key, 1);
    verify_holds(verify,
                 task_load(&verify->step, key_number(&verify->step, key, 0), &task) &&
                     index >= task.history_first && index < task.history_next,
                 "an event belongs to no history");
}

static void finished_row(struct verify *verify, struct slice key, struct slice value)
{
    struct task task;
    verify_mark(verify, value);
    if (index_task(verify, key, 3, &task))
        verify_holds(verify,
                     task.state == key_number(&verify->step, key, 0) &&
                         (uint64_t)task.finished_ms == key_number(&verify->step, key, 1),
                     "the index of finished tasks is stale");
}

static void check_sweep(struct verify *verify)
{
    struct packed_key packed;
    int64_t due_ms = (int64_t)step_counter(&verify->step, COUNTER_RETENTION_MS);
    if (due_ms == 0)
        return;
    struct buffer *key = packed_key_start(&packed);
    pack_u8(key, CLOCK_WALL);
    pack_i64(key, due_ms);
    pack_u8(key, DEADLINE_RETENTION);
    pack_u64(key, 0);
    verify_holds(verify, step_has(&verify->step, TABLE_DEADLINE, buffer_slice(key)),
                 "the next sweep of finished tasks has no deadline");
    verify->deadlines++;
}

void verify_tasks(struct verify *verify)
{
    struct stats stats;
    verify_walk(verify, TABLE_TASK, task_row);
    stats_load(&verify->step, &stats);
    for (int state = 0; state < TASK_STATE_COUNT; state++) {
        for (int lane = 0; lane < LANE_COUNT; lane++)
            verify_holds(verify,
                         stats.tasks[state][lane] == verify->stats.tasks[state][lane],
                         "the counts of tasks are wrong");
    }
    verify_walk(verify, TABLE_TASK_STATE, task_state_row);
    verify_walk(verify, TABLE_TASK_AGENT, task_agent_row);
    verify_walk(verify, TABLE_HOLDING, holding_row);
    verify_walk(verify, TABLE_READY, ready_row);
    verify_walk(verify, TABLE_READY_PIN, ready_pin_row);
    uint64_t aliases = verify_walk(verify, TABLE_TASK_ALIAS, alias_row);
    uint64_t shown = verify_walk(verify, TABLE_TASK_SHOWN, shown_row);
    verify_holds(verify, aliases == shown && shown == verify->tasks_imported,
                 "an imported task has not one id");
    verify_walk(verify, TABLE_WAITER, waiter_row);
    verify_walk(verify, TABLE_HISTORY, history_row);
    verify_walk(verify, TABLE_FINISHED, finished_row);
    check_sweep(verify);
}
