#include "core/hold.h"

#include "core/activity.h"
#include "core/blob.h"
#include "core/deadline.h"
#include "core/feed.h"

/* Moves one deadline row of a task; *row_ms is where the head remembers it. */
static void timer_move(struct step *step, enum deadline_clock clock,
                       enum deadline_kind kind, uint64_t number, int64_t *row_ms,
                       int64_t due_ms)
{
    if (*row_ms == due_ms)
        return;
    if (*row_ms != 0)
        deadline_remove_number(step, clock, *row_ms, kind, number);
    *row_ms = due_ms;
    if (due_ms != 0)
        deadline_add_number(step, clock, due_ms, kind, number);
}

void task_timer_set(struct step *step, struct task *task, int64_t due_ms)
{
    timer_move(step, CLOCK_FLEET, DEADLINE_TASK, task->number, &task->timer_ms, due_ms);
}

void task_wall_timer_set(struct step *step, struct task *task, int64_t due_ms)
{
    timer_move(step, CLOCK_WALL, DEADLINE_TASK_WALL, task->number, &task->wall_timer_ms,
               due_ms);
}

void hold_wait_for_acceptance(struct step *step, struct task *task)
{
    task->lease_until_ms = step->command->now_ms + step->settings->acceptance_ms;
    task_timer_set(step, task, task->lease_until_ms);
}

void hold_renew(struct step *step, struct task *task)
{
    task->lease_until_ms = step->command->now_ms + step->settings->lease_ms;
}

void hold_start(struct step *step, struct task *task)
{
    activity_touch(step, step_actor(step));
    if (task->state == TASK_ASSIGNED) {
        task_move(step, task, TASK_WORKING);
        feed_touch(step, task->agent);
        task_history_add(step, task, EVENT_ACCEPTED, task->agent,
                         (struct slice){ NULL, 0 });
        hold_renew(step, task);
        task_timer_set(step, task, task->lease_until_ms);
        return;
    }
    hold_renew(step, task);
}

/* What is late already when it is handed out cannot become late in somebody's hands. */
static void overdue_arm(struct step *step, struct task *task)
{
    if (task->complete_by_ms == 0 || task->complete_by_passed)
        return;
    if (task->complete_by_ms <= step->command->wall_ms)
        task->complete_by_passed = true;
    else
        task_wall_timer_set(step, task, task->complete_by_ms);
}

void hold_assign(struct step *step, struct task *task, struct agent *agent)
{
    struct number_key key;
    if (!agent_has_room(agent)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    task_move(step, task, TASK_ASSIGNED);
    task->generation++;
    task->held = true;
    task->progress = PROGRESS_UNKNOWN;
    task->assigned_ms = step->command->wall_ms;
    task_set_agent(step, task, agent->number);
    step_put_mark(step, TABLE_HOLDING, key_two(&key, agent->number, task->number));
    hold_wait_for_acceptance(step, task);
    overdue_arm(step, task);
    task_history_add(step, task, EVENT_ASSIGNED, agent->number,
                     (struct slice){ NULL, 0 });
    task_save(step, task);

    agent_leave_line(step, agent);
    feed_touch(step, agent->number);
    agent->held++;
    agent->changed_ms = step->command->wall_ms;
    agent_save(step, agent);

    step->matches++;
    hold_offer(step, task, agent);
}

void hold_offer(struct step *step, const struct task *task, const struct agent *agent)
{
    struct task_body body;
    if (!task_body_load(step, task->number, &body))
        return;
    step->match_bytes += body.description.size + body.metadata.size;
    struct message message = { .type = MESSAGE_TASK_ASSIGN };
    message.as.task_assign = (struct message_task_assign){
        .task_id = task_id(step, task->number),
        .description = body.description,
        .metadata = slice_is_present(body.metadata) ? body.metadata : SLICE_OF("{}"),
        .generation = (int64_t)task->generation,
        .assigned_at = task->assigned_ms,
        .priority = task->lane,
        .has_priority = true,
        .needed_capabilities = body.needed_capabilities,
        .complete_by = task->complete_by_ms,
        .has_complete_by = task->complete_by_ms != 0,
        .lease_ms = step->settings->lease_ms,
        .has_lease_ms = true,
        .acceptance_ms = step->settings->acceptance_ms,
        .has_acceptance_ms = true,
        .retry_count = task->attempts,
        .has_retry_count = true,
        .max_retries = task->attempts_max,
        .has_max_retries = true,
        .submitted_by = body.submitted_by,
        .kind = body.kind,
    };
    step_send(step, agent->link, &message);
}

void hold_block(struct step *step, struct task *task, struct slice reason)
{
    if (!slice_is_present(reason))
        reason = SLICE_OF("");
    blob_put(step, task->number, BLOB_TASK_BLOCKED, reason);
    if (task->blocked)
        return;
    task->blocked = true;
    feed_touch(step, task->agent);
    task_history_add(step, task, EVENT_AGENT_BLOCKED, task->agent, reason);
}

static void block_forget(struct step *step, struct task *task)
{
    task->blocked = false;
    blob_remove(step, task->number, BLOB_TASK_BLOCKED);
}

void hold_unblock(struct step *step, struct task *task)
{
    if (!task->blocked)
        return;
    block_forget(step, task);
    feed_touch(step, task->agent);
    task_history_add(step, task, EVENT_AGENT_UNBLOCKED, task->agent,
                     (struct slice){ NULL, 0 });
}

void hold_release(struct step *step, struct task *task, struct agent *agent)
{
    struct number_key key;
    if (!task->held || agent->held == 0 || task->agent != agent->number) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    if (agent->link != 0 && agent->link == step->command->origin.link)
        activity_touch(step, step_actor(step));
    step_remove(step, TABLE_HOLDING, key_two(&key, agent->number, task->number));
    task->held = false;
    if (task->blocked)
        block_forget(step, task);
    task_timer_set(step, task, 0);
    task_wall_timer_set(step, task, 0);
    feed_touch(step, agent->number);
    agent->held--;
    agent->changed_ms = step->command->wall_ms;
}

void hold_tell_to_stop(struct step *step, const struct task *task,
                       const struct agent *agent, struct slice reason)
{
    struct message message = { .type = MESSAGE_TASK_CANCEL };
    struct message_task_cancel *cancel = &message.as.task_cancel;
    cancel->task_id = task_id(step, task->number);
    cancel->generation = (int64_t)task->generation;
    cancel->reason = reason;
    step_send(step, agent->link, &message);
}
