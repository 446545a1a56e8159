#include "cli/command.h"
#include "cli/hub_config.h"
#include "cli/screen.h"

#include <stdio.h>

static enum outcome health_show(const struct answer *answer)
{
    struct buffer status;
    buffer_init(&status, 4096);
    text_escape(member_text(answer, answer->root, "status"), false, "", &status);
    (void)printf("%.*s, %lld agents connected\n", (int)status.size,
                 status.size > 0 ? status.data : "",
                 (long long)member_number(answer, answer->root, "agents_connected"));
    buffer_finish(&status);
    return OUTCOME_OK;
}

static enum outcome reset_show(const struct answer *answer)
{
    (void)answer;
    (void)puts("begun: the hub's log tells its end");
    return OUTCOME_OK;
}

static const struct command COMMANDS[] = {
    { .name = "health", .route = MESSAGE_GET_HEALTH, .show = health_show },
    { .name = "enrol",
      .route = MESSAGE_POST_ENROL,
      .run = enrol_run,
      .summary = "Makes the first administrator, by the secret in the data directory.",
      .arguments = { { .name = "[ADMINISTRATOR]", .field = "agent_id" } },
      .options = { { .name = "--data",
                     .value = "DIR",
                     .help = "The hub's data directory (./drover-data)." },
                   { .name = "--out",
                     .value = "FILE",
                     .help = "Where the token goes ($DROVER_TOKEN_FILE, else "
                             "~/.config/drover/token)." },
                   { .name = "--force", .help = "Replace what stands there." } } },
    { .name = "config",
      .route = MESSAGE_GET_HEARTBEAT_INTERVAL,
      .run = hub_config_run,
      .summary = "Shows what is set while the hub runs, and sets it.",
      .options = { { .name = "--heartbeat",
                     .value = "TIME",
                     .help = "How often an agent should give a sign of life." },
                   { .name = "--mailbox-retention",
                     .value = "TIME",
                     .help = "How long a mailbox keeps a message." },
                   { .name = "--default-repo",
                     .value = "URL",
                     .help = "The repository that new agents start with; empty for "
                             "none." } } },
    { .name = "log-level",
      .route = MESSAGE_PUT_LOG_LEVEL,
      .done = "is logged from now on",
      .arguments = { { .name = "LEVEL", .field = "level" } } },
    { .name = "reset", .route = MESSAGE_POST_ADMIN_RESET, .show = reset_show },
};

const struct command_group HUB_GROUP = { "hub", COMMANDS,
                                         sizeof COMMANDS / sizeof COMMANDS[0] };
