/*
 * schema_file.h - what the schema commands share: whole files, roomy limits, and what
 * went wrong as text.
 */
#ifndef CLI_SCHEMA_FILE_H
#define CLI_SCHEMA_FILE_H

#include "cli/command.h"
#include "schema/schema.h"

/* The user's own files on the user's own machine: far wider than what the hub takes. */
extern const struct json_limits SCHEMA_FILE_LIMITS;

struct schema_tools {
    struct schema_set *set;
    struct schema_run *run;
    struct json *json;
};

/* False without memory, said on standard error; finish it either way. */
bool schema_tools_init(struct schema_tools *tools);
void schema_tools_finish(struct schema_tools *tools);

/* Reads a file, or says on standard error why not: OUTCOME_NOT_FOUND or OUTCOME_FAILED.
 * "-" is standard input. */
enum outcome schema_file_read(const char *path, struct buffer *text);

/* The worse of two outcomes: a file that is not there tells more than a verdict. */
enum outcome outcome_worse(enum outcome one, enum outcome other);

enum outcome schema_check_run(struct invocation *invocation);
enum outcome schema_suite_run(struct invocation *invocation);

/* Writes the line, made harmless, to standard output. */
void schema_line_show(struct buffer *line);

#endif
