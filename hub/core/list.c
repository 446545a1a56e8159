#include "core/list.h"

#include "core/task_view.h"

size_t list_limit(bool has_limit, int64_t limit)
{
    if (!has_limit || limit < 1)
        return LIST_LIMIT_DEFAULT;
    return limit > LIST_LIMIT_MAX ? LIST_LIMIT_MAX : (size_t)limit;
}

bool list_cursor_parse(struct step *step, struct slice cursor, uint64_t *ret_after)
{
    *ret_after = 0;
    if (!slice_is_present(cursor) || task_number(step, cursor, ret_after))
        return true;
    step_refuse_field(step, SLICE_OF("cursor"), SLICE_OF("invalid_value"),
                      SLICE_OF("not a cursor of this list"));
    return false;
}

struct slice list_cursor(struct step *step, const struct list_page *page)
{
    return page->has_more ? task_id(step, page->last) : (struct slice){ 0 };
}

/* The first task from `number` on in an index of two numbers that begins with `first`. */
static bool indexed_from(struct step *step, enum table table, uint64_t first,
                         uint64_t number, uint64_t *ret_number)
{
    struct number_key space;
    struct slice key;
    struct slice value;

    if (!step_first_from(step, table, key_two(&space, first, number), &key, &value) ||
        key_number(step, key, 0) != first)
        return false;
    *ret_number = key_number(step, key, 1);
    return !step_failed(step);
}

/* States have an index each: the nearest task of any of them. */
static bool state_from(struct step *step, uint32_t states, uint64_t number,
                       uint64_t *ret_number)
{
    bool found = false;
    for (unsigned state = 0; state < TASK_STATE_COUNT; state++) {
        uint64_t next;
        if ((states & (1u << state)) == 0 ||
            !indexed_from(step, TABLE_TASK_STATE, state, number, &next))
            continue;
        if (!found || next < *ret_number)
            *ret_number = next;
        found = true;
    }
    return found;
}

/* The next task that may pass, by the narrowest index there is. */
static bool candidate_from(struct step *step, const struct list_filter *filter,
                           uint64_t number, uint64_t *ret_number)
{
    if (filter->has_agent)
        return indexed_from(step, TABLE_TASK_AGENT, filter->agent, number, ret_number);
    if (filter->has_states)
        return state_from(step, filter->states, number, ret_number);

    struct number_key space;
    struct slice key;
    struct slice value;
    if (!step_first_from(step, TABLE_TASK, key_one(&space, number), &key, &value))
        return false;
    *ret_number = key_number(step, key, 0);
    return !step_failed(step);
}

static bool passes(const struct list_filter *filter, const struct task *task)
{
    return (!filter->has_states || (filter->states & (1u << task->state)) != 0) &&
           (!filter->has_lane || filter->lane == task->lane) &&
           (!filter->has_agent || filter->agent == task->agent);
}

/* The next task that passes. False at the end, and past LIST_EXAMINED_MAX: then
 * *cut is set. *last is the last number looked at. */
static bool next_task(struct step *step, const struct list_filter *filter,
                      uint32_t *examined, uint64_t *last, bool *cut,
                      struct task *ret_task)
{
    uint64_t number;
    while (*last < UINT64_MAX && candidate_from(step, filter, *last + 1, &number)) {
        if (*examined == LIST_EXAMINED_MAX) {
            *cut = true;
            return false;
        }
        (*examined)++;
        *last = number;
        if (!task_load(step, number, ret_task)) {
            step_fail(step, ERR_CORRUPT);
            return false;
        }
        if (passes(filter, ret_task))
            return true;
    }
    return false;
}

/* True when the page has no room for the task: it opens the next one. */
static bool page_is_full(struct step *step, const struct list_filter *filter,
                         const struct task *task, size_t *bytes, struct list_page *page)
{
    struct message_task *views = page->tasks.items;
    size_t count = page->tasks.count;

    if (count == filter->limit)
        return true;
    if (!task_view(step, task, &views[count]))
        return true;
    *bytes += task_view_bytes(&views[count]);
    return *bytes > LIST_BYTES_MAX && count > 0;
}

void list_tasks(struct step *step, const struct list_filter *filter,
                struct list_page *ret_page)
{
    struct list_page page = { 0 };
    uint32_t examined = 0;
    uint64_t last = filter->after;
    size_t bytes = 0;
    struct task task;

    page.tasks.items =
        step_take_many(step, filter->limit + 1, sizeof(struct message_task));
    while (page.tasks.items != NULL &&
           next_task(step, filter, &examined, &last, &page.has_more, &task)) {
        if (page_is_full(step, filter, &task, &bytes, &page)) {
            page.has_more = true;
            last = task.number - 1;
            break;
        }
        page.tasks.count++;
    }
    page.last = last;
    *ret_page = page;
}
