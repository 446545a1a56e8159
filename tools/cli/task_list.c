#include "cli/command.h"
#include "cli/screen.h"

#include <stdio.h>

enum { COLUMNS = 6, PATH_BYTES_MAX = 8192, PAGES_MAX = 100000, PAGE_OF_ALL = 1000 };

static void query_append(struct buffer *path, char *mark, const char *name,
                         struct slice value)
{
    if (!slice_is_present(value))
        return;
    buffer_append_byte(path, *mark);
    *mark = '&';
    buffer_append_text(path, name);
    buffer_append_byte(path, '=');
    url_append(path, value);
}

/* `cursor` absent: the first page, or the one asked for. */
static void path_make(const struct invocation *invocation, struct slice cursor,
                      struct buffer *path)
{
    char mark = '?';
    const char *limit = given_value(invocation, "--limit");
    if (limit == NULL && given_has(invocation, "--all"))
        limit = "1000";
    if (!slice_is_present(cursor))
        cursor = slice_from_text(given_value(invocation, "--cursor"));
    buffer_clear(path);
    buffer_append_text(path, "/api/tasks");
    query_append(path, &mark, "status",
                 slice_from_text(given_value(invocation, "--status")));
    query_append(path, &mark, "priority",
                 slice_from_text(given_value(invocation, "--priority")));
    query_append(path, &mark, "assigned_to",
                 slice_from_text(given_value(invocation, "--assigned-to")));
    query_append(path, &mark, "limit", slice_from_text(limit));
    query_append(path, &mark, "cursor", cursor);
    buffer_append_byte(path, '\0');
}

static void head_add(struct table *table)
{
    static const char *const HEADS[COLUMNS] = { "TASK",  "STATE",   "LANE",
                                                "AGENT", "CREATED", "DESCRIPTION" };
    for (size_t i = 0; i < COLUMNS; i++)
        table_cell_text(table, HEADS[i]);
}

static void tasks_add(const struct answer *answer, struct table *table)
{
    const struct json_node *tasks = member_of(answer, answer->root, "tasks");
    if (tasks == NULL || tasks->kind != JSON_ARRAY)
        return;
    for (const struct json_node *task = json_child(answer->tape, tasks); task != NULL;
         task = json_after(answer->tape, tasks, task)) {
        struct slice state = member_text(answer, task, "state");
        table_cell(table, member_text(answer, task, "id"));
        table_cell(table, state.size > 0 ? state : member_text(answer, task, "status"));
        table_cell_text(table, priority_name(member_number(answer, task, "priority")));
        table_cell(table, member_text(answer, task, "assigned_to"));
        table_cell_time(table, member_number(answer, task, "created_at"));
        table_cell(table, member_text(answer, task, "description"));
    }
}

/* One page, into the table or out as it is; *cursor is where the next one begins. */
static enum outcome page_show(struct invocation *invocation, const struct buffer *path,
                              struct table *table, struct buffer *cursor)
{
    struct answer answer =
        client_call(invocation->client, "GET", path->data, slice_from_text(NULL), NULL);
    if (answer.outcome != OUTCOME_OK)
        return answer_tell(invocation, &answer);
    if (invocation->json)
        (void)answer_print(&answer);
    else
        tasks_add(&answer, table);
    buffer_clear(cursor);
    buffer_append_slice(cursor, member_text(&answer, answer.root, "cursor"));
    return OUTCOME_OK;
}

static enum outcome pages_show(struct invocation *invocation, struct table *table,
                               struct buffer *path, struct buffer *cursor)
{
    path_make(invocation, slice_from_text(NULL), path);
    for (int page = 0; page < PAGES_MAX; page++) {
        if (buffer_failed(path))
            return complain(OUTCOME_USAGE, "the filters are too long");
        enum outcome outcome = page_show(invocation, path, table, cursor);
        if (outcome != OUTCOME_OK || cursor->size == 0 || !given_has(invocation, "--all"))
            return outcome;
        path_make(invocation, buffer_slice(cursor), path);
    }
    return OUTCOME_OK;
}

enum outcome task_list_run(struct invocation *invocation)
{
    struct table table;
    struct buffer path;
    struct buffer cursor;
    table_init(&table, COLUMNS);
    buffer_init(&path, PATH_BYTES_MAX);
    buffer_init(&cursor, 1024);
    head_add(&table);
    enum outcome outcome = pages_show(invocation, &table, &path, &cursor);
    if (outcome == OUTCOME_OK && !invocation->json) {
        if (!table_show(&table, ""))
            outcome = complain(OUTCOME_FAILED, "the list cannot be shown");
        if (cursor.size > 0)
            (void)fprintf(stderr, "drover: there is more: --cursor %.*s, or --all\n",
                          (int)cursor.size, cursor.data);
    }
    buffer_finish(&cursor);
    buffer_finish(&path);
    table_finish(&table);
    return outcome;
}
