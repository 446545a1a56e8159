#include "cli/task.h"

#include "cli/screen.h"
#include "os/clock.h"

#include <stdio.h>

#define SHOWN_BYTES_MAX ((size_t)64 * 1024 * 1024)

static void field_label(const char *label, struct buffer *shown)
{
    char left[32];
    (void)snprintf(left, sizeof left, "%-13s", label);
    buffer_append_text(shown, left);
}

static void field_text(const char *label, struct slice text, struct buffer *shown)
{
    if (text.size == 0)
        return;
    field_label(label, shown);
    text_escape(text, true, "             ", shown);
    buffer_append_byte(shown, '\n');
}

static void field_member(const struct answer *answer, const char *label, const char *name,
                         struct buffer *shown)
{
    const struct json_node *member = member_of(answer, answer->root, name);
    if (member == NULL || member->kind == JSON_NULL ||
        ((member->kind == JSON_OBJECT || member->kind == JSON_ARRAY) &&
         member->count == 0))
        return;
    field_text(label, member->kind == JSON_STRING ? member->value.text : member->raw,
               shown);
}

static void field_time(const struct answer *answer, const char *label, const char *name,
                       struct buffer *shown)
{
    int64_t wall_ms = member_number(answer, answer->root, name);
    char text[CLOCK_TEXT_BYTES];
    if (wall_ms <= 0)
        return;
    clock_text(wall_ms, text);
    field_text(label, slice_from_text(text), shown);
}

static void field_list(const struct answer *answer, const char *label, const char *name,
                       struct buffer *shown)
{
    const struct json_node *list = member_of(answer, answer->root, name);
    if (list == NULL || list->kind != JSON_ARRAY || list->count == 0)
        return;
    field_label(label, shown);
    const char *between = "";
    for (const struct json_node *item = json_child(answer->tape, list); item != NULL;
         item = json_after(answer->tape, list, item)) {
        buffer_append_text(shown, between);
        if (item->kind == JSON_STRING)
            text_escape(item->value.text, false, "", shown);
        between = ", ";
    }
    buffer_append_byte(shown, '\n');
}

static void attempts_show(const struct answer *answer, struct buffer *shown)
{
    char text[96];
    (void)snprintf(text, sizeof text, "%lld of %lld failed, generation %lld",
                   (long long)member_number(answer, answer->root, "retry_count"),
                   (long long)member_number(answer, answer->root, "max_retries"),
                   (long long)member_number(answer, answer->root, "generation"));
    field_text("attempts", slice_from_text(text), shown);
}

static void fields_show(const struct answer *answer, struct buffer *shown)
{
    struct slice state = member_text(answer, answer->root, "state");
    if (state.size == 0)
        state = member_text(answer, answer->root, "status");
    field_text("task", member_text(answer, answer->root, "id"), shown);
    field_text("state", state, shown);
    field_text("description", member_text(answer, answer->root, "description"), shown);
    field_text(
        "lane",
        slice_from_text(priority_name(member_number(answer, answer->root, "priority"))),
        shown);
    field_list(answer, "needs", "needed_capabilities", shown);
    field_list(answer, "depends on", "depends_on", shown);
    field_member(answer, "metadata", "metadata", shown);
    field_text("submitted by", member_text(answer, answer->root, "submitted_by"), shown);
    field_time(answer, "created", "created_at", shown);
    field_time(answer, "updated", "updated_at", shown);
    field_time(answer, "not before", "not_before", shown);
    field_time(answer, "complete by", "complete_by", shown);
    field_text("agent", member_text(answer, answer->root, "assigned_to"), shown);
    field_time(answer, "assigned", "assigned_at", shown);
    field_time(answer, "lease until", "lease_until", shown);
    attempts_show(answer, shown);
    field_member(answer, "progress", "progress", shown);
    field_member(answer, "note", "progress_note", shown);
    field_member(answer, "blocked", "blocked_reason", shown);
    field_member(answer, "last error", "last_error", shown);
    field_member(answer, "tokens used", "tokens_used", shown);
    field_member(answer, "result", "result", shown);
}

static bool history_show(const struct answer *answer)
{
    const struct json_node *history = member_of(answer, answer->root, "history");
    if (history == NULL || history->kind != JSON_ARRAY || history->count == 0)
        return true;
    struct table table;
    table_init(&table, 4);
    for (const struct json_node *event = json_child(answer->tape, history); event != NULL;
         event = json_after(answer->tape, history, event)) {
        table_cell_time(&table, member_number(answer, event, "timestamp"));
        table_cell(&table, member_text(answer, event, "event"));
        table_cell(&table, member_text(answer, event, "agent_id"));
        table_cell(&table, member_text(answer, event, "details"));
    }
    (void)puts("history");
    bool shown = table_show(&table, "  ");
    table_finish(&table);
    return shown;
}

/* Why a task waits: its own reason, then each agent's. */
static bool pending_show(const struct answer *answer)
{
    const struct json_node *pending = member_of(answer, answer->root, "pending");
    if (pending == NULL || pending->kind != JSON_OBJECT)
        return true;
    struct buffer reason;
    buffer_init(&reason, 4096);
    text_escape(member_text(answer, pending, "reason"), false, "", &reason);
    (void)printf("waits because %.*s\n", (int)reason.size,
                 reason.size > 0 ? reason.data : "");
    buffer_finish(&reason);
    const struct json_node *agents = member_of(answer, pending, "agents");
    if (agents == NULL || agents->kind != JSON_ARRAY || agents->count == 0)
        return true;
    struct table table;
    table_init(&table, 2);
    for (const struct json_node *agent = json_child(answer->tape, agents); agent != NULL;
         agent = json_after(answer->tape, agents, agent)) {
        table_cell(&table, member_text(answer, agent, "agent_id"));
        table_cell(&table, member_text(answer, agent, "reason"));
    }
    bool shown = table_show(&table, "  ");
    table_finish(&table);
    return shown;
}

enum outcome task_show(const struct answer *answer)
{
    struct buffer shown;
    buffer_init(&shown, SHOWN_BYTES_MAX);
    fields_show(answer, &shown);
    bool whole = !buffer_failed(&shown);
    (void)fwrite(shown.data, 1, shown.size, stdout);
    buffer_finish(&shown);
    if (!whole || !pending_show(answer) || !history_show(answer))
        return complain(OUTCOME_FAILED, "the task cannot be shown");
    return OUTCOME_OK;
}
