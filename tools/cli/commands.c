#include "cli/command.h"

#include <stdio.h>

const struct option GLOBAL_OPTIONS[] = {
    { .name = "--hub",
      .value = "URL",
      .help = "The hub ($DROVER_HUB, else http://127.0.0.1:4000)." },
    { .name = "--token",
      .value = "TOKEN",
      .help = "The token ($DROVER_TOKEN); others can see it in the list of processes." },
    { .name = "--token-file",
      .value = "FILE",
      .help = "A file with the token ($DROVER_TOKEN_FILE)." },
    { .name = "--ca", .value = "FILE", .help = "Authorities to trust for https." },
    { .name = "--timeout",
      .value = "TIME",
      .help = "Wait no longer: 30, 500ms, 5m, 2h." },
    { .name = "--json", .help = "Print the hub's answer as it came." },
    { .name = "--help", .help = "Help on a command." },
};
const size_t GLOBAL_OPTION_COUNT = sizeof GLOBAL_OPTIONS / sizeof GLOBAL_OPTIONS[0];

static enum outcome help_run(struct invocation *invocation)
{
    size_t count = invocation->argument_count;
    const char *first = count > 0 ? invocation->arguments[0] : NULL;
    const char *second = count > 1 ? invocation->arguments[1] : NULL;
    const struct command_group *words = group_find(NULL);
    const struct command_group *group = first != NULL ? group_find(first) : NULL;
    const struct command *command =
        first != NULL && second == NULL ? command_find(words, first) : NULL;
    if (group != NULL && second != NULL)
        command = command_find(group, second);
    if (command != NULL)
        help_command(group != NULL ? group : words, command);
    else if (first == NULL || (group != NULL && second == NULL))
        help_all(group);
    else
        return complain(OUTCOME_USAGE, "there is no command %s%s%s", first,
                        second != NULL ? " " : "", second != NULL ? second : "");
    return OUTCOME_OK;
}

static enum outcome version_run(struct invocation *invocation)
{
    (void)invocation;
    (void)puts("drover " DROVER_VERSION);
    return OUTCOME_OK;
}

static const struct command COMMANDS[] = {
    { .name = "help",
      .run = help_run,
      .summary = "This help, or that on a command.",
      .arguments = { { .name = "[GROUP]", .help = "task, agent and so on." },
                     { .name = "[COMMAND]", .help = "Its command." } } },
    { .name = "version", .run = version_run, .summary = "Prints the version." },
};

static const struct command_group WORD_GROUP = { NULL, COMMANDS,
                                                 sizeof COMMANDS / sizeof COMMANDS[0] };

const struct command_group *const COMMAND_GROUPS[] = {
    &TASK_GROUP,   &AGENT_GROUP,   &TOKEN_GROUP,   &HUB_GROUP,     &IMPORT_GROUP,
    &SCHEMA_GROUP, &MESSAGE_GROUP, &CHANNEL_GROUP, &MAILBOX_GROUP, &RATE_GROUP,
    &STORE_GROUP,  &BACKUP_GROUP,  &EVENTS_GROUP,  &WORD_GROUP,
};
const size_t COMMAND_GROUP_COUNT = sizeof COMMAND_GROUPS / sizeof COMMAND_GROUPS[0];
