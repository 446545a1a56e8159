#include "cli/command.h"
#include "cli/screen.h"
#include "json/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS = 6 };

static void capabilities_cell(const struct answer *answer, const struct json_node *agent,
                              struct table *table)
{
    const struct json_node *list = member_of(answer, agent, "capabilities");
    struct buffer text;
    buffer_init(&text, 65536);
    if (list != NULL && list->kind == JSON_ARRAY) {
        for (const struct json_node *item = json_child(answer->tape, list); item != NULL;
             item = json_after(answer->tape, list, item)) {
            if (text.size > 0)
                buffer_append_text(&text, ", ");
            if (item->kind == JSON_STRING)
                buffer_append_slice(&text, item->value.text);
        }
    }
    table_cell(table, buffer_slice(&text));
    buffer_finish(&text);
}

static void agent_add(const struct answer *answer, const struct json_node *agent,
                      struct table *table)
{
    char tasks[48];
    struct slice state = member_text(answer, agent, "state");
    (void)snprintf(tasks, sizeof tasks, "%lld/%lld",
                   (long long)member_number(answer, agent, "tasks_held"),
                   (long long)member_number(answer, agent, "max_concurrent"));
    table_cell(table, member_text(answer, agent, "agent_id"));
    table_cell(table, state.size > 0 ? state : member_text(answer, agent, "fsm_state"));
    table_cell_text(table, tasks);
    table_cell_time(table, member_number(answer, agent, "connected_at"));
    table_cell(table, member_text(answer, agent, "status"));
    capabilities_cell(answer, agent, table);
}

enum outcome agent_list_run(struct invocation *invocation)
{
    static const char *const HEADS[COLUMNS] = { "AGENT",     "STATE",  "TASKS",
                                                "CONNECTED", "STATUS", "CAN" };
    struct answer answer = client_call(invocation->client, "GET", "/api/agents",
                                       slice_from_text(NULL), NULL);
    if (answer.outcome != OUTCOME_OK)
        return answer_tell(invocation, &answer);
    if (invocation->json)
        return answer_print(&answer);
    struct table table;
    table_init(&table, COLUMNS);
    for (size_t i = 0; i < COLUMNS; i++)
        table_cell_text(&table, HEADS[i]);
    const struct json_node *agents = member_of(&answer, answer.root, "agents");
    if (agents != NULL && agents->kind == JSON_ARRAY)
        for (const struct json_node *agent = json_child(answer.tape, agents);
             agent != NULL; agent = json_after(answer.tape, agents, agent))
            agent_add(&answer, agent, &table);
    bool shown = table_show(&table, "");
    table_finish(&table);
    return shown ? OUTCOME_OK : complain(OUTCOME_FAILED, "the list cannot be shown");
}

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

enum outcome agent_register_run(struct invocation *invocation)
{
    /* The file first: a token that cannot be kept would be lost. */
    const char *path = given_value(invocation, "--config-out");
    int fd = -1;
    if (path != NULL) {
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return complain(errno == EEXIST ? OUTCOME_CONFLICT : OUTCOME_FAILED, "%s: %s",
                            path, strerror(errno));
    }
    struct buffer body;
    struct json_writer writer;
    buffer_init(&body, 65536);
    json_writer_init(&writer, &body);
    json_object_begin(&writer);
    json_key_text(&writer, "agent_id");
    json_string_text(&writer, invocation->arguments[0]);
    json_object_end(&writer);
    struct answer answer = client_call(
        invocation->client, "POST", "/api/onboard/register", buffer_slice(&body), NULL);
    buffer_finish(&body);
    enum outcome outcome = answer.outcome == OUTCOME_OK
                               ? register_show(invocation, &answer, path, fd)
                               : answer_tell(invocation, &answer);
    if (fd >= 0)
        (void)close(fd);
    if (fd >= 0 && answer.outcome != OUTCOME_OK)
        (void)unlink(path);
    return outcome;
}
