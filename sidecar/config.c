#include "sidecar/config.h"

#include "os/file.h"
#include "os/secret.h"
#include "sidecar/child.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ARENA_BYTES_MAX ((size_t)1024 * 1024)

enum { TOKEN_BYTES_MAX = 256, PORT_WS = 80, PORT_WSS = 443 };

static bool world_readable(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && (info.st_mode & S_IROTH) != 0;
}

/* A path as the settings mean it: relative ones start at the folder of the file. */
static const char *path_of(struct config_file *file, struct config *config,
                           const char *name)
{
    const char *text = config_text(file, &config->arena, name);
    if (text == NULL || text[0] == '\0' || text[0] == '/')
        return text;
    char path[PATH_MAX];
    if (!path_join(path, sizeof path, config->folder, text)) {
        config_file_refuse(file, name, "the path is too long");
        return "";
    }
    const char *copy = arena_copy(&config->arena, slice_from_text(path)).data;
    return copy == NULL ? "" : copy;
}

static void folder_read(struct config_file *file, struct config *config, const char *path)
{
    char full[PATH_MAX];
    if (realpath(path, full) == NULL) {
        config_file_refuse(file, "", strerror(errno));
        return;
    }
    char *slash = strrchr(full, '/');
    size_t size = slash == full ? 1 : (size_t)(slash - full);
    config->folder = arena_copy(&config->arena, slice_make(full, size)).data;
    if (config->folder == NULL)
        config_file_refuse(file, "", "out of memory");
}

static void token_store(struct config_file *file, struct config *config,
                        const char *setting, struct slice token)
{
    while (token.size > 0 && strchr(" \t\r\n", token.data[token.size - 1]) != NULL)
        token.size--;
    if (token.size == 0 || memchr(token.data, '\0', token.size) != NULL) {
        config_file_refuse(file, setting, "there is no token in it");
        return;
    }
    config->token = calloc(1, token.size + 1);
    if (config->token == NULL)
        config_file_refuse(file, setting, "out of memory");
    else
        memcpy(config->token, token.data, token.size);
}

static void token_read(struct config_file *file, struct config *config, const char *path)
{
    const struct json *tape;
    const struct json_node *direct = config_value(file, "token", &tape);
    const char *token_file = path_of(file, config, "token_file");
    if ((direct != NULL) == (token_file != NULL)) {
        config_file_refuse(file, "token", "give one of token and token_file");
        return;
    }
    if (direct != NULL) {
        if (world_readable(path))
            config_file_refuse(file, "token",
                               "everybody can read this file: chmod 600 it");
        else
            token_store(file, config, "token", direct->value.text);
        return;
    }
    struct buffer text;
    buffer_init(&text, TOKEN_BYTES_MAX + 2);
    if (file_read(token_file, TOKEN_BYTES_MAX + 2, &text) != ERR_OK)
        config_file_refuse(file, "token_file", "the file cannot be read");
    else if (world_readable(token_file))
        config_file_refuse(file, "token_file",
                           "everybody can read the file: chmod 600 it");
    else
        token_store(file, config, "token_file", buffer_slice(&text));
    if (text.data != NULL)
        secret_wipe(text.data, text.size);
    buffer_finish(&text);
}

/* Cuts ws://HOST[:PORT][/PATH]; HOST may be an IPv6 address in brackets. */
static void url_read(struct config_file *file, struct config *config)
{
    const char *url = config_text(file, &config->arena, "hub_url");
    if (url == NULL)
        return;
    config->hub_tls = strncmp(url, "wss://", 6) == 0;
    struct slice rest = slice_from_text(url + (config->hub_tls ? 6 : 5));
    size_t end = slice_find(rest, '/');
    const char *path = end < rest.size ? rest.data + end : "/ws";
    config->hub_path = strcmp(path, "/") == 0 ? "/ws" : path;
    rest.size = end;

    size_t host = 0;
    if (rest.size > 0 && rest.data[0] == '[') {
        host = slice_find(rest, ']');
        config->hub_host = slice_make(rest.data + 1, host > 0 ? host - 1 : 0);
        host++;
    } else {
        host = slice_find(rest, ':');
        config->hub_host = slice_make(rest.data, host);
    }
    uint64_t port = config->hub_tls ? PORT_WSS : PORT_WS;
    if (host < rest.size &&
        (rest.data[host] != ':' || !slice_parse_u64(slice_skip(rest, host + 1), &port)))
        port = 0;
    if (config->hub_host.size == 0 || host > rest.size || port == 0 ||
        port > UINT16_MAX || memchr(rest.data, '@', rest.size) != NULL) {
        config_file_refuse(file, "hub_url", "it is not ws://HOST:PORT/PATH");
        return;
    }
    config->hub_port = (uint16_t)port;
    config->hub_host = arena_copy(&config->arena, config->hub_host);
    if (!slice_is_present(config->hub_host))
        config_file_refuse(file, "hub_url", "out of memory");
}

static void argv_read(struct config_file *file, struct config *config,
                      struct slice_list words)
{
    config->argv = arena_take_many(&config->arena, words.count + 1, sizeof *config->argv);
    char program[PATH_MAX];
    if (config->argv == NULL) {
        config_file_refuse(file, "command", "out of memory");
        return;
    }
    if (!program_find(words.items[0].data, config->folder, program, sizeof program)) {
        config_file_refuse(file, "command/0", "there is no such program");
        return;
    }
    words.items[0] = arena_copy(&config->arena, slice_from_text(program));
    for (size_t i = 0; i < words.count; i++)
        config->argv[i] = (char *)(uintptr_t)words.items[i].data;
    if (config->argv[0] == NULL)
        config_file_refuse(file, "command", "out of memory");
}

static void command_read(struct config_file *file, struct config *config)
{
    struct slice_list words = config_texts(file, &config->arena, "command");
    const char *line = config_text(file, &config->arena, "command_shell");
    const char *wake = config_text(file, &config->arena, "wake_command");
    int given = (words.count > 0) + (line != NULL) + (wake != NULL);
    if (given != 1) {
        config_file_refuse(file, "command",
                           "give one of command, command_shell and wake_command");
        return;
    }
    config->mode = wake != NULL ? CONFIG_WAKE : CONFIG_COMMAND;
    config->wake_command = slice_from_text(wake);
    struct slice shell[] = { SLICE("/bin/sh"), SLICE("-c"), slice_from_text(line) };
    if (line != NULL)
        words = (struct slice_list){ shell, 3 };
    if (wake == NULL)
        argv_read(file, config, words);
}

static void wake_read(struct config_file *file, struct config *config)
{
    const struct json *tape;
    const struct json_node *delays = config_value(file, "wake_retry_delays_ms", &tape);
    config->confirmation_timeout_ms = config_number(file, "confirmation_timeout_ms");
    config->wake_timeout_ms = config_number(file, "wake_timeout_ms");
    if (delays == NULL || delays->count == 0)
        return;
    config->wake_retry_delays_ms = arena_take_many(&config->arena, delays->count,
                                                   sizeof *config->wake_retry_delays_ms);
    if (config->wake_retry_delays_ms == NULL) {
        config_file_refuse(file, "wake_retry_delays_ms", "out of memory");
        return;
    }
    for (const struct json_node *item = json_child(tape, delays); item != NULL;
         item = json_after(tape, delays, item))
        config->wake_retry_delays_ms[config->wake_retries++] =
            item->integer ? item->value.number : 0;
}

static void directories_read(struct config_file *file, struct config *config)
{
    config->repo_dir = path_of(file, config, "repo_dir");
    config->working_dir = path_of(file, config, "working_dir");
    config->results_dir = path_of(file, config, "results_dir");
    config->outbox_dir = path_of(file, config, "outbox_dir");
    config->ca_file = path_of(file, config, "ca_file");
    if (config->working_dir != NULL && config->working_dir[0] == '\0')
        config->working_dir =
            config->repo_dir[0] != '\0' ? config->repo_dir : config->folder;

    struct stat info;
    if (config->working_dir == NULL || stat(config->working_dir, &info) != 0 ||
        !S_ISDIR(info.st_mode))
        config_file_refuse(file, "working_dir", "there is no such directory");
    const char *log = config_text(file, &config->arena, "log_file");
    config->log_file =
        log != NULL && strcmp(log, "-") == 0 ? NULL : path_of(file, config, "log_file");
}

static void numbers_read(struct config_file *file, struct config *config)
{
    config->max_concurrent = config_number(file, "max_concurrent");
    config->time_limit_ms = config_number(file, "time_limit_ms");
    config->kill_grace_ms = config_number(file, "kill_grace_ms");
    config->drain_limit_ms = config_number(file, "drain_limit_ms");
    config->lease_renew_ms = config_number(file, "lease_renew_ms");
    config->output_bytes_max = (size_t)config_number(file, "output_bytes_max");
    config->report_bytes_max = (size_t)config_number(file, "report_bytes_max");

    const char *level = config_text(file, &config->arena, "log_level");
    /* v1.1 knows one more level than the log. */
    if (level != NULL && strcmp(level, "notice") == 0)
        level = "info";
    if (!log_level_parse(slice_from_text(level), &config->log_level))
        config_file_refuse(file, "log_level", "there is no such level");
}

enum err config_load(const char *path, struct config *ret_config,
                     char ret_problem[CONFIG_PROBLEM_BYTES])
{
    struct config config = { .hub_port = 0 };
    struct config_file file;
    arena_init(&config.arena, ARENA_BYTES_MAX);
    enum err err = config_file_open(&file, path);
    if (err == ERR_OK) {
        folder_read(&file, &config, path);
        err = file.err;
    }
    if (err == ERR_OK) {
        config.agent_id = config_text(&file, &config.arena, "agent_id");
        config.name = config_text(&file, &config.arena, "name");
        config.hub_api_url = config_text(&file, &config.arena, "hub_api_url");
        config.reviewer = config_text(&file, &config.arena, "reviewer");
        config.capabilities = config_texts(&file, &config.arena, "capabilities");
        config.environment = config_texts(&file, &config.arena, "environment");
        token_read(&file, &config, path);
        url_read(&file, &config);
        numbers_read(&file, &config);
        directories_read(&file, &config);
        command_read(&file, &config);
        wake_read(&file, &config);
        err = file.err;
    }
    config_file_close(&file);
    if (err != ERR_OK) {
        memcpy(ret_problem, file.problem, sizeof file.problem);
        config_finish(&config);
        return err;
    }
    *ret_config = config;
    return ERR_OK;
}

void config_finish(struct config *config)
{
    if (config->token != NULL)
        secret_wipe(config->token, strlen(config->token));
    free(config->token);
    config->token = NULL;
    arena_finish(&config->arena);
}
