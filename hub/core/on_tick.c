#include "core/backup.h"
#include "core/box.h"
#include "core/deadline.h"
#include "core/depend.h"
#include "core/event_log.h"
#include "core/fanout.h"
#include "core/feed.h"
#include "core/giveback.h"
#include "core/handlers.h"
#include "core/hold.h"
#include "core/idempotency.h"
#include "core/match.h"
#include "core/rate.h"
#include "core/reset.h"
#include "core/retention.h"
#include "core/token.h"
#include "core/upkeep.h"

enum {
    DEADLINES_PER_TICK = 256,
    RECLAIMS_PER_DEADLINE = 64,
    CHANGES_PER_TICK = 4096, /* one deadline may change many rows */
};

/* The task a deadline is about and, when it is held, its holder; else nobody. */
static bool subject_load(struct step *step, uint64_t number, struct task *task,
                         struct agent *agent)
{
    *agent = (struct agent){ .number = 0 };
    if (!task_load(step, number, task) ||
        (task->held && !agent_load(step, task->agent, agent))) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return true;
}

/* An agent that let a task run out is left out of the line until it says something: the
 * next in line shall not be the one that has just failed to answer. */
static void reclaim_silent(struct step *step, struct task *task, struct agent *agent,
                           struct slice why)
{
    hold_tell_to_stop(step, task, agent, why);
    agent->unresponsive = agent->link != 0;
    task_give_back(step, task, agent, EVENT_RECLAIMED, why);
}

static void task_timer_fired(struct step *step, uint64_t number, int64_t due_ms)
{
    struct task task;
    struct agent agent;
    if (!subject_load(step, number, &task, &agent))
        return;
    if (task.timer_ms != due_ms) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    task.timer_ms = 0;
    if (task.lease_until_ms > step->command->now_ms) {
        /* Renewed since: the row moves only now. */
        task_timer_set(step, &task, task.lease_until_ms);
        task_save(step, &task);
    } else if (task.state == TASK_ASSIGNED) {
        reclaim_silent(step, &task, &agent, SLICE_OF("acceptance_timeout"));
    } else if (task.state == TASK_WORKING) {
        reclaim_silent(step, &task, &agent, SLICE_OF("lease_expired"));
    } else if (task.state == TASK_CANCELLED && task.held) {
        task_let_go(step, &task, &agent);
    } else if (task.state == TASK_SCHEDULED) {
        task_make_ready(step, &task);
    } else {
        step_fail(step, ERR_CORRUPT);
    }
}

static void wall_timer_fired(struct step *step, uint64_t number, int64_t due_ms)
{
    struct task task;
    struct agent agent;
    if (!subject_load(step, number, &task, &agent))
        return;
    if (task.wall_timer_ms != due_ms) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    task.wall_timer_ms = 0;
    if (task.state == TASK_SCHEDULED) {
        task_make_ready(step, &task);
    } else if (task.state == TASK_ASSIGNED || task.state == TASK_WORKING) {
        task.complete_by_passed = true;
        hold_tell_to_stop(step, &task, &agent, SLICE_OF("overdue"));
        task_give_back(step, &task, &agent, EVENT_RECLAIMED, SLICE_OF("overdue"));
    } else {
        step_fail(step, ERR_CORRUPT);
    }
}

static void reclaim_lost(struct step *step, uint64_t number, struct agent *agent)
{
    struct task task;
    if (!task_load(step, number, &task))
        step_fail(step, ERR_CORRUPT);
    else if (task.state == TASK_CANCELLED)
        task_let_go(step, &task, agent);
    else
        task_give_back(step, &task, agent, EVENT_RECLAIMED, SLICE_OF("agent_disconnect"));
}

static void grace_over(struct step *step, uint64_t number, int64_t due_ms)
{
    struct agent agent;
    uint64_t task;
    if (!agent_load(step, number, &agent) || agent.grace_until_ms != due_ms) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    for (int i = 0; i < RECLAIMS_PER_DEADLINE && agent_first_held(step, &agent, &task);
         i++)
        reclaim_lost(step, task, &agent);
    agent.grace_until_ms = 0;
    if (agent.held > 0) {
        agent.grace_until_ms = step->command->now_ms;
        deadline_add_number(step, CLOCK_FLEET, agent.grace_until_ms, DEADLINE_GRACE,
                            number);
    }
    agent_save(step, &agent);
}

static void waiters_go_on(struct step *step, uint64_t number)
{
    struct task task;
    /* One that is gone had ended well, or nobody waits for it any more. */
    if (!task_load(step, number, &task))
        task = (struct task){ .number = number, .state = TASK_COMPLETED };
    depend_settle(step, &task);
}

/* The agent may have gone again, or accepted all the same; the task may be gone. */
static void resend(struct step *step, uint64_t number)
{
    struct task task;
    struct agent agent;
    if (!task_load(step, number, &task) || task.state != TASK_ASSIGNED)
        return;
    if (!agent_load(step, task.agent, &agent)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    hold_wait_for_acceptance(step, &task);
    task_save(step, &task);
    hold_offer(step, &task, &agent);
}

/* What the hub does for itself. */
static void upkeep_deadline_fire(struct step *step, const struct deadline *deadline,
                                 uint64_t number)
{
    if (deadline->kind == DEADLINE_JOB_WAIT)
        job_wait_over(step, number, deadline->due_ms);
    else if (deadline->kind == DEADLINE_RETENTION)
        retention_sweep(step, deadline->due_ms);
    else
        upkeep_due(step, deadline->kind, deadline->due_ms);
}

static void deadline_fire(struct step *step, const struct deadline *deadline)
{
    if (deadline->kind == DEADLINE_IDEMPOTENCY) {
        idempotency_expire(step, deadline->subject);
        return;
    }
    if (deadline->kind == DEADLINE_TOKEN) {
        token_expire(step, deadline->subject, deadline->due_ms);
        return;
    }
    uint64_t number = key_number(step, deadline->subject, 0);
    switch (deadline->kind) {
    case DEADLINE_TASK:
        task_timer_fired(step, number, deadline->due_ms);
        break;
    case DEADLINE_TASK_WALL:
        wall_timer_fired(step, number, deadline->due_ms);
        break;
    case DEADLINE_GRACE:
        grace_over(step, number, deadline->due_ms);
        break;
    case DEADLINE_MATCH:
        match_agent(step, number);
        break;
    case DEADLINE_WAITERS:
        waiters_go_on(step, number);
        break;
    case DEADLINE_MATCH_TASK:
        match_task(step, number);
        break;
    case DEADLINE_RESEND:
        resend(step, number);
        break;
    case DEADLINE_FANOUT:
        fanout_go_on(step);
        break;
    case DEADLINE_MAIL:
        box_due(step, number, deadline->due_ms);
        break;
    case DEADLINE_MAIL_SWEEP:
        box_sweep(step, number);
        break;
    case DEADLINE_EVENTS:
        event_sweep(step, deadline->due_ms);
        break;
    case DEADLINE_FEED:
        feed_due(step, deadline->due_ms);
        break;
    case DEADLINE_FEED_LINGER:
        feed_linger_over(step, deadline->due_ms);
        break;
    case DEADLINE_RATE:
        rate_hold_over(step, number, deadline->due_ms);
        break;
    case DEADLINE_RESET:
        reset_go_on(step);
        break;
    case DEADLINE_JOB_WAIT:
    case DEADLINE_BACKUP:
    case DEADLINE_COMPACT:
    case DEADLINE_SCRUB:
    case DEADLINE_RETENTION:
        upkeep_deadline_fire(step, deadline, number);
        break;
    case DEADLINE_IDEMPOTENCY:
    case DEADLINE_TOKEN:
    default:
        step_fail(step, ERR_CORRUPT);
    }
}

/* The earliest deadline that is due on either clock. */
static bool deadline_due(struct step *step, struct deadline *ret_deadline)
{
    return (deadline_first(step, CLOCK_FLEET, ret_deadline) &&
            ret_deadline->due_ms <= step->command->now_ms) ||
           (deadline_first(step, CLOCK_WALL, ret_deadline) &&
            ret_deadline->due_ms <= step->command->wall_ms);
}

static bool tick_is_spent(const struct step *step)
{
    return match_is_spent(step) || fanout_is_spent(step) || box_is_spent(step) ||
           step->changes >= CHANGES_PER_TICK;
}

void on_tick(struct step *step, const struct message_tick *message)
{
    (void)message;
    struct deadline deadline;
    /* What a deadline leaves for later is due at once: it would fire in vain again and
     * again when this command may hand out no more. */
    for (int i = 0; i < DEADLINES_PER_TICK && !tick_is_spent(step); i++) {
        if (!deadline_due(step, &deadline))
            return;
        deadline_remove(step, deadline.clock, deadline.due_ms, deadline.kind,
                        deadline.subject);
        deadline_fire(step, &deadline);
    }
    step->effects->more_due = deadline_due(step, &deadline);
}
