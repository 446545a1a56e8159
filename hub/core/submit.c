#include "core/submit.h"

#include "core/agent.h"
#include "core/depend.h"
#include "core/hold.h"
#include "core/match.h"
#include "core/payload.h"
#include "core/refuse.h"
#include "core/retention.h"
#include "core/set.h"
#include "core/stats.h"
#include "core/task_event.h"

enum {
    NUMBER_WALL_SHIFT =
        20, /* a task's number: milliseconds, then room for so many bits */
};

static bool fleet_has_room(struct step *step)
{
    struct stats stats;
    stats_load(step, &stats);
    if (stats_open(&stats) < step->settings->tasks_open_max)
        return true;
    step_refuse(step, ERROR_QUEUE_FULL);
    return false;
}

static bool attempts_read(struct step *step, const struct submission *submission,
                          uint32_t *ret_attempts)
{
    *ret_attempts = step->settings->attempts_default;
    if (!submission->has_max_retries)
        return true;
    if (submission->max_retries > (int64_t)step->settings->attempts_max) {
        step_refuse_field(step, SLICE_OF("max_retries"), SLICE_OF("too_large"),
                          SLICE_OF("more attempts than this hub allows"));
        return false;
    }
    *ret_attempts = submission->max_retries < 1 ? 1 : (uint32_t)submission->max_retries;
    return true;
}

static bool lane_read(struct step *step, const struct submission *submission,
                      enum lane *ret_lane)
{
    *ret_lane = LANE_NORMAL;
    if (!slice_is_present(submission->priority) ||
        lane_parse(submission->priority, ret_lane))
        return true;
    step_refuse_field(step, SLICE_OF("priority"), SLICE_OF("wrong_value"),
                      SLICE_OF("one of urgent, high, normal, low"));
    return false;
}

static bool number_is_among(const uint64_t *numbers, size_t count, uint64_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] == number)
            return true;
    }
    return false;
}

/* Reads the ids into body->depends_on, each once, and counts those not completed. */
static bool depends_read(struct step *step, struct slice_list ids, struct task_body *body,
                         uint32_t *ret_open)
{
    static const struct slice field = SLICE("depends_on");
    if (ids.count > TASK_DEPENDS_MAX) {
        step_refuse_field(step, field, SLICE_OF("too_long"),
                          SLICE_OF("too many dependencies"));
        return false;
    }
    body->depends_on = step_take_many(step, ids.count, sizeof *body->depends_on);
    *ret_open = 0;
    for (size_t i = 0; i < ids.count && !step_failed(step); i++) {
        struct task task;
        if (!task_load_id(step, ids.items[i], &task)) {
            step_refuse_item(step, ERROR_UNKNOWN_DEPENDENCY, field,
                             SLICE_OF("unknown_task"), ids.items[i]);
            return false;
        }
        if (task.state == TASK_CANCELLED) {
            step_refuse_item(step, ERROR_VALIDATION_FAILED, field,
                             SLICE_OF("task_cancelled"), ids.items[i]);
            return false;
        }
        if (number_is_among(body->depends_on, body->depends_on_count, task.number))
            continue;
        body->depends_on[body->depends_on_count++] = task.number;
        *ret_open += task.state != TASK_COMPLETED;
    }
    return !step_failed(step);
}

static bool needs_read(struct step *step, struct slice_list needed, uint64_t *ret_set)
{
    struct set set;
    set_make(step, needed, &set);
    if (!set_fits(&set)) {
        step_refuse_field(step, SLICE_OF("needed_capabilities"), SLICE_OF("too_long"),
                          SLICE_OF("their names are too long together"));
        return false;
    }
    if (set_intern_needed(step, &set, ret_set))
        return true;
    if (!step_failed(step))
        step_refuse(step, ERROR_UNAVAILABLE);
    return false;
}

static uint64_t number_next(struct step *step)
{
    uint64_t number = step_counter(step, COUNTER_TASK_LAST) + 1;
    int64_t wall_ms = step->command->wall_ms;
    uint64_t floor = wall_ms > 0 && wall_ms < INT64_MAX >> NUMBER_WALL_SHIFT
                         ? (uint64_t)wall_ms << NUMBER_WALL_SHIFT
                         : 0;
    struct number_key key;
    if (floor < TASK_NUMBER_FIRST)
        floor = TASK_NUMBER_FIRST;
    if (number < floor)
        number = floor;
    while (step_has(step, TABLE_TASK_ALIAS, key_one(&key, number)))
        number++;
    step_counter_put(step, COUNTER_TASK_LAST, number);
    return number;
}

/* Rows in TABLE_WAITER, one for each dependency that is not completed. */
static void waiters_add(struct step *step, uint64_t number, const struct task_body *body)
{
    for (size_t i = 0; i < body->depends_on_count && !step_failed(step); i++) {
        struct task task;
        struct number_key key;
        if (!task_load(step, body->depends_on[i], &task) || task.state == TASK_COMPLETED)
            continue;
        if (task_state_is_end(task.state))
            retention_leave(step, &task);
        step_put_mark(step, TABLE_WAITER, key_two(&key, task.number, number));
    }
}

/* Writes the task in the state it starts in, with that state's event and timer. */
static void task_enter(struct step *step, struct task *task, const struct task_body *body)
{
    static const enum task_event events[TASK_STATE_COUNT] = {
        [TASK_QUEUED] = EVENT_QUEUED,
        [TASK_SCHEDULED] = EVENT_SCHEDULED,
        [TASK_BLOCKED] = EVENT_BLOCKED,
    };
    task->state =
        task->blocked_on > 0 ? TASK_BLOCKED : depend_state_when_free(step, task);
    if (task->state == TASK_SCHEDULED)
        task_wall_timer_set(step, task, task->not_before_ms);
    task_history_put(step, task, events[task->state], 0, (struct slice){ NULL, 0 });
    task_create(step, task, body);
    task_event_submitted(step, task, body);
    if (task->state == TASK_BLOCKED)
        waiters_add(step, task->number, body);
}

bool task_submit(struct step *step, const struct submission *submission,
                 struct task *ret_task)
{
    struct task task = { .progress = PROGRESS_UNKNOWN };
    struct task_body body = {
        .description = submission->description,
        .metadata = submission->metadata,
        .kind = submission->kind,
        .submitted_by = step_actor(step),
        .needed_capabilities = submission->needed_capabilities,
    };
    /* The last of these writes rows: whatever refuses must stand before it. */
    if (!fleet_has_room(step) || !lane_read(step, submission, &task.lane) ||
        !attempts_read(step, submission, &task.attempts_max) ||
        !depends_read(step, submission->depends_on, &body, &task.blocked_on) ||
        !payload_admit(step, submission->kind, submission->metadata) ||
        !needs_read(step, submission->needed_capabilities, &task.set))
        return false;

    task.number = number_next(step);
    task.pin = submission->pin;
    task.not_before_ms = submission->has_not_before ? submission->not_before : 0;
    task.complete_by_ms = submission->has_complete_by ? submission->complete_by : 0;
    task_enter(step, &task, &body);
    if (task.state == TASK_QUEUED) {
        match_task(step, task.number);
        if (!task_load(step, task.number, &task))
            step_fail(step, ERR_CORRUPT);
    }
    *ret_task = task;
    return !step_failed(step);
}
