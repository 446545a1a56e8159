/*
 * agent_view.h - agents as operators and other agents see them, in pages.
 */
#ifndef CORE_AGENT_VIEW_H
#define CORE_AGENT_VIEW_H

#include "core/agent.h"

/* The texts and lists of a view stand in the arena. False: the step has failed. */
bool agent_view(struct step *step, const struct agent *agent,
                struct message_agent_listed *ret_view);
bool agent_state_view(struct step *step, const struct agent *agent,
                      struct message_agent_state *ret_view);

/* What they take on the wire, about. */
size_t agent_view_bytes(const struct message_agent_listed *view);
size_t agent_state_view_bytes(const struct message_agent_state *view);

/* One page of agents, by number. */
struct agent_page {
    bool offline;   /* those who are away as well */
    uint64_t after; /* start behind this one */
    size_t limit;
    size_t count;
    bool has_more;
};

/* The next agent of the page. False at its end. */
bool agent_page_next(struct step *step, struct agent_page *page, struct agent *ret_agent);

/* Room for the views of a page, at least one; NULL when the step has failed. */
void *agent_page_take(struct step *step, const struct agent_page *page, size_t bytes);

/* The cursor a client sent; absent: from the start. False: refused. */
bool agent_cursor_parse(struct step *step, struct slice cursor, uint64_t *ret_after);

/* The cursor to hand out; absent when there is no more. */
struct slice agent_cursor(struct step *step, const struct agent_page *page);

#endif
