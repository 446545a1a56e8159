#include "core/report.h"

#include "core/blob.h"
#include "core/depend.h"
#include "core/giveback.h"
#include "core/handlers.h"
#include "core/hold.h"
#include "core/match.h"
#include "core/payload.h"
#include "core/presence.h"
#include "core/refuse.h"

void report_acknowledge(struct step *step, uint64_t task, uint64_t generation,
                        struct slice status)
{
    struct message message = { .type = MESSAGE_TASK_ACK };
    message.as.task_ack = (struct message_task_ack){
        .task_id = task_id(step, task),
        .status = status,
        .generation = (int64_t)generation,
        .has_generation = true,
    };
    step_answer(step, &message, 0);
}

enum error_code report_check(const struct task *task, const struct agent *agent,
                             uint64_t generation)
{
    if (generation != task->generation)
        return ERROR_STALE_GENERATION;
    if (task->state == TASK_CANCELLED && task->agent == agent->number)
        return ERROR_TASK_CANCELLED;
    if (!task->held || task->agent != agent->number)
        return ERROR_INVALID_STATE;
    return ERROR_NONE;
}

void report_refuse(struct step *step, struct slice prefix, enum error_code code,
                   struct slice task_id, const struct task *task)
{
    struct refusal refusal = { .code = code, .prefix = prefix, .task_id = task_id };
    if (task != NULL) {
        refusal.has_generation = true;
        refusal.generation = (int64_t)task->generation;
    }
    refuse(step, &refusal);
}

static struct slice outcome_word(enum report_outcome outcome)
{
    static const struct slice words[] = {
        [OUTCOME_NONE] = SLICE(""),
        [OUTCOME_COMPLETE] = SLICE("complete"),
        [OUTCOME_RETRIED] = SLICE("retried"),
        [OUTCOME_DEAD_LETTER] = SLICE("dead_letter"),
    };
    return words[outcome];
}

/*
 * True when the report may be taken. A repeat of the one taken last gets the same answer;
 * a report on a cancelled task says that its agent has stopped; all else is refused.
 */
static bool report_may_be_taken(struct step *step, const struct task_report *report,
                                struct slice prefix, struct slice id, struct task *task,
                                struct agent *agent)
{
    if (!presence_asker(step, agent))
        return false;
    if (!task_load_id(step, id, task)) {
        report_refuse(step, prefix, ERROR_NOT_FOUND, id, NULL);
        return false;
    }
    if (task->report.kind == report->kind && task->report.agent == agent->number &&
        task->report.generation == report->generation) {
        report_acknowledge(step, task->number, report->generation,
                           outcome_word(task->report.outcome));
        return false;
    }
    enum error_code code = report_check(task, agent, report->generation);
    if (code == ERROR_NONE)
        return true;
    report_refuse(step, prefix, code, id, task);
    if (code == ERROR_TASK_CANCELLED && task->held)
        task_let_go(step, task, agent);
    return false;
}

void on_task_complete(struct step *step, const struct message_task_complete *message)
{
    struct task task;
    struct agent agent;
    struct task_report report = { .generation = (uint64_t)message->generation,
                                  .kind = REPORT_COMPLETE,
                                  .outcome = OUTCOME_COMPLETE };
    static const struct slice prefix = SLICE("task_complete_failed");
    if (!report_may_be_taken(step, &report, prefix, message->task_id, &task, &agent) ||
        !result_admit(step, &task, prefix, message->result))
        return;

    report.agent = agent.number;
    task.report = report;
    task.has_tokens_used = message->has_tokens_used;
    task.tokens_used = message->has_tokens_used ? message->tokens_used : 0;
    hold_release(step, &task, &agent);
    blob_put(step, task.number, BLOB_TASK_RESULT, message->result);
    task_move(step, &task, TASK_COMPLETED);
    task_history_add(step, &task, EVENT_COMPLETED, agent.number,
                     (struct slice){ NULL, 0 });
    task_save(step, &task);
    agent_save(step, &agent);

    report_acknowledge(step, task.number, report.generation,
                       outcome_word(report.outcome));
    depend_settle(step, &task);
    match_agent(step, agent.number);
}

static struct slice failure_text(const struct message_task_failed *message)
{
    if (slice_is_present(message->error))
        return message->error;
    return slice_is_present(message->reason) ? message->reason : SLICE_OF("unknown");
}

void on_task_failed(struct step *step, const struct message_task_failed *message)
{
    struct task task;
    struct agent agent;
    struct task_report report = { .generation = (uint64_t)message->generation,
                                  .kind = REPORT_FAILED };
    if (!report_may_be_taken(step, &report, SLICE_OF("task_fail_failed"),
                             message->task_id, &task, &agent))
        return;

    bool is_last = task.attempts + 1 >= task.attempts_max;
    report.agent = agent.number;
    report.outcome = is_last ? OUTCOME_DEAD_LETTER : OUTCOME_RETRIED;
    task.report = report;
    /* Before the next task_assign, so that the agent reads them in this order. */
    report_acknowledge(step, task.number, report.generation,
                       outcome_word(report.outcome));
    task_give_back(step, &task, &agent, EVENT_RETRY, failure_text(message));
}
