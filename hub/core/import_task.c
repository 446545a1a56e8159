#include "core/import.h"

#include "core/agent.h"
#include "core/blob.h"
#include "core/match.h"
#include "core/retention.h"
#include "core/set.h"
#include "core/stats.h"
#include "core/task_event.h"

enum {
    ATTEMPTS_MAX = 1000000,
};

static bool state_of(struct slice status, enum task_state *ret_state)
{
    static const struct {
        struct slice word;
        enum task_state state;
    } STATES[] = {
        { SLICE("queued"), TASK_QUEUED },
        { SLICE("assigned"), TASK_QUEUED }, /* its agent is not ours: handed out anew */
        { SLICE("completed"), TASK_COMPLETED },
        { SLICE("dead_letter"), TASK_DEAD_LETTER },
    };
    for (size_t i = 0; i < sizeof STATES / sizeof STATES[0]; i++) {
        if (!slice_equal(status, STATES[i].word))
            continue;
        *ret_state = STATES[i].state;
        return true;
    }
    return false;
}

static bool event_of(struct slice word, enum task_event *ret_event)
{
    for (int event = EVENT_QUEUED; event < EVENT_COUNT; event++) {
        if (!slice_equal(task_event_name((enum task_event)event), word))
            continue;
        *ret_event = (enum task_event)event;
        return true;
    }
    return false;
}

/* Events come newest first and are written as they happened. */
static void history_take(struct step *step, struct task *task,
                         const struct message_list *history)
{
    const struct message_import_event *items = history->items;
    const struct command *now = step->command;
    struct command then = *now;
    step->command = &then;
    for (size_t i = history->count; i > 0 && !step_failed(step); i--) {
        enum task_event event;
        if (!event_of(items[i - 1].event, &event))
            continue;
        then.wall_ms = items[i - 1].timestamp;
        task_history_put(step, task, event, 0, items[i - 1].details);
    }
    step->command = now;
}

/* The agent that did the task may never come here; its name is kept with it. */
static uint64_t agent_of(struct step *step, struct slice id)
{
    struct agent agent;
    uint64_t number;
    struct agent_profile profile = { .id = id, .name = id, .status = SLICE("offline") };
    if (id.size == 0 || id.size > AGENT_ID_BYTES_MAX)
        return 0;
    if (agent_number(step, id, &number))
        return number;
    agent_create(step, id, &agent);
    agent_profile_save(step, agent.number, &profile);
    agent_save(step, &agent);
    return agent.number;
}

static uint32_t attempts_of(int64_t attempts)
{
    return attempts < 0 ? 0 : attempts > ATTEMPTS_MAX ? ATTEMPTS_MAX : (uint32_t)attempts;
}

static enum import_outcome needs_take(struct step *step,
                                      const struct message_import_task *message,
                                      struct task *task)
{
    struct set set;
    struct stats stats;
    if (task_state_is_end(task->state))
        return IMPORT_DONE;
    stats_load(step, &stats);
    set_make(step, message->needed_capabilities, &set);
    if (!set_fits(&set))
        return IMPORT_INVALID;
    if (stats_open(&stats) >= step->settings->tasks_open_max ||
        !set_intern_needed(step, &set, &task->set))
        return IMPORT_NO_ROOM;
    return IMPORT_DONE;
}

static void head_fill(const struct step *step, const struct message_import_task *message,
                      struct task *task)
{
    task->lane = message->has_priority ? (enum lane)message->priority : LANE_NORMAL;
    task->progress = PROGRESS_UNKNOWN;
    task->generation = (uint64_t)message->generation;
    task->attempts = attempts_of(message->retry_count);
    task->attempts_max = message->has_max_retries ? attempts_of(message->max_retries)
                                                  : step->settings->attempts_default;
    if (task->attempts_max == 0)
        task->attempts_max = 1;
    if (task->attempts > task->attempts_max)
        task->attempts = task->attempts_max;
    task->complete_by_ms = message->has_complete_by ? message->complete_by : 0;
    task->has_tokens_used = message->has_tokens_used;
    task->tokens_used = message->has_tokens_used ? message->tokens_used : 0;
}

static void imported_write(struct step *step, const struct message_import_task *message,
                           struct task *task)
{
    struct task_body body = {
        .description = message->description,
        .metadata = message->metadata,
        .submitted_by = slice_is_present(message->submitted_by) ? message->submitted_by
                                                                : SLICE_OF("unknown"),
        .needed_capabilities = message->needed_capabilities,
    };
    const struct command *now = step->command;
    struct command then = *now;
    then.wall_ms = message->created_at;
    history_take(step, task, &message->history);
    step->command = &then;
    task_create(step, task, &body);
    step->command = now;

    if (slice_equal_text(message->status, "assigned")) {
        task->generation++;
        task_history_put(step, task, EVENT_RECLAIMED, 0, SLICE_OF("imported"));
    }
    if (task->state == TASK_COMPLETED) {
        task->assigned_ms = message->has_assigned_at ? message->assigned_at : 0;
        task_set_agent(step, task, agent_of(step, message->assigned_to));
    }
    blob_put(step, task->number, BLOB_TASK_RESULT, message->result);
    blob_put(step, task->number, BLOB_TASK_ERROR, message->last_error);
    then.wall_ms = message->has_updated_at ? message->updated_at : message->created_at;
    /* However long ago it ended, it is kept for its whole term here. */
    if (task_state_is_end(task->state))
        task->finished_ms = now->wall_ms < 1 ? 1 : now->wall_ms;
    step->command = &then;
    task_save(step, task);
    step->command = now;
    retention_settle(step, task);
}

enum import_outcome import_task(struct step *step,
                                const struct message_import_task *message)
{
    struct task task = { .number = 0 };
    struct number_key key;
    uint64_t shown;
    if (!task_id_parse(message->id, &shown) || !state_of(message->status, &task.state) ||
        message->priority < 0 || message->priority >= LANE_COUNT)
        return IMPORT_INVALID;
    if (step_has(step, TABLE_TASK_ALIAS, key_one(&key, shown)))
        return IMPORT_PRESENT;
    if (shown >= TASK_NUMBER_FIRST && step_has(step, TABLE_TASK, key_one(&key, shown)))
        return IMPORT_INVALID;
    head_fill(step, message, &task);
    enum import_outcome outcome = needs_take(step, message, &task);
    if (outcome != IMPORT_DONE)
        return outcome;
    task.number = task_number_import(step, shown);
    if (task.number == 0)
        return IMPORT_NO_ROOM;
    imported_write(step, message, &task);
    task_event_imported(step, &task, message->description);
    if (task.state == TASK_QUEUED)
        match_task(step, task.number);
    return IMPORT_DONE;
}
