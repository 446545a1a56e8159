#include "core/blob.h"
#include "core/giveback.h"
#include "core/handlers.h"
#include "core/hold.h"
#include "core/presence.h"
#include "core/report.h"

bool report_speaker(struct step *step, struct slice id, bool has_generation,
                    int64_t generation, struct task *task, struct agent *agent)
{
    static const struct slice none = { NULL, 0 };
    if (!presence_asker(step, agent))
        return false;
    if (!task_load_id(step, id, task)) {
        report_refuse(step, none, ERROR_TASK_NOT_FOUND, id, NULL);
        return false;
    }
    enum error_code code = report_check(
        task, agent, has_generation ? (uint64_t)generation : task->generation);
    if (code == ERROR_NONE)
        return true;
    report_refuse(step, none, code, id, task);
    if (code == ERROR_TASK_CANCELLED && task->held)
        hold_tell_to_stop(step, task, agent, SLICE_OF("cancelled"));
    return false;
}

void on_task_accepted(struct step *step, const struct message_task_accepted *message)
{
    struct task task;
    struct agent agent;
    if (!report_speaker(step, message->task_id, message->has_generation,
                        message->generation, &task, &agent))
        return;
    /* Said twice, it starts nothing anew. */
    if (task.state == TASK_ASSIGNED) {
        hold_start(step, &task);
        task_save(step, &task);
    }
    report_acknowledge(step, task.number, task.generation, SLICE_OF("accepted"));
}

void on_task_progress(struct step *step, const struct message_task_progress *message)
{
    struct task task;
    struct agent agent;
    if (!report_speaker(step, message->task_id, message->has_generation,
                        message->generation, &task, &agent))
        return;
    hold_start(step, &task);
    if (message->has_progress)
        task.progress = (uint8_t)message->progress;
    if (slice_is_present(message->note))
        blob_put(step, task.number, BLOB_TASK_NOTE, message->note);
    task_save(step, &task);
}

void on_lease_renew(struct step *step, const struct message_lease_renew *message)
{
    struct task task;
    struct agent agent;
    if (!report_speaker(step, message->task_id, true, message->generation, &task, &agent))
        return;
    hold_start(step, &task);
    task_save(step, &task);

    struct message answer = { .type = MESSAGE_LEASE_RENEWED };
    answer.as.lease_renewed = (struct message_lease_renewed){
        .task_id = task_id(step, task.number),
        .generation = (int64_t)task.generation,
        .lease_ms = step->settings->lease_ms,
    };
    step_answer(step, &answer, 0);
}

static void answer_reassign(struct step *step, struct slice id)
{
    struct message answer = { .type = MESSAGE_TASK_REASSIGN };
    answer.as.task_reassign.task_id = id;
    step_answer(step, &answer, 0);
}

void on_task_recovering(struct step *step, const struct message_task_recovering *message)
{
    struct task task;
    struct agent agent;
    if (!presence_asker(step, &agent))
        return;
    bool known = task_load_id(step, message->task_id, &task);
    bool holds = known && task.held && task.agent == agent.number;
    if (!holds || task.state == TASK_CANCELLED) {
        answer_reassign(step, message->task_id);
        if (holds)
            task_let_go(step, &task, &agent);
        return;
    }
    hold_start(step, &task);
    task_save(step, &task);

    struct message answer = { .type = MESSAGE_TASK_CONTINUE };
    answer.as.task_continue.task_id = task_id(step, task.number);
    answer.as.task_continue.generation = (int64_t)task.generation;
    step_answer(step, &answer, 0);
}

void on_task_cancelled(struct step *step, const struct message_task_cancelled *message)
{
    static const struct slice none = { NULL, 0 };
    struct task task;
    struct agent agent;
    if (!presence_asker(step, &agent))
        return;
    if (!task_load_id(step, message->task_id, &task)) {
        report_refuse(step, none, ERROR_TASK_NOT_FOUND, message->task_id, NULL);
        return;
    }
    enum error_code code = report_check(&task, &agent, (uint64_t)message->generation);
    if (code != ERROR_TASK_CANCELLED) {
        report_refuse(step, none, code == ERROR_NONE ? ERROR_INVALID_STATE : code,
                      message->task_id, &task);
        return;
    }
    report_acknowledge(step, task.number, task.generation, SLICE_OF("cancelled"));
    if (task.held)
        task_let_go(step, &task, &agent);
}
