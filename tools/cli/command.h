/*
 * command.h - the commands as data: one row each, from which the line is read and the
 * help is written.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/client.h"

enum { GIVEN_MAX = 256, ARGUMENTS_MAX = 1024, OPTIONS_MAX = 16 };

struct option {
    const char *name;  /* --priority */
    const char *value; /* what stands behind it, in the help; NULL: nothing does */
    const char *help;
    bool repeats;
};

struct given {
    const struct option *option;
    const char *value; /* NULL for an option without one */
};

struct invocation;

struct command {
    const char *group; /* "task"; NULL for a command of one word */
    const char *name;
    const char *arguments; /* in the help */
    const char *summary;
    size_t arguments_min;
    size_t arguments_max;
    bool offline; /* needs no hub */
    struct option options[OPTIONS_MAX];
    enum outcome (*run)(struct invocation *invocation);
};

/* One command line, read. */
struct invocation {
    const struct command *command;
    struct given given[GIVEN_MAX];
    size_t given_count;
    const char *arguments[ARGUMENTS_MAX];
    size_t argument_count;
    bool json; /* the hub's bytes, not a text for people */
    bool help;
    int64_t timeout_ms; /* 0: as each command sees fit */
    struct client_settings settings;
    struct client *client;
};

extern const struct command COMMANDS[];
extern const size_t COMMAND_COUNT;
extern const struct option GLOBAL_OPTIONS[];
extern const size_t GLOBAL_OPTION_COUNT;

/* The value of an option, or NULL; the last one counts. */
const char *given_value(const struct invocation *invocation, const char *name);
bool given_has(const struct invocation *invocation, const char *name);

/* The values of a repeated option, one a call: start with *at 0. NULL at the end. */
const char *given_next(const struct invocation *invocation, const char *name, size_t *at);

/* Reads the words of a line into *invocation, or says on standard error what is wrong. */
enum outcome line_read(int argc, char **argv, struct invocation *invocation);

/* Help on one command, on a group, or on all. */
void help_command(const struct command *command);
void help_all(const char *group);

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

/* Polls a task until it has ended; tells what happens meanwhile. */
enum outcome task_follow(struct invocation *invocation, struct slice task_id);

/* What is known about a task. */
enum outcome task_print(const struct answer *answer);

/* "500ms", "30", "30s", "10m", "2h", "1d": milliseconds. False for anything else. */
bool duration_read(const char *text, int64_t *ret_ms);

/* "+DURATION", Unix milliseconds, or 2026-01-02T03:04:05Z: Unix milliseconds. */
bool moment_read(const char *text, int64_t *ret_wall_ms);

/* --- the commands --- */
enum outcome task_submit_run(struct invocation *invocation);
enum outcome task_list_run(struct invocation *invocation);
enum outcome task_show_run(struct invocation *invocation);
enum outcome task_watch_run(struct invocation *invocation);
enum outcome task_cancel_run(struct invocation *invocation);
enum outcome task_retry_run(struct invocation *invocation);
enum outcome agent_list_run(struct invocation *invocation);
enum outcome agent_register_run(struct invocation *invocation);
enum outcome token_create_run(struct invocation *invocation);
enum outcome token_list_run(struct invocation *invocation);
enum outcome token_revoke_run(struct invocation *invocation);
enum outcome hub_health_run(struct invocation *invocation);
enum outcome schema_check_run(struct invocation *invocation);
enum outcome schema_suite_run(struct invocation *invocation);
enum outcome schema_push_run(struct invocation *invocation);
enum outcome schema_list_run(struct invocation *invocation);
enum outcome schema_show_run(struct invocation *invocation);
enum outcome schema_delete_run(struct invocation *invocation);
enum outcome help_run(struct invocation *invocation);
enum outcome version_run(struct invocation *invocation);

#endif
