#include "core/retention.h"

#include "core/blob.h"
#include "core/deadline.h"
#include "core/fleet_schema.h"
#include "core/stats.h"

enum {
    ROWS_PER_SWEEP = 256, /* the last task goes whole */
    TASKS_PER_SWEEP = 64,
    NEXT_SWEEP_MS = 1,
};

static const enum task_state ENDS[] = { TASK_COMPLETED, TASK_CANCELLED,
                                        TASK_DEAD_LETTER };

enum { END_COUNT = sizeof ENDS / sizeof ENDS[0] };

static const int64_t NEVER_MS = INT64_MAX;

static int64_t ttl_ms(const struct step *step, enum task_state state)
{
    const struct core_settings *settings = step->settings;
    if (state == TASK_COMPLETED)
        return settings->completed_ttl_ms;
    return state == TASK_CANCELLED ? settings->cancelled_ttl_ms
                                   : settings->dead_letter_ttl_ms;
}

/* When it is too old; NEVER_MS when it never is. */
static int64_t expiry_ms(const struct step *step, enum task_state state,
                         int64_t finished_ms)
{
    int64_t ttl = ttl_ms(step, state);
    if (ttl <= 0 || finished_ms > NEVER_MS - ttl)
        return NEVER_MS;
    return finished_ms + ttl;
}

static bool are_too_many(struct step *step)
{
    struct stats stats;
    uint64_t count = 0;
    if (step->settings->finished_tasks_max == 0)
        return false;
    stats_load(step, &stats);
    for (size_t i = 0; i < END_COUNT; i++)
        count += stats_of_state(&stats, ENDS[i]);
    return count > step->settings->finished_tasks_max;
}

/* One deadline stands for all: the earliest. */
static void sweep_by(struct step *step, int64_t due_ms)
{
    int64_t armed_ms = (int64_t)step_counter(step, COUNTER_RETENTION_MS);
    if (due_ms == NEVER_MS || (armed_ms != 0 && armed_ms <= due_ms))
        return;
    if (armed_ms != 0)
        deadline_remove_number(step, CLOCK_WALL, armed_ms, DEADLINE_RETENTION, 0);
    if (due_ms < 1)
        due_ms = 1; /* zero says that there is none */
    step_counter_put(step, COUNTER_RETENTION_MS, (uint64_t)due_ms);
    deadline_add_number(step, CLOCK_WALL, due_ms, DEADLINE_RETENTION, 0);
}

struct slice retention_key(const struct task *task, struct number_key *key)
{
    return key_three(key, task->state, (uint64_t)task->finished_ms, task->number);
}

static bool is_waited_for(struct step *step, uint64_t number)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    return step_first_from(step, TABLE_WAITER, key_one(&start, number), &key, &unused) &&
           key_number(step, key, 0) == number;
}

bool retention_is_free(struct step *step, const struct task *task)
{
    return task->finished_ms != 0 && !task->held && !is_waited_for(step, task->number);
}

void retention_settle(struct step *step, const struct task *task)
{
    struct number_key key;
    if (!task_state_is_end(task->state) || !retention_is_free(step, task))
        return;
    step_put_mark(step, TABLE_FINISHED, retention_key(task, &key));
    sweep_by(step, expiry_ms(step, task->state, task->finished_ms));
    if (are_too_many(step))
        sweep_by(step, step->command->wall_ms);
}

void retention_leave(struct step *step, const struct task *task)
{
    struct number_key key;
    if (retention_is_free(step, task))
        step_remove(step, TABLE_FINISHED, retention_key(task, &key));
}

void retention_start(struct step *step)
{
    sweep_by(step, step->command->wall_ms);
}

static bool oldest_of(struct step *step, enum task_state state, int64_t *ret_finished_ms,
                      uint64_t *ret_task)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    if (!step_first_from(step, TABLE_FINISHED, key_one(&start, state), &key, &unused) ||
        key_number(step, key, 0) != state)
        return false;
    *ret_finished_ms = (int64_t)key_number(step, key, 1);
    *ret_task = key_number(step, key, 2);
    return !step_failed(step);
}

/* The task that goes next; false when none has to. */
static bool next_find(struct step *step, uint64_t *ret_task)
{
    int64_t finished_ms;
    int64_t oldest_ms = NEVER_MS;
    uint64_t task;
    uint64_t dead_letter = 0;
    *ret_task = 0;
    for (size_t i = 0; i < END_COUNT; i++) {
        if (!oldest_of(step, ENDS[i], &finished_ms, &task))
            continue;
        if (expiry_ms(step, ENDS[i], finished_ms) <= step->command->wall_ms) {
            *ret_task = task;
            return true;
        }
        if (ENDS[i] == TASK_DEAD_LETTER) {
            dead_letter = task;
        } else if (finished_ms < oldest_ms) {
            oldest_ms = finished_ms;
            *ret_task = task;
        }
    }
    if (*ret_task == 0)
        *ret_task = dead_letter;
    return *ret_task != 0 && are_too_many(step);
}

static void history_remove(struct step *step, const struct task *task)
{
    struct number_key key;
    for (uint32_t i = task->history_first; i < task->history_next && !step_failed(step);
         i++)
        step_remove(step, TABLE_HISTORY, key_two(&key, task->number, i));
}

static void task_remove(struct step *step, uint64_t number)
{
    static const enum blob_kind kinds[] = { BLOB_TASK_BODY, BLOB_TASK_RESULT,
                                            BLOB_TASK_ERROR, BLOB_TASK_NOTE,
                                            BLOB_TASK_WAITS };
    struct task task;
    struct task_body body;
    struct number_key key;
    struct packed_key kind_key;
    if (!task_load(step, number, &task) || !task_state_is_end(task.state) ||
        (task.has_kind && !task_body_load(step, number, &body))) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    step_remove(step, TABLE_FINISHED, retention_key(&task, &key));
    step_remove(step, TABLE_TASK_STATE, key_two(&key, task.state, number));
    if (task.has_kind)
        step_remove(step, TABLE_TASK_KIND,
                    task_kind_key(step, &kind_key, body.kind, number));
    task_set_agent(step, &task, 0);
    history_remove(step, &task);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        blob_remove(step, number, kinds[i]);
    stats_remove(step, &task);
    task_number_forget(step, number);
    step_remove(step, TABLE_TASK, key_one(&key, number));
}

/* When the next one will be too old. */
static int64_t next_ms(struct step *step)
{
    int64_t due_ms = NEVER_MS;
    for (size_t i = 0; i < END_COUNT; i++) {
        int64_t finished_ms;
        uint64_t task;
        if (!oldest_of(step, ENDS[i], &finished_ms, &task))
            continue;
        int64_t expires_ms = expiry_ms(step, ENDS[i], finished_ms);
        if (expires_ms < due_ms)
            due_ms = expires_ms;
    }
    return due_ms;
}

void retention_sweep(struct step *step, int64_t due_ms)
{
    uint64_t task;
    uint32_t before = step->changes;
    if ((int64_t)step_counter(step, COUNTER_RETENTION_MS) != due_ms) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    step_counter_put(step, COUNTER_RETENTION_MS, 0);
    for (int i = 0; i < TASKS_PER_SWEEP && step->changes - before < ROWS_PER_SWEEP; i++) {
        if (!next_find(step, &task)) {
            sweep_by(step, next_ms(step));
            return;
        }
        task_remove(step, task);
        if (step_failed(step))
            return;
    }
    sweep_by(step, step->command->wall_ms + NEXT_SWEEP_MS);
}
