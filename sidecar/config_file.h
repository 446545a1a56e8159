/*
 * config_file.h - the settings as they stand: checked against the schema, with defaults.
 *
 * Ownership  Values are read into the arena given; the file owns its tapes.
 */
#ifndef SIDECAR_CONFIG_FILE_H
#define SIDECAR_CONFIG_FILE_H

#include "base/arena.h"
#include "json/json.h"

enum { CONFIG_PROBLEM_BYTES = 1024 };

struct config_file {
    struct buffer text;
    struct json *tape;
    struct json *schema_tape; /* where defaults stand */
    enum err err;             /* the first failure; sticky */
    char problem[CONFIG_PROBLEM_BYTES];
};

/* Reads and validates. To be closed also when it failed. */
enum err config_file_open(struct config_file *file, const char *path);
void config_file_close(struct config_file *file);

/* Records what is wrong with a setting, unless something is wrong already. */
void config_file_refuse(struct config_file *file, const char *name, const char *why);

/* The value, or the schema's default, or NULL. */
const struct json_node *config_value(const struct config_file *file, const char *name,
                                     const struct json **ret_tape);

/* NULL for a text that is neither there nor has a default. A text with a NUL inside is
 * refused. */
const char *config_text(struct config_file *file, struct arena *arena, const char *name);
int64_t config_number(struct config_file *file, const char *name);
struct slice_list config_texts(struct config_file *file, struct arena *arena,
                               const char *name);

#endif
