#include "cli/command.h"

#include <stdio.h>
#include <string.h>

const struct option GLOBAL_OPTIONS[] = {
    { "--hub", "URL", "the hub ($DROVER_HUB, else http://127.0.0.1:4000)", false },
    { "--token", "TOKEN", "others can see it in the list of processes ($DROVER_TOKEN)",
      false },
    { "--token-file", "FILE", "a file with the token ($DROVER_TOKEN_FILE)", false },
    { "--ca", "FILE", "authorities to trust for https", false },
    { "--timeout", "TIME", "wait no longer: 30, 500ms, 5m, 2h", false },
    { "--json", NULL, "print the hub's answer as it came", false },
    { "--help", NULL, "help on a command", false },
};
const size_t GLOBAL_OPTION_COUNT = sizeof GLOBAL_OPTIONS / sizeof GLOBAL_OPTIONS[0];

const struct command COMMANDS[] = {
    { "task",
      "submit",
      "DESCRIPTION|-",
      "submit a task; - reads it from standard input",
      1,
      1,
      false,
      {
          { "--priority", "LANE", "urgent, high, normal (if not said) or low", false },
          { "--needs", "CAPABILITY", "an agent must be able to do this", true },
          { "--kind", "KIND", "what sort of task it is; schemas are bound to kinds",
            false },
          { "--metadata", "JSON", "an object the agent gets as it is", false },
          { "--max-retries", "N", "attempts before it is a dead letter (3)", false },
          { "--complete-by", "WHEN", "past it, it is taken back once", false },
          { "--not-before", "WHEN", "+10m, 2026-01-02T03:04:05Z, or Unix milliseconds",
            false },
          { "--depends-on", "TASK", "wait until that one is completed", true },
          { "--idempotency-key", "KEY", "the same key submits once", false },
          { "--wait", NULL, "stay until the task has ended", false },
      },
      task_submit_run },
    { "task",
      "list",
      "",
      "list tasks, oldest first",
      0,
      0,
      false,
      {
          { "--status", "STATE",
            "queued, assigned, working, completed, scheduled, blocked, cancelled, "
            "dead_letter",
            false },
          { "--priority", "LANE", "urgent, high, normal or low", false },
          { "--assigned-to", "AGENT", "only this agent's", false },
          { "--limit", "N", "at most this many (100)", false },
          { "--cursor", "CURSOR", "go on behind a former page", false },
          { "--all", NULL, "page after page, to the end", false },
      },
      task_list_run },
    { "task",
      "show",
      "TASK",
      "show a task; of one that waits, why",
      1,
      1,
      false,
      { { 0 } },
      task_show_run },
    { "task",
      "watch",
      "TASK",
      "follow a task to its end",
      1,
      1,
      false,
      { { 0 } },
      task_watch_run },
    { "task",
      "cancel",
      "TASK",
      "cancel a task; the agent that has it is told to stop",
      1,
      1,
      false,
      { { "--reason", "TEXT", "told to the agent", false } },
      task_cancel_run },
    { "task",
      "retry",
      "TASK",
      "queue a dead letter again",
      1,
      1,
      false,
      { { 0 } },
      task_retry_run },
    { "agent",
      "list",
      "",
      "list connected agents",
      0,
      0,
      false,
      { { 0 } },
      agent_list_run },
    { "agent",
      "register",
      "AGENT",
      "register an agent; prints a sidecar's settings",
      1,
      1,
      false,
      {
          { "--config-out", "FILE", "write the settings there, for the owner only",
            false },
          { "--can", "CAPABILITY", "what the agent can do", true },
          { "--command", "WORD", "the agent's command, word by word (cat)", true },
      },
      agent_register_run },
    { "token",
      "create",
      "AGENT",
      "make a token; it is shown only this once",
      1,
      1,
      false,
      { { "--role", "ROLE",
          "agent (if not said), submitter, viewer, operator, admin or enrol", false } },
      token_create_run },
    { "token",
      "list",
      "",
      "list tokens, without their text",
      0,
      0,
      false,
      { { 0 } },
      token_list_run },
    { "token",
      "revoke",
      "AGENT",
      "revoke an agent's tokens",
      1,
      1,
      false,
      { { 0 } },
      token_revoke_run },
    { "hub", "health", "", "is the hub up?", 0, 0, false, { { 0 } }, hub_health_run },
    { "schema",
      "check",
      "SCHEMA [INSTANCE...]",
      "check a JSON Schema, and files against it",
      1,
      ARGUMENTS_MAX,
      true,
      {
          { "--with", "FILE", "a schema that may be referred to", true },
          { "--strict", NULL, "refuse unknown keywords", false },
          { "--format", NULL, "assert formats", false },
          { "--json", NULL, "print the standard's basic output, a line a file", false },
      },
      schema_check_run },
    { "schema",
      "suite",
      "DIR",
      "run the JSON Schema Test Suite, draft 2020-12",
      1,
      1,
      true,
      {
          { "--optional", NULL, "also the optional tests of formats", false },
          { "--json", NULL, "print the counts alone, as JSON", false },
      },
      schema_suite_run },
    { "schema",
      "push",
      "NAME FILE",
      "register a schema of the fleet, or a new version of it",
      2,
      2,
      false,
      {
          { "--bind-kind", "KIND", "tasks of this kind are held to it", false },
          { "--part", "PART", "their payload (if not said) or their result", false },
          { "--unbind", NULL, "nothing is held to it any more", false },
          { "--expected-version", "N", "only if this is the current one; 0: none is",
            false },
          { "--dry-run", NULL, "tell what it would refuse, and change nothing", false },
      },
      schema_push_run },
    { "schema",
      "list",
      "",
      "list the schemas of the fleet",
      0,
      0,
      false,
      { { 0 } },
      schema_list_run },
    { "schema",
      "show",
      "NAME",
      "print a schema of the fleet",
      1,
      1,
      false,
      {
          { "--version", "N", "not the current version but this one", false },
          { "--history", NULL, "list its versions instead", false },
      },
      schema_show_run },
    { "schema",
      "delete",
      "NAME",
      "delete a schema of the fleet, with its versions",
      1,
      1,
      false,
      { { 0 } },
      schema_delete_run },
    { NULL, "help", "[COMMAND...]", "this help", 0, 2, true, { { 0 } }, help_run },
    { NULL, "version", "", "the version", 0, 0, true, { { 0 } }, version_run },
};
const size_t COMMAND_COUNT = sizeof COMMANDS / sizeof COMMANDS[0];

static void options_show(const struct option *options, size_t count)
{
    for (size_t i = 0; i < count && options[i].name != NULL; i++) {
        char left[64];
        (void)snprintf(left, sizeof left, "%s%s%s", options[i].name,
                       options[i].value != NULL ? " " : "",
                       options[i].value != NULL ? options[i].value : "");
        (void)printf("  %-24s  %s%s\n", left, options[i].help,
                     options[i].repeats ? "; may be repeated" : "");
    }
}

void help_command(const struct command *command)
{
    bool has_options = command->options[0].name != NULL;
    (void)printf(
        "usage: drover %s%s%s%s%s%s\n\n%s\n",
        command->group != NULL ? command->group : "", command->group != NULL ? " " : "",
        command->name, has_options ? " [OPTION...]" : "",
        command->arguments[0] != '\0' ? " " : "", command->arguments, command->summary);
    if (has_options) {
        (void)printf("\n");
        options_show(command->options, OPTIONS_MAX);
    }
    if (!command->offline) {
        (void)printf("\nFor all commands:\n");
        options_show(GLOBAL_OPTIONS, GLOBAL_OPTION_COUNT);
    }
}

void help_all(const char *group)
{
    (void)printf("usage: drover COMMAND [OPTION...]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const struct command *command = &COMMANDS[i];
        if (group != NULL &&
            (command->group == NULL || strcmp(group, command->group) != 0))
            continue;
        char left[64];
        (void)snprintf(
            left, sizeof left, "%s%s%s %s", command->group != NULL ? command->group : "",
            command->group != NULL ? " " : "", command->name, command->arguments);
        (void)printf("  %-34s  %s\n", left, command->summary);
    }
    (void)printf("\nFor all commands:\n");
    options_show(GLOBAL_OPTIONS, GLOBAL_OPTION_COUNT);
    (void)printf(
        "\nExit status: 0 ok, 1 failed, 2 usage, 3 not found, 4 conflict, 5 token,\n"
        "6 hub not available, 7 timeout. More on a command: drover COMMAND --help\n");
}

enum outcome help_run(struct invocation *invocation)
{
    const char *group = invocation->argument_count > 0 ? invocation->arguments[0] : NULL;
    const char *name = invocation->argument_count > 1 ? invocation->arguments[1] : NULL;
    bool known = group == NULL;
    for (size_t i = 0; i < COMMAND_COUNT && group != NULL; i++) {
        const struct command *command = &COMMANDS[i];
        bool in_group = command->group != NULL && strcmp(group, command->group) == 0;
        bool is_it = in_group
                         ? name != NULL && strcmp(name, command->name) == 0
                         : command->group == NULL && strcmp(group, command->name) == 0;
        known = known || (in_group && name == NULL) || is_it;
        if (is_it) {
            help_command(command);
            return OUTCOME_OK;
        }
    }
    if (!known)
        return complain(OUTCOME_USAGE, "there is no command %s%s%s", group,
                        name != NULL ? " " : "", name != NULL ? name : "");
    help_all(group);
    return OUTCOME_OK;
}

enum outcome version_run(struct invocation *invocation)
{
    (void)invocation;
    (void)puts("drover " DROVER_VERSION);
    return OUTCOME_OK;
}
