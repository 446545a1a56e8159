#include "core/depend.h"

#include "core/cancel.h"
#include "core/deadline.h"
#include "core/giveback.h"
#include "core/hold.h"
#include "core/retention.h"

enum {
    WAITERS_PER_BATCH = 32,
};

/* The first task that waits for this one. */
static bool waiter_first(struct step *step, uint64_t number, uint64_t *ret_waiter)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    if (!step_first_from(step, TABLE_WAITER, key_one(&start, number), &key, &unused) ||
        key_number(step, key, 0) != number)
        return false;
    *ret_waiter = key_number(step, key, 1);
    return !step_failed(step);
}

enum task_state depend_state_when_free(const struct step *step, const struct task *task)
{
    return task->not_before_ms > step->command->wall_ms ? TASK_SCHEDULED : TASK_QUEUED;
}

static void waiter_free(struct step *step, struct task *waiter)
{
    if (waiter->blocked_on == 0) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    waiter->blocked_on--;
    if (waiter->blocked_on > 0) {
        task_save(step, waiter);
        return;
    }
    if (depend_state_when_free(step, waiter) == TASK_QUEUED) {
        task_make_ready(step, waiter);
        return;
    }
    task_move(step, waiter, TASK_SCHEDULED);
    task_wall_timer_set(step, waiter, waiter->not_before_ms);
    task_history_add(step, waiter, EVENT_SCHEDULED, 0, (struct slice){ NULL, 0 });
    task_save(step, waiter);
}

static void waiter_tell(struct step *step, const struct task *task, uint64_t number)
{
    struct task waiter;
    struct number_key key;
    if (!task_load(step, number, &waiter) || waiter.state != TASK_BLOCKED) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    if (task->state == TASK_CANCELLED) {
        task_cancel(step, &waiter, SLICE_OF("dependency_cancelled"));
        return;
    }
    step_remove(step, TABLE_WAITER, key_two(&key, task->number, number));
    waiter_free(step, &waiter);
}

static void settle_later(struct step *step, uint64_t number)
{
    deadline_add_number(step, CLOCK_FLEET, step->command->now_ms, DEADLINE_WAITERS,
                        number);
}

void depend_settle(struct step *step, const struct task *task)
{
    uint64_t waiter;
    for (int i = 0; i < WAITERS_PER_BATCH; i++) {
        if (!waiter_first(step, task->number, &waiter)) {
            retention_settle(step, task);
            return;
        }
        waiter_tell(step, task, waiter);
    }
    if (waiter_first(step, task->number, &waiter))
        settle_later(step, task->number);
    else
        retention_settle(step, task);
}

void depend_announce(struct step *step, const struct task *task)
{
    uint64_t waiter;
    if (waiter_first(step, task->number, &waiter))
        settle_later(step, task->number);
}

void depend_forget(struct step *step, const struct task *task)
{
    uint64_t *tasks;
    size_t count;
    struct number_key key;
    if (!task_waits_load(step, task->number, &tasks, &count))
        return;
    for (size_t i = 0; i < count && !step_failed(step); i++) {
        struct task other;
        struct slice row = key_two(&key, tasks[i], task->number);
        if (!step_has(step, TABLE_WAITER, row))
            continue;
        step_remove(step, TABLE_WAITER, row);
        if (task_load(step, tasks[i], &other))
            retention_settle(step, &other);
    }
}
