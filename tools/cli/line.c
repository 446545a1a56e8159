/* The command line: which command, with which options and arguments. */
#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { USAGE_BYTES = 256 };

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

const struct command_group *group_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_GROUP_COUNT; i++) {
        const char *known = COMMAND_GROUPS[i]->name;
        if (known == name || (known != NULL && name != NULL && strcmp(known, name) == 0))
            return COMMAND_GROUPS[i];
    }
    return NULL;
}

const struct command *command_find(const struct command_group *group, const char *name)
{
    for (size_t i = 0; i < group->count; i++)
        if (strcmp(group->commands[i].name, name) == 0)
            return &group->commands[i];
    return NULL;
}

void arguments_bounds(const struct command *command, size_t *ret_fewest, size_t *ret_most)
{
    size_t count = 0;
    *ret_fewest = 0;
    *ret_most = 0;
    for (; count < ARGUMENTS_MAX && command->arguments[count].name != NULL; count++) {
        const char *name = command->arguments[count].name;
        *ret_fewest += name[0] != '[';
        *ret_most = strstr(name, "...") != NULL ? WORDS_MAX : *ret_most + 1;
    }
}

/* A word that is no option: part of the command's name, or an argument. */
static enum outcome word_read(struct invocation *invocation, const char *word)
{
    const struct command_group *group = invocation->group;
    if (invocation->command == NULL && group == NULL) {
        group = group_find(NULL);
        invocation->command = command_find(group, word);
        invocation->group = invocation->command != NULL ? group : group_find(word);
        return invocation->group != NULL
                   ? OUTCOME_OK
                   : complain(OUTCOME_USAGE, "there is no command %s (see drover help)",
                              word);
    }
    if (invocation->command == NULL) {
        invocation->command = command_find(group, word);
        return invocation->command != NULL
                   ? OUTCOME_OK
                   : complain(OUTCOME_USAGE,
                              "there is no command %s %s (see drover help)", group->name,
                              word);
    }
    if (invocation->argument_count == WORDS_MAX)
        return complain(OUTCOME_USAGE, "these are too many arguments");
    invocation->arguments[invocation->argument_count++] = word;
    return OUTCOME_OK;
}

static enum outcome arguments_check(const struct invocation *invocation)
{
    size_t count = invocation->argument_count;
    size_t fewest;
    size_t most;
    char usage[USAGE_BYTES];
    arguments_bounds(invocation->command, &fewest, &most);
    if (count >= fewest && count <= most)
        return OUTCOME_OK;
    usage_write(invocation->group, invocation->command, false, usage, sizeof usage);
    return complain(OUTCOME_USAGE, "%s: drover %s",
                    count < fewest ? "something is missing" : "that is too much", usage);
}

enum outcome line_read(int argc, char **argv, struct invocation *invocation)
{
    bool options_over = false;
    enum outcome outcome = OUTCOME_OK;
    for (int at = 1; at < argc && outcome == OUTCOME_OK; at++) {
        const char *word = argv[at];
        if (!options_over && strcmp(word, "--") == 0)
            options_over = true;
        else if (!options_over && strcmp(word, "-h") == 0)
            invocation->help = true;
        else if (at == 1 && strcmp(word, "--version") == 0)
            outcome = word_read(invocation, "version");
        else if (!options_over && word[0] == '-' && word[1] != '\0')
            outcome = option_read(invocation, argc, argv, &at);
        else
            outcome = word_read(invocation, word);
    }
    if (outcome != OUTCOME_OK)
        return outcome;
    invocation->help = invocation->help || given_has(invocation, "--help");
    invocation->json = given_has(invocation, "--json");
    if (invocation->help) {
        if (invocation->command != NULL)
            help_command(invocation->group, invocation->command);
        else
            help_all(invocation->group);
        return OUTCOME_OK;
    }
    if (invocation->command == NULL) {
        help_all(invocation->group);
        return OUTCOME_USAGE;
    }
    return arguments_check(invocation);
}
