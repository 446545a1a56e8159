#include "core/task_view.h"

#include "core/agent.h"
#include "core/blob.h"

enum {
    TASK_VIEW_BYTES = 700,    /* names, numbers and punctuation of one task */
    HISTORY_VIEW_BYTES = 120, /* likewise of one event */
};

/* On the wire every character of a text may need an escape; few do. */
static size_t text_bytes(struct slice text)
{
    return text.size + text.size / 8;
}

static struct slice_list depends_view(struct step *step, const struct task_body *body)
{
    struct slice_list list = { 0 };
    /* One more, so that an empty list is there, not absent. */
    list.items = step_take_many(step, body->depends_on_count + 1, sizeof *list.items);
    if (list.items == NULL)
        return list;
    for (size_t i = 0; i < body->depends_on_count; i++)
        list.items[list.count++] = task_id(step, body->depends_on[i]);
    return list;
}

static struct slice_list texts_view(struct step *step, struct slice_list list)
{
    if (list.items == NULL)
        list.items = step_take(step, sizeof *list.items);
    return list;
}

static struct message_list history_view(struct step *step, const struct task *task)
{
    struct message_list list = { 0 };
    size_t room = task->history_next - task->history_first;
    struct message_history_item *items = step_take_many(step, room + 1, sizeof *items);
    struct task_history event;
    uint32_t position = task->history_next;

    list.items = items;
    while (items != NULL && list.count < room &&
           task_history_walk(step, task, &position, &event)) {
        struct message_history_item *item = &items[list.count++];
        item->event = task_event_name(event.event);
        item->timestamp = event.wall_ms;
        item->details = step_copy(step, event.details);
        item->agent_id = agent_id(step, event.agent);
        item->has_generation = true;
        item->generation = (int64_t)event.generation;
    }
    return list;
}

static void body_view(const struct task_body *body, struct step *step,
                      struct message_task *view)
{
    view->description = body->description;
    view->metadata = body->metadata;
    if (!slice_is_present(view->metadata))
        view->metadata = SLICE_OF("{}");
    view->submitted_by = body->submitted_by;
    view->kind = body->kind;
    view->needed_capabilities = texts_view(step, body->needed_capabilities);
    view->depends_on = depends_view(step, body);
}

static void lease_view(const struct step *step, const struct task *task,
                       struct message_task *view)
{
    if (task->state != TASK_ASSIGNED && task->state != TASK_WORKING)
        return;
    /* Kept on the fleet's clock, shown on the wall's. */
    view->has_lease_until = true;
    view->lease_until =
        task->lease_until_ms - step->command->now_ms + step->command->wall_ms;
    if (view->lease_until < 0)
        view->lease_until = 0;
}

static void head_view(struct step *step, const struct task *task,
                      struct message_task *view)
{
    view->id = task_id(step, task->number);
    view->priority = task->lane;
    view->status = task_status_word(task->state);
    view->state = task_state_name(task->state);
    view->assigned_to = agent_id(step, task->agent);
    view->pinned_to = agent_id(step, task->pin);
    view->has_assigned_at = task->agent != 0 && task->assigned_ms != 0;
    view->assigned_at = task->assigned_ms;
    view->generation = (int64_t)task->generation;
    view->retry_count = task->attempts;
    view->max_retries = task->attempts_max;
    view->has_complete_by = task->complete_by_ms != 0;
    view->complete_by = task->complete_by_ms;
    view->has_not_before = task->not_before_ms != 0;
    view->not_before = task->not_before_ms;
    view->has_tokens_used = task->has_tokens_used;
    view->tokens_used = task->tokens_used;
    view->created_at = task->created_ms;
    view->updated_at = task->updated_ms;
    view->has_progress = task->progress != PROGRESS_UNKNOWN;
    view->progress = view->has_progress ? task->progress : 0;
    lease_view(step, task, view);
}

bool task_view(struct step *step, const struct task *task, struct message_task *ret_view)
{
    struct task_body body;
    struct message_task view = { 0 };

    if (!task_body_load(step, task->number, &body)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    head_view(step, task, &view);
    body_view(&body, step, &view);
    view.result = blob_get(step, task->number, BLOB_TASK_RESULT);
    view.last_error = blob_get(step, task->number, BLOB_TASK_ERROR);
    view.progress_note = blob_get(step, task->number, BLOB_TASK_NOTE);
    if (task->blocked)
        view.blocked_reason = blob_get(step, task->number, BLOB_TASK_BLOCKED);
    view.history = history_view(step, task);
    if (step_failed(step))
        return false;
    *ret_view = view;
    return true;
}

size_t task_view_bytes(const struct message_task *view)
{
    size_t bytes = TASK_VIEW_BYTES;

    bytes += text_bytes(view->description) + view->metadata.size + view->result.size;
    bytes += text_bytes(view->last_error) + text_bytes(view->progress_note);
    bytes += text_bytes(view->assigned_to) + text_bytes(view->pinned_to);
    bytes += text_bytes(view->submitted_by) + text_bytes(view->blocked_reason);
    for (size_t i = 0; i < view->needed_capabilities.count; i++)
        bytes += text_bytes(view->needed_capabilities.items[i]) + 3;
    bytes += view->depends_on.count * (TASK_ID_BYTES + 3);

    const struct message_history_item *items = view->history.items;
    for (size_t i = 0; i < view->history.count; i++)
        bytes += HISTORY_VIEW_BYTES + text_bytes(items[i].details) +
                 text_bytes(items[i].agent_id);
    return bytes;
}
