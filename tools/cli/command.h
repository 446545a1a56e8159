/*
 * command.h - the commands as data: one row each, from which the line is read, the
 * request is made and the help is written.
 *
 * A row names its route. Whatever option or argument fills a field of that route is
 * explained by the field's description in schemas/, and the command by the route's
 * summary; only what the command line adds of its own has a text here.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/client.h"
#include "message/message.h"

enum { GIVEN_MAX = 256, WORDS_MAX = 1024, OPTIONS_MAX = 16, ARGUMENTS_MAX = 3 };

/* How a number may be written. */
enum option_form {
    FORM_PLAIN,
    FORM_MOMENT,   /* as for moment_read() */
    FORM_DURATION, /* as for duration_read() */
};

struct option {
    const char *name;  /* --priority */
    const char *value; /* what stands behind it, in the help; NULL: nothing does */
    const char *field; /* of the command's route: priority, bind.kind; NULL: none */
    const char *help;  /* whole sentences; behind the field's own where there is one */
    enum option_form form;
    bool repeats;
};

struct argument {
    const char *name; /* TASK; [FILE] may be left out, [FILE...] are as many as come */
    const char *field;
    const char *help;
    enum option_form form;
};

struct given {
    const struct option *option;
    const char *value; /* NULL for an option without one */
};

struct invocation;
struct listing;

/* One of run, show, list and done says what happens. All but run make the request from
 * the row, tell what went wrong, and with --json print the answer as it came. */
struct command {
    const char *name;
    enum message_type route; /* MESSAGE_NONE: needs no hub */
    const char *summary;     /* NULL: the route's */
    struct argument arguments[ARGUMENTS_MAX];
    struct option options[OPTIONS_MAX];
    enum outcome (*run)(struct invocation *invocation);
    enum outcome (*show)(const struct answer *answer);
    const struct listing *list; /* cli/listing.h */
    const char *done;           /* printed behind the first argument */
};

struct command_group {
    const char *name; /* task; NULL: commands of one word */
    const struct command *commands;
    size_t count;
};

/* One command line, read. */
struct invocation {
    const struct command_group *group;
    const struct command *command;
    struct given given[GIVEN_MAX];
    size_t given_count;
    const char *arguments[WORDS_MAX];
    size_t argument_count;
    bool json; /* the hub's bytes, not a text for people */
    bool help;
    int64_t timeout_ms; /* 0: as each command sees fit */
    struct client_settings settings;
    struct client *client;
};

extern const struct command_group *const COMMAND_GROUPS[];
extern const size_t COMMAND_GROUP_COUNT;
extern const struct option GLOBAL_OPTIONS[];
extern const size_t GLOBAL_OPTION_COUNT;

/* Where a user's own token stands when nobody says otherwise; false without a home. */
bool token_home_path(char *path, size_t size);

/* The value of an option, or NULL; the last one counts. */
const char *given_value(const struct invocation *invocation, const char *name);
bool given_has(const struct invocation *invocation, const char *name);

/* The values of a repeated option, one a call: start with *at 0. NULL at the end. */
const char *given_next(const struct invocation *invocation, const char *name, size_t *at);

/* Reads the words of a line into *invocation, or says on standard error what is wrong. */
enum outcome line_read(int argc, char **argv, struct invocation *invocation);

/* The group and the command of these names. NULL where there is none. */
const struct command_group *group_find(const char *name);
const struct command *command_find(const struct command_group *group, const char *name);

/* Fewest and most arguments. */
void arguments_bounds(const struct command *command, size_t *ret_fewest,
                      size_t *ret_most);

/* Help on one command, on a group, or (NULL) on all. */
void help_command(const struct command_group *group, const struct command *command);
void help_all(const struct command_group *group);

/* "task submit [OPTION...] DESCRIPTION", at most `room` bytes with the end. */
void usage_write(const struct command_group *group, const struct command *command,
                 bool options, char *line, size_t room);

/* --- common to the commands --- */

/* Says what went wrong: on standard error, with --json the hub's own words on standard
 * output. Returns the outcome. */
enum outcome answer_tell(const struct invocation *invocation,
                         const struct answer *answer);

/* The hub's bytes as they came, and a line break. */
enum outcome answer_print(const struct answer *answer);

/* "drover: " and the text, on standard error. */
enum outcome complain(enum outcome outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Members of an answer; the absent slice, 0 or false where there is none. */
struct slice member_text(const struct answer *answer, const struct json_node *object,
                         const char *name);
int64_t member_number(const struct answer *answer, const struct json_node *object,
                      const char *name);
const struct json_node *member_of(const struct answer *answer,
                                  const struct json_node *object, const char *name);

/* Lower-case words of the lanes, by number. */
const char *priority_name(int64_t priority);

/* hub enrol: the first administrator's token comes into a file. */
enum outcome enrol_run(struct invocation *invocation);

/* "500ms", "30", "30s", "10m", "2h", "1d": milliseconds. False for anything else. */
bool duration_read(const char *text, int64_t *ret_ms);

/* "+DURATION", Unix milliseconds, or 2026-01-02T03:04:05Z: Unix milliseconds. */
bool moment_read(const char *text, int64_t *ret_wall_ms);

/* --- the commands --- */
extern const struct command_group TASK_GROUP;
extern const struct command_group AGENT_GROUP;
extern const struct command_group TOKEN_GROUP;
extern const struct command_group RATE_GROUP;
extern const struct command_group SCHEMA_GROUP;
extern const struct command_group STORE_GROUP;
extern const struct command_group BACKUP_GROUP;
extern const struct command_group HUB_GROUP;
extern const struct command_group MESSAGE_GROUP;
extern const struct command_group CHANNEL_GROUP;
extern const struct command_group MAILBOX_GROUP;
extern const struct command_group IMPORT_GROUP;
extern const struct command_group EVENTS_GROUP;

#endif
