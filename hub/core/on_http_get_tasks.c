#include "core/agent.h"
#include "core/handlers.h"
#include "core/list.h"

static void answer_page(struct step *step, const struct list_page *page)
{
    struct message answer = { .type = MESSAGE_GET_TASKS_ANSWER };
    answer.as.get_tasks_answer = (struct message_get_tasks_answer){
        .tasks = page->tasks,
        .count = (int64_t)page->tasks.count,
        .cursor = list_cursor(step, page),
    };
    step_answer(step, &answer, 0);
}

/* v1.1's "assigned" is ours and "working" together. */
static uint32_t states_of(enum task_state state)
{
    uint32_t states = 1u << state;
    return state == TASK_ASSIGNED ? states | 1u << TASK_WORKING : states;
}

/* False: the asker has been refused. The door has checked the words already. */
static bool filter_make(struct step *step, const struct message_get_tasks *message,
                        struct list_filter *ret_filter)
{
    struct list_filter filter = {
        .has_states = slice_is_present(message->status),
        .has_lane = slice_is_present(message->priority),
        .limit = list_limit(message->has_limit, message->limit),
    };
    enum task_state state = TASK_QUEUED;

    if (filter.has_states && !task_state_parse(message->status, &state)) {
        step_refuse_field(step, SLICE_OF("status"), SLICE_OF("invalid_value"),
                          SLICE_OF("not a state of a task"));
        return false;
    }
    if (filter.has_lane && !lane_parse(message->priority, &filter.lane)) {
        step_refuse_field(step, SLICE_OF("priority"), SLICE_OF("invalid_value"),
                          SLICE_OF("not a lane"));
        return false;
    }
    filter.states = states_of(state);
    if (!list_cursor_parse(step, message->cursor, &filter.after))
        return false;
    *ret_filter = filter;
    return true;
}

void on_get_tasks(struct step *step, const struct message_get_tasks *message)
{
    struct list_filter filter;
    struct list_page page = { 0 };

    if (!filter_make(step, message, &filter))
        return;
    filter.has_agent = slice_is_present(message->assigned_to);
    if (filter.has_agent && !agent_number(step, message->assigned_to, &filter.agent)) {
        /* Nobody of that name was ever here, so nothing is assigned to it. */
        page.tasks.items = step_take(step, 1);
        answer_page(step, &page);
        return;
    }
    list_tasks(step, &filter, &page);
    answer_page(step, &page);
}
