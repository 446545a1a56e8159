#include "cli/task.h"

#include "cli/listing.h"

#include <stdio.h>

static enum outcome change_show(const struct answer *answer)
{
    struct buffer text;
    buffer_init(&text, 4096);
    text_escape(member_text(answer, answer->root, "task_id"), false, "", &text);
    buffer_append_byte(&text, ' ');
    text_escape(member_text(answer, answer->root, "status"), false, "", &text);
    struct slice agent = member_text(answer, answer->root, "assigned_to");
    if (agent.size > 0) {
        buffer_append_text(&text, ", told to ");
        text_escape(agent, false, "", &text);
    }
    (void)printf("%.*s\n", (int)text.size, text.size > 0 ? text.data : "");
    buffer_finish(&text);
    return OUTCOME_OK;
}

static enum outcome watch_run(struct invocation *invocation)
{
    return task_follow(invocation, slice_from_text(invocation->arguments[0]));
}

static const struct listing TASKS = {
    .member = "tasks",
    .columns = { { .head = "TASK", .field = "id" },
                 { .head = "STATE", .field = "state" },
                 { .head = "LANE", .field = "priority", .kind = COLUMN_LANE },
                 { .head = "AGENT", .field = "assigned_to" },
                 { .head = "CREATED", .field = "created_at", .kind = COLUMN_TIME },
                 { .head = "DESCRIPTION", .field = "description" } },
    .page = "1000",
};

static const struct command COMMANDS[] = {
    { .name = "submit",
      .route = MESSAGE_POST_TASK,
      .run = task_submit_run,
      .arguments = { { .name = "DESCRIPTION|-",
                       .field = "description",
                       .help = "A - reads it from standard input." } },
      .options = { { .name = "--priority", .value = "LANE", .field = "priority" },
                   { .name = "--needs",
                     .value = "CAPABILITY",
                     .field = "needed_capabilities" },
                   { .name = "--kind", .value = "KIND", .field = "kind" },
                   { .name = "--metadata", .value = "JSON", .field = "metadata" },
                   { .name = "--max-retries", .value = "N", .field = "max_retries" },
                   { .name = "--complete-by",
                     .value = "WHEN",
                     .field = "complete_by",
                     .help = "+10m and 2026-01-02T03:04:05Z are times, too.",
                     .form = FORM_MOMENT },
                   { .name = "--not-before",
                     .value = "WHEN",
                     .field = "not_before",
                     .help = "+10m and 2026-01-02T03:04:05Z are times, too.",
                     .form = FORM_MOMENT },
                   { .name = "--depends-on", .value = "TASK", .field = "depends_on" },
                   { .name = "--idempotency-key",
                     .value = "KEY",
                     .field = "idempotency-key" },
                   { .name = "--wait", .help = "Stay until the task has ended." } } },
    { .name = "list",
      .route = MESSAGE_GET_TASKS,
      .list = &TASKS,
      .options = { { .name = "--status", .value = "STATE", .field = "status" },
                   { .name = "--priority", .value = "LANE", .field = "priority" },
                   { .name = "--assigned-to", .value = "AGENT", .field = "assigned_to" },
                   { .name = "--limit", .value = "N", .field = "limit" },
                   { .name = "--cursor", .value = "CURSOR", .field = "cursor" },
                   { .name = "--all", .help = "Page after page, to the end." } } },
    { .name = "show",
      .route = MESSAGE_GET_TASK,
      .show = task_show,
      .summary = "Shows one task; of one that waits, why.",
      .arguments = { { .name = "TASK", .field = "task_id" } } },
    { .name = "watch",
      .route = MESSAGE_GET_TASK,
      .run = watch_run,
      .summary = "Follows a task to its end.",
      .arguments = { { .name = "TASK", .field = "task_id" } } },
    { .name = "cancel",
      .route = MESSAGE_POST_TASK_CANCEL,
      .show = change_show,
      .arguments = { { .name = "TASK", .field = "task_id" } },
      .options = { { .name = "--reason", .value = "TEXT", .field = "reason" } } },
    { .name = "retry",
      .route = MESSAGE_POST_TASK_RETRY,
      .show = change_show,
      .arguments = { { .name = "TASK", .field = "task_id" } } },
};

const struct command_group TASK_GROUP = { "task", COMMANDS,
                                          sizeof COMMANDS / sizeof COMMANDS[0] };
