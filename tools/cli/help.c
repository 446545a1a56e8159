/* Help, from the commands' rows and from what schemas/ says. */
#include "cli/command.h"

#include "base/buffer.h"
#include "message/help.h"
#include "message/row.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_COLUMN = 28, LINE_COLUMNS = 80, TEXT_BYTES = 4096, USAGE_BYTES = 256 };

/* `left`, and the text beside it in lines that fit a terminal. */
static void entry_show(const char *left, const char *text)
{
    int column = printf("  %s", left);
    if (column > TEXT_COLUMN - 2) {
        (void)printf("\n");
        column = 0;
    }
    (void)printf("%*s", TEXT_COLUMN - column, "");
    column = TEXT_COLUMN;
    while (*text != '\0') {
        int size = (int)strcspn(text, " ");
        if (column > TEXT_COLUMN && column + 1 + size > LINE_COLUMNS) {
            (void)printf("\n%*s", TEXT_COLUMN, "");
            column = TEXT_COLUMN;
        }
        column += printf("%s%.*s", column > TEXT_COLUMN ? " " : "", size, text);
        text += size;
        text += strspn(text, " ");
    }
    (void)printf("\n");
}

/* What schemas/ says of a field; empty when there is none. */
static const char *field_text(const struct command *command, const char *field)
{
    const struct route_help *route = &ROUTE_HELP[command->route];
    for (size_t i = 0; field != NULL && i < route->count; i++)
        if (strcmp(route->fields[i].name, field) == 0)
            return route->fields[i].text;
    return "";
}

static void explained_show(const struct command *command, const char *left,
                           const char *field, const char *help, const char *more)
{
    char text[TEXT_BYTES];
    (void)snprintf(text, sizeof text, "%s %s %s", field_text(command, field),
                   help != NULL ? help : "", more);
    entry_show(left, text + strspn(text, " "));
}

static bool field_is_list(const struct command *command, const char *field)
{
    const struct field_table *table = MESSAGE_ROWS[command->route].table;
    for (size_t i = 0; field != NULL && i < table->count; i++)
        if (slice_equal_text(table->fields[i].name, field))
            return table->fields[i].kind == FIELD_TEXTS;
    return false;
}

static void options_show(const struct command *command, const struct option *options,
                         size_t count)
{
    for (size_t i = 0; i < count && options[i].name != NULL; i++) {
        const struct option *option = &options[i];
        bool repeats = option->repeats || field_is_list(command, option->field);
        char left[64];
        (void)snprintf(left, sizeof left, "%s%s%s", option->name,
                       option->value != NULL ? " " : "",
                       option->value != NULL ? option->value : "");
        explained_show(command, left, option->field, option->help,
                       repeats ? "May be repeated." : "");
    }
}

static void arguments_show(const struct command *command)
{
    for (size_t i = 0; i < ARGUMENTS_MAX && command->arguments[i].name != NULL; i++)
        explained_show(command, command->arguments[i].name, command->arguments[i].field,
                       command->arguments[i].help, "");
}

void usage_write(const struct command_group *group, const struct command *command,
                 bool options, char *line, size_t room)
{
    struct buffer text;
    buffer_init(&text, room);
    if (group->name != NULL) {
        buffer_append_text(&text, group->name);
        buffer_append_byte(&text, ' ');
    }
    buffer_append_text(&text, command->name);
    if (options && command->options[0].name != NULL)
        buffer_append_text(&text, " [OPTION...]");
    for (size_t i = 0; i < ARGUMENTS_MAX && command->arguments[i].name != NULL; i++) {
        buffer_append_byte(&text, ' ');
        buffer_append_text(&text, command->arguments[i].name);
    }
    struct slice whole = buffer_slice(&text);
    (void)snprintf(line, room, "%.*s", (int)whole.size, whole.data);
    buffer_finish(&text);
}

static const char *command_summary(const struct command *command)
{
    return command->summary != NULL ? command->summary
                                    : MESSAGE_ROWS[command->route].summary.data;
}

void help_command(const struct command_group *group, const struct command *command)
{
    char usage[USAGE_BYTES];
    usage_write(group, command, true, usage, sizeof usage);
    (void)printf("usage: drover %s\n\n%s\n", usage, command_summary(command));
    if (command->arguments[0].name != NULL) {
        (void)printf("\n");
        arguments_show(command);
    }
    if (command->options[0].name != NULL) {
        (void)printf("\n");
        options_show(command, command->options, OPTIONS_MAX);
    }
    if (command->route != MESSAGE_NONE) {
        (void)printf("\nFor all commands:\n");
        options_show(command, GLOBAL_OPTIONS, GLOBAL_OPTION_COUNT);
    }
}

static void group_show(const struct command_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        char usage[USAGE_BYTES];
        usage_write(group, &group->commands[i], false, usage, sizeof usage);
        entry_show(usage, command_summary(&group->commands[i]));
    }
}

void help_all(const struct command_group *group)
{
    (void)printf("usage: drover COMMAND [OPTION...]\n\n");
    for (size_t i = 0; i < COMMAND_GROUP_COUNT; i++)
        if (group == NULL || group == COMMAND_GROUPS[i])
            group_show(COMMAND_GROUPS[i]);
    (void)printf("\nFor all commands:\n");
    options_show(&group_find(NULL)->commands[0], GLOBAL_OPTIONS, GLOBAL_OPTION_COUNT);
    (void)printf(
        "\nExit status: 0 ok, 1 failed, 2 usage, 3 not found, 4 conflict, 5 token,\n"
        "6 hub not available, 7 timeout. More on a command: drover COMMAND --help\n");
}
