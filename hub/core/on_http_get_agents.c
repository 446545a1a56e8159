#include "core/agent_view.h"
#include "core/handlers.h"

enum {
    AGENTS_LISTED_MAX = 10000,
    AGENTS_BYTES_MAX = 4 << 20,
};

/* False: the asker has been refused. */
static bool page_make(struct step *step, struct slice cursor, bool has_limit,
                      int64_t limit, struct agent_page *ret_page)
{
    *ret_page = (struct agent_page){
        .limit = has_limit ? (size_t)limit : AGENTS_LISTED_MAX,
    };
    return agent_cursor_parse(step, cursor, &ret_page->after);
}

void on_get_agents(struct step *step, const struct message_get_agents *message)
{
    struct message answer = { .type = MESSAGE_GET_AGENTS_ANSWER };
    struct message_list *list = &answer.as.get_agents_answer.agents;
    struct agent_page page;
    struct agent agent;
    size_t bytes = 0;
    if (!page_make(step, message->cursor, message->has_limit, message->limit, &page))
        return;

    struct message_agent_listed *views = agent_page_take(step, &page, sizeof *views);
    while (views != NULL && agent_page_next(step, &page, &agent) &&
           agent_view(step, &agent, &views[list->count])) {
        bytes += agent_view_bytes(&views[list->count++]);
        if (bytes >= AGENTS_BYTES_MAX)
            page.limit = page.count;
    }
    list->items = views;
    answer.as.get_agents_answer.cursor = agent_cursor(step, &page);
    step_answer(step, &answer, 0);
}

void on_get_agent_states(struct step *step,
                         const struct message_get_agent_states *message)
{
    struct message answer = { .type = MESSAGE_GET_AGENT_STATES_ANSWER };
    struct message_list *list = &answer.as.get_agent_states_answer.agents;
    struct agent_page page;
    struct agent agent;
    size_t bytes = 0;
    if (!page_make(step, message->cursor, message->has_limit, message->limit, &page))
        return;

    page.offline = message->has_offline && message->offline;
    struct message_agent_state *views = agent_page_take(step, &page, sizeof *views);
    while (views != NULL && agent_page_next(step, &page, &agent) &&
           agent_state_view(step, &agent, &views[list->count])) {
        bytes += agent_state_view_bytes(&views[list->count++]);
        if (bytes >= AGENTS_BYTES_MAX)
            page.limit = page.count;
    }
    list->items = views;
    answer.as.get_agent_states_answer.cursor = agent_cursor(step, &page);
    step_answer(step, &answer, 0);
}

void on_get_agent_state(struct step *step, const struct message_get_agent_state *message)
{
    struct message answer = { .type = MESSAGE_GET_AGENT_STATE_ANSWER };
    struct agent agent;
    if (!agent_load_id(step, message->agent_id, &agent)) {
        step_refuse(step, ERROR_AGENT_NOT_FOUND);
        return;
    }
    if (!agent_state_view(step, &agent, &answer.as.get_agent_state_answer))
        return;
    step_answer(step, &answer, 0);
}
