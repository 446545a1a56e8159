/*
 * drover: the hub from a terminal. See drover(1).
 */
#include "cli/listing.h"
#include "cli/request.h"
#include "os/file.h"
#include "os/secret.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { TOKEN_BYTES_MAX = 256, REQUEST_MS = 30000, PATH_BYTES = 4096 };

/* Where tools/run, and hubs before there was enrolment, keep the administrator's. */
static const char *const FIRST_TOKENS[] = { "drover-data/admin.token",
                                            "drover-data/hub/admin.token" };

static bool token_is_fit(const char *token)
{
    size_t size = strlen(token);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)token[i] <= ' ' || (unsigned char)token[i] >= 0x7f)
            return false;
    return size > 0;
}

static bool token_file_read(const char *path, char token[TOKEN_BYTES_MAX + 2])
{
    struct buffer text;
    buffer_init(&text, TOKEN_BYTES_MAX);
    bool read = file_read(path, TOKEN_BYTES_MAX, &text) == ERR_OK;
    struct slice bytes = buffer_slice(&text);
    while (bytes.size > 0 && strchr(" \t\r\n", bytes.data[bytes.size - 1]) != NULL)
        bytes.size--;
    if (read) {
        memcpy(token, bytes.data, bytes.size);
        token[bytes.size] = '\0';
    }
    if (text.data != NULL)
        secret_wipe(text.data, text.size);
    buffer_finish(&text);
    return read;
}

/* Files nobody named; never sent to another machine unasked. */
static void token_from_habit(const char *hub, char token[TOKEN_BYTES_MAX + 2])
{
    char path[PATH_BYTES];
    if (!hub_is_here(hub))
        return;
    for (size_t i = 0; i < sizeof FIRST_TOKENS / sizeof FIRST_TOKENS[0]; i++)
        if (token_file_read(FIRST_TOKENS[i], token))
            return;
    if (token_home_path(path, sizeof path))
        (void)token_file_read(path, token);
}

static enum outcome token_from_file(const char *path, char token[TOKEN_BYTES_MAX + 2])
{
    struct stat info;
    if (!token_file_read(path, token))
        return complain(OUTCOME_USAGE, "the token cannot be read from %s", path);
    if (stat(path, &info) == 0 && (info.st_mode & S_IROTH) != 0)
        (void)complain(OUTCOME_OK, "everybody can read %s: chmod 600 it", path);
    return OUTCOME_OK;
}

/* Options win over the environment, and that over the files of a hub on this machine. */
static enum outcome token_find(struct invocation *invocation,
                               char token[TOKEN_BYTES_MAX + 2])
{
    const char *direct = given_value(invocation, "--token");
    const char *file = given_value(invocation, "--token-file");
    if (direct == NULL && file == NULL) {
        direct = getenv("DROVER_TOKEN");
        file = direct == NULL ? getenv("DROVER_TOKEN_FILE") : NULL;
    }
    enum outcome outcome = OUTCOME_OK;
    token[0] = '\0';
    if (direct != NULL)
        (void)snprintf(token, TOKEN_BYTES_MAX + 2, "%s", direct);
    else if (file != NULL)
        outcome = token_from_file(file, token);
    else
        token_from_habit(invocation->settings.hub, token);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (token[0] == '\0' && direct == NULL && file == NULL)
        return OUTCOME_OK;
    if (!token_is_fit(token))
        return complain(OUTCOME_USAGE, "this is no token");
    invocation->settings.token = token;
    return OUTCOME_OK;
}

static enum outcome settings_read(struct invocation *invocation, char *hub, size_t size,
                                  char token[TOKEN_BYTES_MAX + 2])
{
    const char *url = given_value(invocation, "--hub");
    const char *timeout = given_value(invocation, "--timeout");
    if (url == NULL)
        url = getenv("DROVER_HUB");
    if (url == NULL || url[0] == '\0')
        url = "http://127.0.0.1:4000";
    int length = snprintf(hub, size, "%s", url);
    while (length > 0 && hub[length - 1] == '/')
        hub[--length] = '\0';
    if (length <= 0 || (size_t)length >= size ||
        (strncmp(hub, "http://", 7) != 0 && strncmp(hub, "https://", 8) != 0) ||
        strchr(hub, '@') != NULL)
        return complain(OUTCOME_USAGE, "%s is not http://HOST:PORT", url);
    if (timeout != NULL &&
        (!duration_read(timeout, &invocation->timeout_ms) || invocation->timeout_ms == 0))
        return complain(OUTCOME_USAGE, "--timeout %s: write 30, 500ms, 5m or 2h",
                        timeout);
    invocation->settings.hub = hub;
    invocation->settings.ca_file = given_value(invocation, "--ca");
    invocation->settings.timeout_ms =
        invocation->timeout_ms > 0 ? invocation->timeout_ms : REQUEST_MS;
    token[0] = '\0';
    /* Who enrols has no token yet. */
    return invocation->command->run == enrol_run ? OUTCOME_OK
                                                 : token_find(invocation, token);
}

/* What a row says without a function of its own. */
static enum outcome row_run(struct invocation *invocation)
{
    const struct command *command = invocation->command;
    struct answer answer;
    if (command->list != NULL)
        return listing_run(invocation);
    enum outcome outcome = command_call(invocation, NULL, 0, &answer);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (invocation->json)
        return answer_print(&answer);
    if (command->show != NULL)
        return command->show(&answer);
    (void)printf("%s %s\n", invocation->arguments[0], command->done);
    return OUTCOME_OK;
}

static enum outcome command_run(struct invocation *invocation)
{
    enum outcome (*run)(struct invocation *) = invocation->command->run;
    if (run == NULL)
        run = row_run;

    char hub[1024];
    char token[TOKEN_BYTES_MAX + 2];
    if (invocation->command->route == MESSAGE_NONE)
        return run(invocation);
    enum outcome outcome = settings_read(invocation, hub, sizeof hub, token);
    if (outcome == OUTCOME_OK) {
        invocation->client = client_create(&invocation->settings);
        outcome = invocation->client == NULL ? complain(OUTCOME_FAILED, "out of memory")
                                             : run(invocation);
        client_destroy(invocation->client);
    }
    secret_wipe(token, sizeof token);
    invocation->settings = (struct client_settings){ 0 };
    return outcome;
}

int main(int argc, char **argv)
{
    struct invocation invocation = { 0 };
    enum outcome outcome = line_read(argc, argv, &invocation);
    if (outcome == OUTCOME_OK && !invocation.help && invocation.command != NULL)
        outcome = command_run(&invocation);
    /* A full disk must not look like success. */
    if (fflush(stdout) != 0 || ferror(stdout) != 0)
        outcome = OUTCOME_FAILED;
    return (int)outcome;
}
