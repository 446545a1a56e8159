/* The command line: which command, with which options and arguments. */
#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum outcome complain(enum outcome outcome, const char *format, ...)
{
    va_list arguments;
    (void)fflush(stdout);
    (void)fputs("drover: ", stderr);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    return outcome;
}

const char *given_next(const struct invocation *invocation, const char *name, size_t *at)
{
    for (; *at < invocation->given_count; (*at)++) {
        const struct given *given = &invocation->given[*at];
        if (strcmp(given->option->name, name) == 0) {
            (*at)++;
            return given->value != NULL ? given->value : "";
        }
    }
    return NULL;
}

const char *given_value(const struct invocation *invocation, const char *name)
{
    size_t at = 0;
    const char *last = NULL;
    const char *value;
    while ((value = given_next(invocation, name, &at)) != NULL)
        last = value;
    return last;
}

bool given_has(const struct invocation *invocation, const char *name)
{
    return given_value(invocation, name) != NULL;
}

/* The option a word names, up to its '='. */
static const struct option *option_find(const struct option *options, size_t count,
                                        const char *word)
{
    size_t size = strcspn(word, "=");
    for (size_t i = 0; i < count && options[i].name != NULL; i++)
        if (strlen(options[i].name) == size && strncmp(options[i].name, word, size) == 0)
            return &options[i];
    return NULL;
}

/* Reads the option at argv[*at], and moves *at to its value where that is a word. */
static enum outcome option_read(struct invocation *invocation, int argc, char **argv,
                                int *at)
{
    const char *word = argv[*at];
    const struct option *option = option_find(GLOBAL_OPTIONS, GLOBAL_OPTION_COUNT, word);
    if (option == NULL && invocation->command != NULL)
        option = option_find(invocation->command->options, OPTIONS_MAX, word);
    if (option == NULL)
        return complain(OUTCOME_USAGE, "there is no option %s here", word);

    const char *value = strchr(word, '=');
    if (option->value == NULL && value != NULL)
        return complain(OUTCOME_USAGE, "%s takes no value", option->name);
    if (option->value != NULL && value == NULL) {
        if (*at + 1 >= argc)
            return complain(OUTCOME_USAGE, "%s needs %s", option->name, option->value);
        value = argv[++*at];
    } else if (value != NULL) {
        value++;
    }
    if (invocation->given_count == GIVEN_MAX)
        return complain(OUTCOME_USAGE, "these are too many options");
    invocation->given[invocation->given_count++] = (struct given){ option, value };
    return OUTCOME_OK;
}

static const struct command *command_find(const char *group, const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const struct command *command = &COMMANDS[i];
        bool same_group =
            group == NULL ? command->group == NULL
                          : command->group != NULL && strcmp(group, command->group) == 0;
        if (same_group && strcmp(name, command->name) == 0)
            return command;
    }
    return NULL;
}

static bool group_exists(const char *group)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (COMMANDS[i].group != NULL && strcmp(COMMANDS[i].group, group) == 0)
            return true;
    return false;
}

/* A word that is no option: part of the command's name, or an argument. */
static enum outcome word_read(struct invocation *invocation, const char **group,
                              const char *word)
{
    if (invocation->command == NULL && *group == NULL) {
        invocation->command = command_find(NULL, word);
        if (invocation->command != NULL)
            return OUTCOME_OK;
        if (!group_exists(word))
            return complain(OUTCOME_USAGE, "there is no command %s (see drover help)",
                            word);
        *group = word;
        return OUTCOME_OK;
    }
    if (invocation->command == NULL) {
        invocation->command = command_find(*group, word);
        if (invocation->command == NULL)
            return complain(OUTCOME_USAGE, "there is no command %s %s (see drover help)",
                            *group, word);
        return OUTCOME_OK;
    }
    if (invocation->argument_count == ARGUMENTS_MAX)
        return complain(OUTCOME_USAGE, "these are too many arguments");
    invocation->arguments[invocation->argument_count++] = word;
    return OUTCOME_OK;
}

static enum outcome arguments_check(const struct invocation *invocation)
{
    const struct command *command = invocation->command;
    size_t count = invocation->argument_count;
    if (count >= command->arguments_min && count <= command->arguments_max)
        return OUTCOME_OK;
    return complain(
        OUTCOME_USAGE, "%s: drover %s%s%s%s%s",
        count < command->arguments_min ? "something is missing" : "that is too much",
        command->group != NULL ? command->group : "", command->group != NULL ? " " : "",
        command->name, command->arguments[0] != '\0' ? " " : "", command->arguments);
}

enum outcome line_read(int argc, char **argv, struct invocation *invocation)
{
    const char *group = NULL;
    bool options_over = false;
    enum outcome outcome = OUTCOME_OK;
    for (int at = 1; at < argc && outcome == OUTCOME_OK; at++) {
        const char *word = argv[at];
        if (!options_over && strcmp(word, "--") == 0)
            options_over = true;
        else if (!options_over && strcmp(word, "-h") == 0)
            invocation->help = true;
        else if (at == 1 && strcmp(word, "--version") == 0)
            outcome = word_read(invocation, &group, "version");
        else if (!options_over && word[0] == '-' && word[1] != '\0')
            outcome = option_read(invocation, argc, argv, &at);
        else
            outcome = word_read(invocation, &group, word);
    }
    if (outcome != OUTCOME_OK)
        return outcome;
    invocation->help = invocation->help || given_has(invocation, "--help");
    invocation->json = given_has(invocation, "--json");
    if (invocation->help) {
        if (invocation->command != NULL)
            help_command(invocation->command);
        else
            help_all(group);
        return OUTCOME_OK;
    }
    if (invocation->command == NULL) {
        help_all(group);
        return OUTCOME_USAGE;
    }
    return arguments_check(invocation);
}
