#include "cli/agent.h"

#include "cli/listing.h"
#include "cli/request.h"
#include "json/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void tasks_cell(const struct answer *answer, const struct json_node *agent,
                       struct table *table)
{
    char tasks[48];
    (void)snprintf(tasks, sizeof tasks, "%lld/%lld",
                   (long long)member_number(answer, agent, "tasks_held"),
                   (long long)member_number(answer, agent, "max_concurrent"));
    table_cell_text(table, tasks);
}

static const struct listing AGENTS = {
    .member = "agents",
    .columns = { { .head = "AGENT", .field = "agent_id" },
                 { .head = "STATE", .field = "state" },
                 { .head = "TASKS", .cell = tasks_cell },
                 { .head = "CONNECTED", .field = "connected_at", .kind = COLUMN_TIME },
                 { .head = "STATUS", .field = "status" },
                 { .head = "CAN", .field = "capabilities", .kind = COLUMN_TEXTS } },
    .page = "1000",
};

static const struct listing STATES = {
    .member = "agents",
    .columns = { { .head = "AGENT", .field = "agent_id" },
                 { .head = "DOES", .field = "fsm_state" },
                 { .head = "TASK", .field = "current_task_id" },
                 { .head = "TASKS", .cell = tasks_cell },
                 { .head = "FLAGS", .field = "flags", .kind = COLUMN_TEXTS },
                 { .head = "CONNECTED", .field = "connected_at", .kind = COLUMN_TIME } },
    .page = "1000",
};

static void words_write(const struct invocation *invocation, const char *option,
                        const char *otherwise, struct json_writer *writer)
{
    size_t at = 0;
    const char *word = given_next(invocation, option, &at);
    if (word == NULL)
        word = otherwise;
    json_array_begin(writer);
    for (; word != NULL; word = given_next(invocation, option, &at))
        json_string_text(writer, word);
    json_array_end(writer);
}

/* Settings a sidecar starts with; see drover-sidecar(1). */
static void config_write(const struct invocation *invocation, const struct answer *answer,
                         struct buffer *text)
{
    static const char *const COPIED[][2] = { { "agent_id", "agent_id" },
                                             { "token", "token" },
                                             { "hub_ws_url", "hub_url" },
                                             { "hub_api_url", "hub_api_url" } };
    struct json_writer writer;
    json_writer_init(&writer, text);
    json_object_begin(&writer);
    for (size_t i = 0; i < sizeof COPIED / sizeof COPIED[0]; i++) {
        json_key_text(&writer, COPIED[i][1]);
        json_string(&writer, member_text(answer, answer->root, COPIED[i][0]));
    }
    /* Absolute: a sidecar takes relative paths from the folder of its settings. */
    const char *ca_file = invocation->settings.ca_file;
    char *ca_path = ca_file != NULL ? realpath(ca_file, NULL) : NULL;
    if (ca_path != NULL) {
        json_key_text(&writer, "ca_file");
        json_string_text(&writer, ca_path);
    }
    free(ca_path);
    json_key_text(&writer, "capabilities");
    words_write(invocation, "--can", NULL, &writer);
    json_key_text(&writer, "command");
    words_write(invocation, "--command", "cat", &writer);
    json_object_end(&writer);
    buffer_append_byte(text, '\n');
}

/* Never over an existing file: it may hold another agent's token. */
static enum outcome config_save(const char *path, int fd, struct slice text)
{
    while (text.size > 0) {
        ssize_t size = write(fd, text.data, text.size);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return complain(OUTCOME_FAILED, "%s: %s", path, strerror(errno));
        text = slice_skip(text, (size_t)size);
    }
    return OUTCOME_OK;
}

static enum outcome register_show(struct invocation *invocation,
                                  const struct answer *answer, const char *path, int fd)
{
    struct buffer text;
    buffer_init(&text, 1024 * 1024);
    config_write(invocation, answer, &text);
    enum outcome outcome = OUTCOME_OK;
    if (buffer_failed(&text))
        outcome = complain(OUTCOME_FAILED, "out of memory");
    else if (fd >= 0)
        outcome = config_save(path, fd, buffer_slice(&text));
    if (outcome == OUTCOME_OK && invocation->json)
        outcome = answer_print(answer);
    else if (outcome == OUTCOME_OK && fd >= 0)
        (void)printf("%s\n", path);
    else if (outcome == OUTCOME_OK)
        (void)fwrite(text.data, 1, text.size, stdout);
    buffer_finish(&text);
    return outcome;
}

static enum outcome register_run(struct invocation *invocation)
{
    /* The file first: a token that cannot be kept would be lost. */
    const char *path = given_value(invocation, "--config-out");
    struct answer answer;
    int fd = -1;
    if (path != NULL) {
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return complain(errno == EEXIST ? OUTCOME_CONFLICT : OUTCOME_FAILED, "%s: %s",
                            path, strerror(errno));
    }
    enum outcome outcome = command_call(invocation, NULL, 0, &answer);
    bool registered = outcome == OUTCOME_OK;
    if (registered)
        outcome = register_show(invocation, &answer, path, fd);
    if (fd >= 0)
        (void)close(fd);
    if (fd >= 0 && !registered)
        (void)unlink(path);
    return outcome;
}

static const struct listing STATS = {
    .member = "agents",
    .columns = { { .head = "AGENT", .field = "agent_id" },
                 { .head = "STATUS", .field = "status" },
                 { .head = "SENT", .field = "messages_sent_24h", .kind = COLUMN_NUMBER },
                 { .head = "RECEIVED",
                   .field = "messages_received_24h",
                   .kind = COLUMN_NUMBER },
                 { .head = "CONNECTIONS",
                   .field = "total_connections",
                   .kind = COLUMN_NUMBER },
                 { .head = "LAST ACTIVE", .field = "last_active", .kind = COLUMN_TIME } },
    .page = "1000",
};

static enum outcome pushed_show(const struct answer *answer)
{
    struct buffer id;
    buffer_init(&id, 4096);
    text_escape(member_text(answer, answer->root, "task_id"), false, "", &id);
    (void)printf("%.*s\n", (int)id.size, id.size > 0 ? id.data : "");
    buffer_finish(&id);
    return OUTCOME_OK;
}

static const struct command COMMANDS[] = {
    { .name = "list",
      .route = MESSAGE_GET_AGENTS,
      .list = &AGENTS,
      .options = { { .name = "--limit", .value = "N", .field = "limit" },
                   { .name = "--cursor", .value = "CURSOR", .field = "cursor" },
                   { .name = "--all", .help = "Page after page, to the end." } } },
    { .name = "states",
      .route = MESSAGE_GET_AGENT_STATES,
      .list = &STATES,
      .options = { { .name = "--offline", .field = "offline" },
                   { .name = "--limit", .value = "N", .field = "limit" },
                   { .name = "--cursor", .value = "CURSOR", .field = "cursor" },
                   { .name = "--all", .help = "Page after page, to the end." } } },
    { .name = "drain",
      .route = MESSAGE_POST_AGENT_DRAIN,
      .run = drain_run,
      .arguments = { { .name = "AGENT", .field = "agent_id" } },
      .options = { { .name = "--wait", .help = "Stay until it has no task in hand." } } },
    { .name = "resume",
      .route = MESSAGE_POST_AGENT_RESUME,
      .show = drain_show,
      .arguments = { { .name = "AGENT", .field = "agent_id" } } },
    { .name = "register",
      .route = MESSAGE_POST_ONBOARD_REGISTER,
      .run = register_run,
      .summary = "Registers a new agent; prints a sidecar's settings.",
      .arguments = { { .name = "AGENT", .field = "agent_id" } },
      .options = { { .name = "--config-out",
                     .value = "FILE",
                     .help = "Write the settings there, for the owner only." },
                   { .name = "--can",
                     .value = "CAPABILITY",
                     .help = "What the agent can do.",
                     .repeats = true },
                   { .name = "--command",
                     .value = "WORD",
                     .help = "The agent's command, word by word (cat).",
                     .repeats = true } } },
    { .name = "push",
      .route = MESSAGE_POST_ADMIN_PUSH_TASK,
      .show = pushed_show,
      .arguments = { { .name = "AGENT", .field = "agent_id" },
                     { .name = "DESCRIPTION", .field = "description" } },
      .options = { { .name = "--metadata", .value = "JSON", .field = "metadata" } } },
    { .name = "stats",
      .route = MESSAGE_GET_ANALYTICS_AGENTS,
      .list = &STATS,
      .options = { { .name = "--limit", .value = "N", .field = "limit" },
                   { .name = "--cursor", .value = "CURSOR", .field = "cursor" },
                   { .name = "--all", .help = "All of them, however many." } } },
};

const struct command_group AGENT_GROUP = { "agent", COMMANDS,
                                           sizeof COMMANDS / sizeof COMMANDS[0] };
