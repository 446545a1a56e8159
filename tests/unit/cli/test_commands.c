/*
 * Goal: every row of the command line agrees with the route it calls, so that help, the
 * request and the table shown are made from what schemas/ says.
 */
#include "cmocka_all.h"

#include "cli/command.h"
#include "cli/listing.h"
#include "message/help.h"
#include "message/row.h"

#include <string.h>

static const struct field *field_find(const struct field_table *table, struct slice name)
{
    for (size_t i = 0; i < table->count; i++)
        if (slice_equal(table->fields[i].name, name))
            return &table->fields[i];
    return NULL;
}

/* By its path: priority, bind.kind. */
static const struct field *field_at(const struct field_table *table, const char *path)
{
    struct slice rest = slice_from_text(path);
    for (;;) {
        size_t dot = slice_find(rest, '.');
        const struct field *field =
            table == NULL ? NULL : field_find(table, slice_make(rest.data, dot));
        if (field == NULL || dot == rest.size)
            return field;
        table = field->nested;
        rest = slice_skip(rest, dot + 1);
    }
}

static const struct field *request_field(enum message_type route, const char *path)
{
    return field_at(MESSAGE_ROWS[route].table, path);
}

static bool is_explained(enum message_type route, const char *field)
{
    for (size_t i = 0; i < ROUTE_HELP[route].count; i++)
        if (strcmp(ROUTE_HELP[route].fields[i].name, field) == 0)
            return ROUTE_HELP[route].fields[i].text[0] != '\0';
    return false;
}

typedef void check_fn(const struct command_group *group, const struct command *command);

static void each_command(check_fn *check)
{
    for (size_t i = 0; i < COMMAND_GROUP_COUNT; i++)
        for (size_t k = 0; k < COMMAND_GROUPS[i]->count; k++)
            check(COMMAND_GROUPS[i], &COMMAND_GROUPS[i]->commands[k]);
}

static void fail_at(const struct command_group *group, const struct command *command,
                    const char *what, const char *name)
{
    fail_msg("drover %s %s: %s %s", group->name != NULL ? group->name : "", command->name,
             name, what);
}

static void row_check(const struct command_group *group, const struct command *command)
{
    const struct message_row *row = &MESSAGE_ROWS[command->route];
    int ways = (command->run != NULL) + (command->show != NULL) +
               (command->list != NULL) + (command->done != NULL);
    if (ways != 1)
        fail_at(group, command, "says not in one way what happens", "it");
    if (command->route == MESSAGE_NONE) {
        if (command->summary == NULL || command->run == NULL)
            fail_at(group, command, "needs a summary and a function", "without a hub it");
        return;
    }
    if (row->direction != DIRECTION_HTTP_REQUEST)
        fail_at(group, command, "is no route", "what it calls");
    if (command->done != NULL && command->arguments[0].name == NULL)
        fail_at(group, command, "needs an argument", "done");
}

static void every_row_calls_a_route_in_one_way(void **state)
{
    (void)state;
    each_command(row_check);
}

static void fill_check(const struct command_group *group, const struct command *command,
                       const char *name, const char *field)
{
    if (command->route == MESSAGE_NONE || request_field(command->route, field) == NULL)
        fail_at(group, command, "fills no field of its route", name);
    if (!is_explained(command->route, field))
        fail_at(group, command, "is not explained in schemas/", name);
}

static void option_check(const struct command_group *group, const struct command *command)
{
    for (size_t i = 0; i < OPTIONS_MAX && command->options[i].name != NULL; i++) {
        const struct option *option = &command->options[i];
        if (option->field == NULL) {
            if (option->help == NULL)
                fail_at(group, command, "has no help", option->name);
            continue;
        }
        fill_check(group, command, option->name, option->field);
        const struct field *field = request_field(command->route, option->field);
        if ((option->value == NULL) != (field->kind == FIELD_BOOL))
            fail_at(group, command, "has a value where it is no yes or no", option->name);
        if (option->form != FORM_PLAIN && field->kind != FIELD_INTEGER)
            fail_at(group, command, "is no number that a time could be", option->name);
        if (option->repeats)
            fail_at(group, command, "repeats as its field says", option->name);
    }
}

static void every_option_fills_a_field_or_has_help_of_its_own(void **state)
{
    (void)state;
    each_command(option_check);
}

static void argument_check(const struct command_group *group,
                           const struct command *command)
{
    for (size_t i = 0; i < ARGUMENTS_MAX && command->arguments[i].name != NULL; i++) {
        const struct argument *argument = &command->arguments[i];
        if (argument->field != NULL)
            fill_check(group, command, argument->name, argument->field);
        if (argument->form != FORM_PLAIN &&
            (argument->field == NULL ||
             request_field(command->route, argument->field)->kind != FIELD_INTEGER))
            fail_at(group, command, "is no number that a time could be", argument->name);
        if (argument->field != NULL)
            continue;
        if (argument->help == NULL)
            fail_at(group, command, "has no help", argument->name);
    }
}

static void every_argument_fills_a_field_or_has_help_of_its_own(void **state)
{
    (void)state;
    each_command(argument_check);
}

static bool field_is_filled(const struct command *command, struct slice name)
{
    for (size_t i = 0; i < OPTIONS_MAX && command->options[i].name != NULL; i++)
        if (command->options[i].field != NULL &&
            slice_equal_text(name, command->options[i].field))
            return true;
    for (size_t i = 0; i < ARGUMENTS_MAX && command->arguments[i].name != NULL; i++)
        if (command->arguments[i].field != NULL &&
            slice_equal_text(name, command->arguments[i].field))
            return true;
    return false;
}

static void required_check(const struct command_group *group,
                           const struct command *command)
{
    const struct field_table *table = MESSAGE_ROWS[command->route].table;
    for (size_t i = 0; command->run == NULL && i < table->count; i++)
        if (table->fields[i].required && !field_is_filled(command, table->fields[i].name))
            fail_at(group, command, "is required and filled by nothing",
                    table->fields[i].name.data);
}

static void what_a_route_requires_is_filled(void **state)
{
    (void)state;
    each_command(required_check);
}

static void list_check(const struct command_group *group, const struct command *command)
{
    if (command->list == NULL)
        return;
    /* Behind each route's row stands that of its success answer. */
    const struct field_table *answer = MESSAGE_ROWS[command->route + 1].table;
    const struct field *list = field_find(answer, slice_from_text(command->list->member));
    if (list == NULL || list->kind != FIELD_OBJECTS) {
        fail_at(group, command, "is no list of the answer's", command->list->member);
        return;
    }
    for (size_t i = 0; i < TABLE_COLUMNS_MAX && command->list->columns[i].head != NULL;
         i++) {
        const struct column *column = &command->list->columns[i];
        bool known = column->field == NULL
                         ? column->cell != NULL
                         : field_at(list->nested, column->field) != NULL;
        if (!known)
            fail_at(group, command, "is a column of nothing in the answer", column->head);
    }
}

static void every_column_shows_a_field_of_the_answer(void **state)
{
    (void)state;
    each_command(list_check);
}

static void names_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < COMMAND_GROUP_COUNT; i++)
        for (size_t k = 0; k < COMMAND_GROUPS[i]->count; k++)
            assert_ptr_equal(
                command_find(COMMAND_GROUPS[i], COMMAND_GROUPS[i]->commands[k].name),
                &COMMAND_GROUPS[i]->commands[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_calls_a_route_in_one_way),
        cmocka_unit_test(every_option_fills_a_field_or_has_help_of_its_own),
        cmocka_unit_test(every_argument_fills_a_field_or_has_help_of_its_own),
        cmocka_unit_test(what_a_route_requires_is_filled),
        cmocka_unit_test(every_column_shows_a_field_of_the_answer),
        cmocka_unit_test(names_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
