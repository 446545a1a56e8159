#include "core/task_event.h"

#include "core/agent.h"
#include "core/event.h"

void task_event_submitted(struct step *step, const struct task *task,
                          const struct task_body *body)
{
    struct message event = { .type = MESSAGE_EVENT_TASK_SUBMITTED };
    event.as.event_task_submitted = (struct message_event_task_submitted){
        .task_id = task_id(step, task->number),
        .state = task_state_name(task->state),
        .priority = task->lane,
        .submitted_by = body->submitted_by,
        .kind = body->kind,
        .description = body->description,
    };
    event_add(step, &event);
}

void task_event_imported(struct step *step, const struct task *task,
                         struct slice description)
{
    struct message event = { .type = MESSAGE_EVENT_TASK_IMPORTED };
    event.as.event_task_imported = (struct message_event_task_imported){
        .task_id = task_id(step, task->number),
        .state = task_state_name(task->state),
        .generation = (int64_t)task->generation,
        .description = description,
    };
    event_add(step, &event);
}

void task_event_requeued(struct step *step, const struct task *task)
{
    struct message event = { .type = MESSAGE_EVENT_TASK_REQUEUED };
    event.as.event_task_requeued.task_id = task_id(step, task->number);
    event.as.event_task_requeued.generation = (int64_t)task->generation;
    event_add(step, &event);
}

static void add_completed(struct step *step, const struct task *task, struct slice id,
                          struct slice agent)
{
    struct message event = { .type = MESSAGE_EVENT_TASK_COMPLETED };
    event.as.event_task_completed = (struct message_event_task_completed){
        .task_id = id,
        .agent_id = agent,
        .generation = (int64_t)task->generation,
        .tokens_used = task->tokens_used,
        .has_tokens_used = task->has_tokens_used,
    };
    event_add(step, &event);
}

static void add_assigned(struct step *step, const struct task *task, struct slice id,
                         struct slice agent)
{
    struct message event = { .type = MESSAGE_EVENT_TASK_ASSIGNED };
    event.as.event_task_assigned = (struct message_event_task_assigned){
        .task_id = id,
        .agent_id = agent,
        .generation = (int64_t)task->generation,
        .attempt = (int64_t)task->attempts + 1,
    };
    event_add(step, &event);
}

static void add_cancelled(struct step *step, const struct task *task, struct slice id,
                          struct slice agent, struct slice reason)
{
    struct message event = { .type = MESSAGE_EVENT_TASK_CANCELLED };
    event.as.event_task_cancelled = (struct message_event_task_cancelled){
        .task_id = id,
        .agent_id = agent,
        .generation = (int64_t)task->generation,
        .reason = reason,
    };
    event_add(step, &event);
}

/* The three ways in which an attempt ends without a result have the same members. */
static void add_lost(struct step *step, const struct task *task, enum message_type type,
                     struct slice id, struct slice agent, struct slice why)
{
    struct message event = { .type = type };
    int64_t generation = (int64_t)task->generation;
    if (type == MESSAGE_EVENT_TASK_FAILED)
        event.as.event_task_failed =
            (struct message_event_task_failed){ id, agent, generation, task->attempts,
                                                why };
    else if (type == MESSAGE_EVENT_TASK_RECLAIMED)
        event.as.event_task_reclaimed =
            (struct message_event_task_reclaimed){ id, agent, generation, task->attempts,
                                                   why };
    else
        event.as.event_task_dead_letter =
            (struct message_event_task_dead_letter){ id, agent, generation,
                                                     task->attempts, why };
    event_add(step, &event);
}

static void add_accepted(struct step *step, const struct task *task, struct slice id,
                         struct slice agent)
{
    struct message event = { .type = MESSAGE_EVENT_TASK_ACCEPTED };
    event.as.event_task_accepted = (struct message_event_task_accepted){
        .task_id = id, .agent_id = agent, .generation = (int64_t)task->generation
    };
    event_add(step, &event);
}

static void add_blocked(struct step *step, const struct task *task, struct slice id,
                        struct slice agent, struct slice reason)
{
    struct message event = { .type = MESSAGE_EVENT_TASK_AGENT_BLOCKED };
    event.as.event_task_agent_blocked = (struct message_event_task_agent_blocked){
        .task_id = id,
        .agent_id = agent,
        .generation = (int64_t)task->generation,
        .reason = reason,
    };
    event_add(step, &event);
}

static void add_unblocked(struct step *step, const struct task *task, struct slice id,
                          struct slice agent)
{
    struct message event = { .type = MESSAGE_EVENT_TASK_AGENT_UNBLOCKED };
    event.as.event_task_agent_unblocked = (struct message_event_task_agent_unblocked){
        .task_id = id, .agent_id = agent, .generation = (int64_t)task->generation
    };
    event_add(step, &event);
}

static void add_ready(struct step *step, const struct task *task, enum message_type type,
                      struct slice id)
{
    struct message event = { .type = type };
    int64_t generation = (int64_t)task->generation;
    if (type == MESSAGE_EVENT_TASK_QUEUED)
        event.as.event_task_queued = (struct message_event_task_queued){ id, generation };
    else
        event.as.event_task_scheduled =
            (struct message_event_task_scheduled){ id, generation };
    event_add(step, &event);
}

/* Of what an agent reports itself it is the asker; of all else its row knows. */
static struct slice agent_named(struct step *step, enum task_event event, uint64_t agent)
{
    bool reported =
        event == EVENT_ACCEPTED || event == EVENT_COMPLETED || event == EVENT_RETRY;
    if (reported && step->command->role == ROLE_AGENT && !step_is_http(step))
        return step->command->actor;
    return agent_id(step, agent);
}

void task_event_add(struct step *step, const struct task *task, enum task_event event,
                    uint64_t agent, struct slice details)
{
    struct slice id = task_id(step, task->number);
    struct slice who = agent_named(step, event, agent);
    switch (event) {
    case EVENT_QUEUED:
        add_ready(step, task, MESSAGE_EVENT_TASK_QUEUED, id);
        return;
    case EVENT_SCHEDULED:
        add_ready(step, task, MESSAGE_EVENT_TASK_SCHEDULED, id);
        return;
    case EVENT_ASSIGNED:
        add_assigned(step, task, id, who);
        return;
    case EVENT_ACCEPTED:
        add_accepted(step, task, id, who);
        return;
    case EVENT_COMPLETED:
        add_completed(step, task, id, who);
        return;
    case EVENT_RETRY:
        add_lost(step, task, MESSAGE_EVENT_TASK_FAILED, id, who, details);
        return;
    case EVENT_RECLAIMED:
        add_lost(step, task, MESSAGE_EVENT_TASK_RECLAIMED, id, who, details);
        return;
    case EVENT_DEAD_LETTER:
        add_lost(step, task, MESSAGE_EVENT_TASK_DEAD_LETTER, id, who, details);
        return;
    case EVENT_CANCELLED:
        add_cancelled(step, task, id, who, details);
        return;
    case EVENT_AGENT_BLOCKED:
        add_blocked(step, task, id, who, details);
        return;
    case EVENT_AGENT_UNBLOCKED:
        add_unblocked(step, task, id, who);
        return;
    case EVENT_BLOCKED: /* a task begins so, which task_submitted says */
    case EVENT_COUNT:
        return;
    }
}
