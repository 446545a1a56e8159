/*
 * config.h - the settings in force, from a file, the environment and flags.
 *
 * The rows of schemas/config.json say what there is; a flag wins over the environment, the
 * environment over the file, the file over the default. A setting that is unknown or out
 * of range is refused with its place and the reason.
 *
 * Ownership  A config owns its texts.
 * Threads    Filled once by the main thread, then read-only.
 */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include "base/arena.h"
#include "base/err.h"
#include "message/row.h"

#include <stdio.h>

struct setting_value {
    int64_t number; /* of a bool 0 or 1 */
    struct slice text;
    struct slice_list texts;
};

struct config {
    struct arena arena;
    struct setting_value values[SETTING_COUNT];
    FILE *complaints; /* one line per problem */
};

enum err config_init(struct config *config, FILE *complaints);
void config_finish(struct config *config);

/* Sets from what stands behind a flag or in the environment. ERR_INVALID: `place` and the
 * reason were written to the complaints. */
enum err config_set(struct config *config, enum setting setting, struct slice text,
                    const char *place);

/* ERR_INVALID: every problem of the file was written to the complaints. */
enum err config_read_file(struct config *config, const char *path);

/* Every DROVER_ variable that names a setting; one that names nothing of Drover's is a
 * problem. */
enum err config_read_environment(struct config *config, char *const *environment);

int64_t config_number(const struct config *config, enum setting setting);
bool config_bool(const struct config *config, enum setting setting);
struct slice config_text(const struct config *config, enum setting setting);
/* The same with a NUL behind it. */
const char *config_path(const struct config *config, enum setting setting);
struct slice_list config_texts(const struct config *config, enum setting setting);

#endif
