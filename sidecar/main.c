/*
 * drover-sidecar: one agent's side of the hub. See drover-sidecar(1).
 */
#include "sidecar/sidecar.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

enum { EXIT_USAGE = 2 };

static const char USAGE[] =
    "usage: drover-sidecar --config FILE [--check-config]\n"
    "       drover-sidecar --help | --version\n"
    "\n"
    "Connects an agent to the hub: takes its tasks, runs its command for each, and\n"
    "delivers the results, whatever happens to the connection in between.\n"
    "\n"
    "  --config FILE   the settings, see drover-sidecar(1)\n"
    "  --check-config  only check the settings\n";

struct arguments {
    const char *config;
    bool check;
};

static const char *status_text(int status)
{
    switch (status) {
    case EXIT_UNAVAILABLE:
        return "another connection of the same agent took over";
    case EXIT_CANNOT_CREATE:
        return "the outbox or the results cannot be created";
    case EXIT_IN_USE:
        return "another sidecar uses the outbox";
    case EXIT_NO_PERMISSION:
        return "the hub does not take the token";
    case EXIT_CONFIG:
        return "the settings are wrong";
    default:
        return "it cannot go on";
    }
}

/* The exit status to end with at once, or -1. */
static int arguments_read(int argc, char **argv, struct arguments *arguments)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            (void)fputs(USAGE, stdout);
            return 0;
        }
        if (strcmp(word, "--version") == 0) {
            (void)puts("drover-sidecar " DROVER_VERSION);
            return 0;
        }
        if (strcmp(word, "--check-config") == 0) {
            arguments->check = true;
        } else if (strncmp(word, "--config=", 9) == 0) {
            arguments->config = word + 9;
        } else if (strcmp(word, "--config") == 0 && i + 1 < argc) {
            arguments->config = argv[++i];
        } else {
            (void)fprintf(stderr, "drover-sidecar: what is %s?\n%s", word, USAGE);
            return EXIT_USAGE;
        }
    }
    if (arguments->config != NULL)
        return -1;
    (void)fprintf(stderr, "drover-sidecar: --config FILE is missing\n%s", USAGE);
    return EXIT_USAGE;
}

static int configured_run(const struct config *config)
{
    log_set_level(config->log_level);
    if (config->log_file != NULL) {
        if (log_open(config->log_file) != ERR_OK) {
            (void)fprintf(stderr, "drover-sidecar: cannot open the log %s\n",
                          config->log_file);
            return EXIT_CANNOT_CREATE;
        }
        (void)fprintf(stderr, "drover-sidecar: agent %s, log in %s\n", config->agent_id,
                      config->log_file);
    }
    int status = sidecar_run(config);
    if (status != 0)
        (void)fprintf(stderr, "drover-sidecar: %s (exit status %d), see the log\n",
                      status_text(status), status);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = { NULL, false };
    int status = arguments_read(argc, argv, &arguments);
    if (status >= 0)
        return status;

    /* The token is in this memory. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    struct config config;
    char problem[CONFIG_PROBLEM_BYTES];
    if (config_load(arguments.config, &config, problem) != ERR_OK) {
        (void)fprintf(stderr, "drover-sidecar: %s: %s\n", arguments.config, problem);
        return EXIT_CONFIG;
    }
    if (arguments.check)
        (void)printf("%s: all right\n", arguments.config);
    else
        status = configured_run(&config);
    config_finish(&config);
    return arguments.check ? 0 : status;
}
