#include "core/task_event.h"

enum {
    HISTORY_VERSION = 1,
    DETAILS_BYTES_MAX = 256,
};

static const struct slice EVENTS[EVENT_COUNT] = {
    [EVENT_QUEUED] = SLICE("queued"),
    [EVENT_ASSIGNED] = SLICE("assigned"),
    [EVENT_COMPLETED] = SLICE("completed"),
    [EVENT_RETRY] = SLICE("retry"),
    [EVENT_DEAD_LETTER] = SLICE("dead_letter"),
    [EVENT_RECLAIMED] = SLICE("reclaimed"),
    [EVENT_ACCEPTED] = SLICE("accepted"),
    [EVENT_CANCELLED] = SLICE("cancelled"),
    [EVENT_SCHEDULED] = SLICE("scheduled"),
    [EVENT_BLOCKED] = SLICE("blocked"),
    [EVENT_AGENT_BLOCKED] = SLICE("agent_blocked"),
    [EVENT_AGENT_UNBLOCKED] = SLICE("agent_unblocked"),
};

struct slice task_event_name(enum task_event event)
{
    return EVENTS[event];
}

void task_history_put(struct step *step, struct task *task, enum task_event event,
                      uint64_t agent, struct slice details)
{
    struct packed packed;
    struct number_key key;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, HISTORY_VERSION);
    pack_u8(row, (uint8_t)event);
    pack_i64(row, step->command->wall_ms);
    pack_u64(row, agent);
    pack_u64(row, task->generation);
    pack_slice(row, slice_cut(details, DETAILS_BYTES_MAX));
    step_put(step, TABLE_HISTORY, key_two(&key, task->number, task->history_next),
             packed_slice(step, row));
    task->history_next++;

    uint32_t kept = step->settings->history_max;
    while (task->history_next - task->history_first > kept && !step_failed(step)) {
        step_remove(step, TABLE_HISTORY,
                    key_two(&key, task->number, task->history_first));
        task->history_first++;
    }
}

void task_history_add(struct step *step, struct task *task, enum task_event event,
                      uint64_t agent, struct slice details)
{
    task_history_put(step, task, event, agent, details);
    task_event_add(step, task, event, agent, details);
}

bool task_history_walk(struct step *step, const struct task *task, uint32_t *position,
                       struct task_history *ret_history)
{
    struct number_key key;
    struct slice value;
    if (*position <= task->history_first)
        return false;
    uint32_t index = *position - 1;
    if (!step_get(step, TABLE_HISTORY, key_two(&key, task->number, index), &value)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    struct task_history history = { .index = index };
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    history.event = (enum task_event)unpack_u8(&row);
    history.wall_ms = unpack_i64(&row);
    history.agent = unpack_u64(&row);
    history.generation = unpack_u64(&row);
    history.details = step_copy(step, unpack_slice(&row));
    if (version != HISTORY_VERSION || !unpack_done(&row) || history.event == 0 ||
        history.event >= EVENT_COUNT)
        step_fail(step, ERR_CORRUPT);
    if (step_failed(step))
        return false;
    *position = index;
    *ret_history = history;
    return true;
}
