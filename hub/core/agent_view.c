#include "core/agent_view.h"

#include "base/hash.h"

enum {
    AGENT_VIEW_BYTES = 320, /* names, numbers and punctuation of one agent */
    FLAGS_MAX = 2,
    NUMBER_BYTES = 8,
};

/* v1.1's word for what it does. */
static struct slice fsm_word(const struct agent *agent, const struct task *current)
{
    if (agent->link == 0)
        return SLICE_OF("offline");
    if (current == NULL)
        return SLICE_OF("idle");
    if (current->state == TASK_ASSIGNED)
        return SLICE_OF("assigned");
    return current->blocked ? SLICE_OF("blocked") : SLICE_OF("working");
}

static struct slice state_word(const struct agent *agent, struct slice fsm_word)
{
    if (agent->unresponsive)
        return SLICE_OF("unresponsive");
    return agent->link != 0 && agent->drains != 0 ? SLICE_OF("draining") : fsm_word;
}

static struct slice_list flag_words(struct step *step, const struct agent *agent)
{
    struct slice_list list = { .items = step_take_many(step, FLAGS_MAX,
                                                       sizeof(struct slice)) };
    if (list.items == NULL)
        return list;
    if (agent->unresponsive)
        list.items[list.count++] = SLICE_OF("unresponsive");
    if (agent->drains != 0)
        list.items[list.count++] = SLICE_OF("draining");
    return list;
}

static size_t texts_bytes(struct slice_list list)
{
    size_t bytes = 0;
    for (size_t i = 0; i < list.count; i++)
        bytes += list.items[i].size + 3;
    return bytes;
}

static bool profile_of(struct step *step, const struct agent *agent,
                       struct agent_profile *ret_profile)
{
    if (!agent_profile_load(step, agent->number, ret_profile)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    /* An empty list is there, not absent. */
    if (ret_profile->capabilities.items == NULL)
        ret_profile->capabilities.items = step_take(step, sizeof(struct slice));
    return !step_failed(step);
}

bool agent_view(struct step *step, const struct agent *agent,
                struct message_agent_listed *ret_view)
{
    struct agent_profile profile;
    struct task task;
    if (!profile_of(step, agent, &profile))
        return false;
    bool busy = agent_current(step, agent, &task);
    struct slice fsm_state = fsm_word(agent, busy ? &task : NULL);
    *ret_view = (struct message_agent_listed){
        .agent_id = profile.id,
        .name = profile.name,
        .status = profile.status,
        .capabilities = profile.capabilities,
        .connected_at = agent->connected_ms,
        .fsm_state = fsm_state,
        .state = state_word(agent, fsm_state),
        .flags = flag_words(step, agent),
        .current_task_id = busy ? task_id(step, task.number) : (struct slice){ 0 },
        .has_tasks_held = true,
        .tasks_held = agent->held,
        .has_max_concurrent = true,
        .max_concurrent = agent->slots,
    };
    return !step_failed(step);
}

/* All that happens to a task in somebody's hands is a change of its holder's state, and
 * stands in the history. */
static int64_t changed_ms(struct step *step, const struct agent *agent,
                          const struct task *current)
{
    struct task_history last;
    uint32_t position = current == NULL ? 0 : current->history_next;
    if (current != NULL && task_history_walk(step, current, &position, &last) &&
        last.wall_ms > agent->changed_ms)
        return last.wall_ms;
    return agent->changed_ms;
}

bool agent_state_view(struct step *step, const struct agent *agent,
                      struct message_agent_state *ret_view)
{
    struct agent_profile profile;
    struct task task;
    if (!profile_of(step, agent, &profile))
        return false;
    bool busy = agent_current(step, agent, &task);
    struct slice fsm_state = fsm_word(agent, busy ? &task : NULL);
    *ret_view = (struct message_agent_state){
        .agent_id = profile.id,
        .name = profile.name,
        .fsm_state = fsm_state,
        .current_task_id = busy ? task_id(step, task.number) : (struct slice){ 0 },
        .capabilities = profile.capabilities,
        .flags = flag_words(step, agent),
        .connected_at = agent->connected_ms,
        .last_state_change = changed_ms(step, agent, busy ? &task : NULL),
        .state = state_word(agent, fsm_state),
        .draining_by_agent = (agent->drains & DRAIN_AGENT) != 0,
        .draining_by_operator = (agent->drains & DRAIN_OPERATOR) != 0,
        .tasks_held = agent->held,
        .max_concurrent = agent->slots,
    };
    return !step_failed(step);
}

size_t agent_view_bytes(const struct message_agent_listed *view)
{
    return AGENT_VIEW_BYTES + view->agent_id.size + view->name.size + view->status.size +
           texts_bytes(view->capabilities);
}

size_t agent_state_view_bytes(const struct message_agent_state *view)
{
    return AGENT_VIEW_BYTES + view->agent_id.size + view->name.size +
           texts_bytes(view->capabilities);
}

/* The first agent behind `after`, of all or of those who are connected. */
static bool agent_behind(struct step *step, bool offline, uint64_t after,
                         uint64_t *ret_number)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    if (after == UINT64_MAX ||
        !step_first_from(step, offline ? TABLE_AGENT : TABLE_CONNECTED,
                         key_one(&start, after + 1), &key, &unused))
        return false;
    *ret_number = key_number(step, key, 0);
    return !step_failed(step);
}

bool agent_page_next(struct step *step, struct agent_page *page, struct agent *ret_agent)
{
    uint64_t number;
    if (!agent_behind(step, page->offline, page->after, &number))
        return false;
    if (page->count == page->limit) {
        page->has_more = true;
        return false;
    }
    if (!agent_load(step, number, ret_agent)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    page->after = number;
    page->count++;
    return true;
}

void *agent_page_take(struct step *step, const struct agent_page *page, size_t bytes)
{
    /* A fleet is often smaller than a page. */
    uint64_t agents =
        page->offline ? step_counter(step, COUNTER_AGENT_LAST) : agents_connected(step);
    size_t room = agents < page->limit ? (size_t)agents : page->limit;
    return step_take_many(step, room + 1, bytes);
}

bool agent_cursor_parse(struct step *step, struct slice cursor, uint64_t *ret_after)
{
    uint8_t bytes[NUMBER_BYTES];
    *ret_after = 0;
    if (!slice_is_present(cursor))
        return true;
    if (cursor.size != 2 * sizeof bytes || !hex_decode(bytes, sizeof bytes, cursor)) {
        step_refuse_field(step, SLICE_OF("cursor"), SLICE_OF("invalid_value"),
                          SLICE_OF("not a cursor of this list"));
        return false;
    }
    *ret_after = get_u64(bytes);
    return true;
}

struct slice agent_cursor(struct step *step, const struct agent_page *page)
{
    uint8_t bytes[NUMBER_BYTES];
    char *text = page->has_more ? step_take(step, 2 * sizeof bytes) : NULL;
    if (text == NULL)
        return (struct slice){ 0 };
    put_u64(bytes, page->after);
    hex_encode(text, bytes, sizeof bytes);
    return slice_make(text, 2 * sizeof bytes);
}
