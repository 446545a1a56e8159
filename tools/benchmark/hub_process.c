#include "benchmark/hub_process.h"

#include "json/json.h"
#include "os/file.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_TRIES 1000
#define FIXED_FLAGS_MAX 32
#define TRY_NS 10000000
#define FILE_BYTES_MAX ((size_t)16 * 1024 * 1024)

static bool beside_us(char *target, size_t size, const char *name)
{
    char here[256];
    ssize_t length = readlink("/proc/self/exe", here, sizeof here - 1);
    if (length < 0)
        return false;
    here[length] = '\0';
    *strrchr(here, '/') = '\0';
    return path_join(target, size, here, name);
}

static bool port_read(const char *path, uint16_t *ret_port)
{
    struct buffer text;
    uint64_t port = 0;
    buffer_init(&text, 64);
    bool found = file_read(path, 64, &text) == ERR_OK;
    if (found) {
        struct slice digits = buffer_slice(&text);
        digits.size = slice_find(digits, '\n');
        found = slice_parse_u64(digits, &port) && port > 0 && port <= UINT16_MAX;
    }
    buffer_finish(&text);
    *ret_port = (uint16_t)port;
    return found;
}

static enum err hub_spawn(struct hub_process *hub, char *program, char *data,
                          char *port_file, const char *const *flags)
{
    /* Its agents register and submit as fast as they can: the limits are in force, and far
     * away. */
    char *arguments[FIXED_FLAGS_MAX + HUB_FLAGS_MAX] = {
        program,
        "--data",
        data,
        "--listen",
        "127.0.0.1:0",
        "--port-file",
        port_file,
        "--log-level",
        "info",
        "--forced-file-system",
        "--rate-agent-heavy",
        "10000000",
        "--rate-anybody-heavy",
        "10000000",
        NULL,
    };
    size_t count = 0;
    while (arguments[count] != NULL)
        count++;
    for (size_t i = 0; flags[i] != NULL && i < HUB_FLAGS_MAX - 1; i++)
        arguments[count++] = (char *)(uintptr_t)flags[i];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, hub->log,
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int failed = posix_spawn(&hub->pid, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed != 0 ? ERR_IO : ERR_OK;
}

enum err hub_start(struct hub_process *hub, const char *under)
{
    static const char *const none[] = { NULL };
    return hub_start_with(hub, under, none);
}

enum err hub_start_with(struct hub_process *hub, const char *under,
                        const char *const *flags)
{
    char program[300], data[300], port_file[300];
    static unsigned count;

    snprintf(hub->directory, sizeof hub->directory, "%s/bench-%d-%u", under, getpid(),
             count++);
    enum err err = directory_make(hub->directory);
    if (err != ERR_OK || !beside_us(program, sizeof program, "drover-hub") ||
        !path_join(data, sizeof data, hub->directory, "data") ||
        !path_join(port_file, sizeof port_file, hub->directory, "port") ||
        !path_join(hub->log, sizeof hub->log, hub->directory, "log"))
        return ERR_IO;
    err = hub_spawn(hub, program, data, port_file, flags);
    for (int i = 0; err == ERR_OK && i < START_TRIES; i++) {
        if (port_read(port_file, &hub->port))
            return ERR_OK;
        if (waitpid(hub->pid, NULL, WNOHANG) != 0)
            break;
        nanosleep(&(struct timespec){ .tv_nsec = TRY_NS }, NULL);
    }
    fprintf(stderr, "the hub did not start; its log is %s\n", hub->log);
    return ERR_IO;
}

static int64_t number_in(struct slice line, const char *key)
{
    const char *found = memmem(line.data, line.size, key, strlen(key));
    return found == NULL ? 0 : strtoll(found + strlen(key), NULL, 10);
}

static void directory_clear(const char *path)
{
    pid_t pid;
    char *arguments[] = { "rm", "-rf", (char *)path, NULL };
    if (posix_spawnp(&pid, "rm", NULL, NULL, arguments, environ) == 0)
        waitpid(pid, NULL, 0);
}

enum err hub_stop(struct hub_process *hub, struct hub_counts *ret_counts)
{
    struct buffer text;
    int status;

    kill(hub->pid, SIGTERM);
    waitpid(hub->pid, &status, 0);
    buffer_init(&text, FILE_BYTES_MAX);
    enum err err = file_read(hub->log, FILE_BYTES_MAX, &text);
    struct slice log = buffer_slice(&text);
    const char *stopped =
        err == ERR_OK ? memmem(log.data, log.size, "\"hub_stopped\"", 13) : NULL;
    if (stopped != NULL) {
        struct slice line = slice_skip(log, (size_t)(stopped - log.data));
        ret_counts->commits = number_in(line, "\"commits\":");
        ret_counts->commit_us = number_in(line, "\"commit_us\":");
        ret_counts->commands = number_in(line, "\"commands\":");
    }
    buffer_finish(&text);
    if (stopped == NULL || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "the hub did not stop well; its log is %s\n", hub->log);
        return ERR_IO;
    }
    directory_clear(hub->directory);
    return ERR_OK;
}

int64_t hub_cpu_ms(const struct hub_process *hub)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", hub->pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    /* The name, in brackets, may hold anything; 11 fields are between it and the times. */
    char *at = fgets(line, sizeof line, file) != NULL ? strrchr(line, ')') : NULL;
    fclose(file);
    for (int i = 0; at != NULL && i < 12; i++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return 0;
    unsigned long long user = strtoull(at, &at, 10);
    unsigned long long kernel = strtoull(at, NULL, 10);
    return (int64_t)((user + kernel) * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK));
}

uint64_t hub_resident_bytes(const struct hub_process *hub)
{
    char path[64], line[256];
    unsigned long long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", hub->pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtoull(line + 6, NULL, 10);
    fclose(file);
    return kib * 1024;
}

static size_t answer_take(char *data, size_t size, size_t count, void *context)
{
    buffer_append(context, data, size * count);
    return size * count;
}

enum err hub_register(const struct hub_process *hub, const char *agent_id, char token[65])
{
    static CURL *curl;
    char url[80], body[200];
    struct buffer answer;
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/json");

    if (curl == NULL)
        curl = curl_easy_init();
    snprintf(url, sizeof url, "http://127.0.0.1:%u/api/onboard/register", hub->port);
    snprintf(body, sizeof body, "{\"agent_id\":\"%s\"}", agent_id);
    buffer_init(&answer, 4096);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    CURLcode code = curl_easy_perform(curl);
    struct slice text = buffer_slice(&answer);
    const char *found = memmem(text.data, text.size, "\"token\":\"", 9);
    bool whole = code == CURLE_OK && found != NULL &&
                 text.size - (size_t)(found - text.data) > 9 + 64;
    if (whole) {
        memcpy(token, found + 9, 64);
        token[64] = '\0';
    } else {
        fprintf(stderr, "cannot register %s: %.*s\n", agent_id, (int)text.size,
                text.data);
    }
    buffer_finish(&answer);
    curl_slist_free_all(headers);
    return whole ? ERR_OK : ERR_IO;
}
