#include "core/giveback.h"

#include "core/blob.h"
#include "core/hold.h"
#include "core/match.h"
#include "core/retention.h"
#include "core/task_event.h"

static void bury(struct step *step, struct task *task, enum task_event event,
                 uint64_t agent, struct slice why)
{
    if (event == EVENT_RECLAIMED)
        task_history_add(step, task, EVENT_RECLAIMED, agent, why);
    task_move(step, task, TASK_DEAD_LETTER);
    task_history_add(step, task, EVENT_DEAD_LETTER, agent, why);
}

static void requeue(struct step *step, struct task *task, enum task_event event,
                    uint64_t agent, struct slice why)
{
    int64_t delay_ms = event == EVENT_RETRY ? step->settings->retry_delay_ms : 0;
    task->generation++;
    task_history_add(step, task, event, agent, why);
    if (delay_ms <= 0) {
        task_move(step, task, TASK_QUEUED);
        return;
    }
    task_move(step, task, TASK_SCHEDULED);
    task->lease_until_ms = step->command->now_ms + delay_ms;
    task_timer_set(step, task, task->lease_until_ms);
}

void task_give_back(struct step *step, struct task *task, struct agent *agent,
                    enum task_event event, struct slice why)
{
    hold_release(step, task, agent);
    if (step_failed(step))
        return;

    task->attempts++;
    task_set_agent(step, task, 0);
    blob_put(step, task->number, BLOB_TASK_ERROR, why);
    if (task->attempts >= task->attempts_max)
        bury(step, task, event, agent->number, why);
    else
        requeue(step, task, event, agent->number, why);
    task_save(step, task);
    agent_save(step, agent);

    /* Somebody who has waited longer tries first: whoever could not do it shall not burn
     * its attempts while others stand idle. */
    match_task(step, task->number);
    match_agent(step, agent->number);
}

void task_let_go(struct step *step, struct task *task, struct agent *agent)
{
    hold_release(step, task, agent);
    retention_settle(step, task);
    task_save(step, task);
    agent_save(step, agent);
    match_agent(step, agent->number);
}

void task_make_ready(struct step *step, struct task *task)
{
    static const struct slice none = { NULL, 0 };
    bool revived = task->state == TASK_DEAD_LETTER;
    task_move(step, task, TASK_QUEUED);
    task_history_put(step, task, EVENT_QUEUED, 0, none);
    if (revived)
        task_event_requeued(step, task);
    else
        task_event_add(step, task, EVENT_QUEUED, 0, none);
    task_save(step, task);
    match_task(step, task->number);
}
