/*
 * list.h - one page of the tasks that pass a filter, oldest first.
 *
 * A page ends at its limit, at LIST_BYTES_MAX of text, or when LIST_EXAMINED_MAX tasks
 * have been looked at: then it may be short, even empty, and its cursor goes on. Filters
 * by state or assignee walk an index, so only what another filter drops is in vain.
 */
#ifndef CORE_LIST_H
#define CORE_LIST_H

#include "core/task.h"

enum {
    LIST_LIMIT_DEFAULT = 100,
    LIST_LIMIT_MAX = 1000,
    LIST_EXAMINED_MAX = 10000,
    LIST_BYTES_MAX = 1 << 20,
};

struct list_filter {
    bool has_states;
    uint32_t states; /* bits of enum task_state */
    bool has_lane;
    enum lane lane;
    bool has_agent;
    uint64_t agent; /* its number */
    uint64_t after; /* tasks with a higher number only */
    size_t limit;
};

struct list_page {
    struct message_list tasks; /* of struct message_task */
    bool has_more;
    uint64_t last; /* where the next page goes on */
};

void list_tasks(struct step *step, const struct list_filter *filter,
                struct list_page *ret_page);

/* The cursor a client sent; absent: from the start. False: refused. */
bool list_cursor_parse(struct step *step, struct slice cursor, uint64_t *ret_after);

/* The cursor to hand out; absent at the end. */
struct slice list_cursor(struct step *step, const struct list_page *page);

/* Limits what a client asked for; absent: the default. */
size_t list_limit(bool has_limit, int64_t limit);

#endif
