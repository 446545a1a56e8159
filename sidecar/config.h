/*
 * config.h - the sidecar's settings, read once from a JSON file.
 *
 * schemas/sidecar_config.json says what may stand there, and every default.
 *
 * Ownership  The config owns every text; the token is wiped by config_finish.
 */
#ifndef SIDECAR_CONFIG_H
#define SIDECAR_CONFIG_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"
#include "os/log.h"
#include "sidecar/config_file.h"

enum config_mode {
    CONFIG_COMMAND, /* a command of ours to run */
    CONFIG_WAKE,    /* AgentCom v1.1's wake_command and result files */
};

struct config {
    struct arena arena;
    const char *folder; /* of the file; where relative paths start */
    const char *agent_id;
    const char *name;
    char *token;
    struct slice hub_host;
    uint16_t hub_port;
    const char *hub_path;
    bool hub_tls;
    const char *hub_api_url;
    const char *ca_file;
    struct slice_list capabilities;
    enum config_mode mode;
    char **argv; /* of the command, or of the shell that runs it */
    const char *working_dir;
    const char *repo_dir;
    const char *reviewer;
    struct slice_list environment;
    struct slice wake_command;
    int64_t *wake_retry_delays_ms;
    size_t wake_retries;
    const char *results_dir;
    const char *outbox_dir;
    const char *log_file;
    enum log_level log_level;
    int64_t max_concurrent;
    int64_t time_limit_ms;
    int64_t kill_grace_ms;
    int64_t drain_limit_ms;
    int64_t lease_renew_ms;
    int64_t confirmation_timeout_ms;
    int64_t wake_timeout_ms;
    size_t output_bytes_max;
    size_t report_bytes_max;
};

/* ERR_INVALID (the file is wrong), ERR_IO, ERR_NOT_FOUND, ERR_MEMORY: *ret_problem says
 * where and why. Reads the file and the token file, checks that the command exists,
 * makes nothing. */
enum err config_load(const char *path, struct config *ret_config,
                     char ret_problem[CONFIG_PROBLEM_BYTES]);
void config_finish(struct config *config);

#endif
