#include "app/arguments.h"

#include <string.h>

struct reading {
    struct config *config;
    char *const *rest; /* of the arguments */
    enum errand errand;
    struct errand_subject subject;
    const char *file;
    bool apply; /* the first pass only looks for the file and the errand */
};

static bool errand_find(const char *argument, enum errand *ret_errand)
{
    static const struct {
        const char *flag;
        enum errand errand;
    } ERRANDS[] = {
        { "--check-config", ERRAND_CHECK },
        { "--help", ERRAND_HELP },
        { "-h", ERRAND_HELP },
        { "--version", ERRAND_VERSION },
        { "--new-enrolment", ERRAND_ENROLMENT },
        { "--verify-store", ERRAND_VERIFY_STORE },
        { "--verify-events", ERRAND_VERIFY_EVENTS },
        { "--store-figures", ERRAND_FIGURES },
        { "--merge-revoked", ERRAND_MERGE },
        { "--restore", ERRAND_RESTORE },
        { "--store-at", ERRAND_STORE_AT },
    };
    for (size_t i = 0; i < sizeof ERRANDS / sizeof *ERRANDS; i++)
        if (strcmp(argument, ERRANDS[i].flag) == 0) {
            *ret_errand = ERRANDS[i].errand;
            return true;
        }
    return false;
}

/* What has to stand behind the errand's flag; NULL: nothing. */
static const char *errand_wants(enum errand errand)
{
    switch (errand) {
    case ERRAND_VERIFY_STORE:
    case ERRAND_VERIFY_EVENTS:
    case ERRAND_FIGURES:
        return "a directory";
    case ERRAND_RESTORE:
    case ERRAND_MERGE:
        return "a backup";
    case ERRAND_STORE_AT:
        return "an event";
    case ERRAND_RUN:
    case ERRAND_CHECK:
    case ERRAND_HELP:
    case ERRAND_VERSION:
    case ERRAND_ENROLMENT:
        break;
    }
    return NULL;
}

/* It is about a directory of its own, not about the one in the settings. */
static bool errand_stands_alone(enum errand errand)
{
    return errand == ERRAND_VERIFY_STORE || errand == ERRAND_VERIFY_EVENTS ||
           errand == ERRAND_FIGURES;
}

/* The value of `--name=value` or of `--name value`; NULL when it is missing. */
static const char *value_take(struct reading *reading, struct slice argument,
                              struct slice name)
{
    if (name.size < argument.size)
        return argument.data + name.size + 1;
    return *reading->rest == NULL ? NULL : *reading->rest++;
}

static enum err setting_take(struct reading *reading, struct slice argument,
                             struct slice name, enum setting setting)
{
    const struct setting_row *row = &SETTING_ROWS[setting];
    bool bare = row->kind == SETTING_KIND_BOOL && name.size == argument.size;
    const char *value = bare ? "true" : value_take(reading, argument, name);
    if (value == NULL) {
        fprintf(reading->config->complaints, "drover-hub: %s wants a value\n",
                argument.data);
        return ERR_INVALID;
    }
    return reading->apply ? config_set(reading->config, setting, slice_from_text(value),
                                       row->flag.data)
                          : ERR_OK;
}

static enum err complain_missing(const struct reading *reading, const char *flag,
                                 const char *what)
{
    fprintf(reading->config->complaints, "drover-hub: %s wants %s\n", flag, what);
    return ERR_INVALID;
}

/* A flag that goes with the errand; ERR_NOT_FOUND: it is none. */
static enum err errand_flag_take(struct reading *reading, struct slice argument,
                                 struct slice name)
{
    struct errand_subject *subject = &reading->subject;
    const struct {
        enum errand errand;
        const char *flag;
        bool *said;
        const char **value;
        const char *what;
    } FLAGS[] = {
        { ERRAND_RESTORE, "--yes", &subject->sure, NULL, NULL },
        { ERRAND_RESTORE, "--force", &subject->forced, NULL, NULL },
        { ERRAND_VERIFY_STORE, "--force", &subject->forced, NULL, NULL },
        { ERRAND_STORE_AT, "--to", NULL, &subject->to, "a directory" },
        { ERRAND_STORE_AT, "--epoch", NULL, &subject->epoch, "a number" },
    };
    for (size_t i = 0; i < sizeof FLAGS / sizeof FLAGS[0]; i++) {
        if (FLAGS[i].errand != reading->errand || !slice_equal_text(name, FLAGS[i].flag))
            continue;
        if (FLAGS[i].value == NULL) {
            *FLAGS[i].said = true;
            return ERR_OK;
        }
        *FLAGS[i].value = value_take(reading, argument, name);
        return *FLAGS[i].value != NULL
                   ? ERR_OK
                   : complain_missing(reading, FLAGS[i].flag, FLAGS[i].what);
    }
    return ERR_NOT_FOUND;
}

static enum err argument_take(struct reading *reading, const char *text)
{
    struct slice argument = slice_from_text(text);
    struct slice name = { text, slice_find(argument, '=') };

    if (errand_find(text, &reading->errand)) {
        const char *wanted = errand_wants(reading->errand);
        if (wanted == NULL)
            return ERR_OK;
        reading->subject.text = *reading->rest == NULL ? NULL : *reading->rest++;
        return reading->subject.text != NULL ? ERR_OK
                                             : complain_missing(reading, text, wanted);
    }
    enum err err = errand_flag_take(reading, argument, name);
    if (err != ERR_NOT_FOUND)
        return err;
    if (slice_equal_text(name, "--config")) {
        reading->file = value_take(reading, argument, name);
        return reading->file != NULL ? ERR_OK
                                     : complain_missing(reading, "--config", "a file");
    }
    for (int i = 0; i < SETTING_COUNT; i++)
        if (slice_equal(SETTING_ROWS[i].flag, name))
            return setting_take(reading, argument, name, (enum setting)i);
    fprintf(reading->config->complaints, "drover-hub: %s: there is no such flag\n", text);
    return ERR_INVALID;
}

static enum err flags_read(struct reading *reading, char *const *arguments)
{
    enum err err = ERR_OK;
    reading->rest = arguments;
    while (*reading->rest != NULL && err == ERR_OK) {
        const char *text = *reading->rest++;
        err = argument_take(reading, text);
    }
    return err;
}

static const char *variable_find(char *const *environment, struct slice name)
{
    for (; *environment != NULL; environment++)
        if (slice_starts_with(slice_from_text(*environment), name))
            return *environment + name.size;
    return NULL;
}

enum err arguments_read(struct config *config, int count, char *const *arguments,
                        char *const *environment, enum errand *ret_errand,
                        struct errand_subject *ret_subject)
{
    struct reading reading = { .config = config };
    char *const *flags = count > 0 ? arguments + 1 : arguments;

    reading.file = variable_find(environment, SLICE_OF("DROVER_CONFIG="));
    enum err err = flags_read(&reading, flags);
    *ret_errand = reading.errand;
    *ret_subject = reading.subject;
    if (err != ERR_OK || reading.errand == ERRAND_HELP ||
        reading.errand == ERRAND_VERSION || errand_stands_alone(reading.errand))
        return err;

    if (reading.file != NULL)
        err = config_read_file(config, reading.file);
    if (err == ERR_OK)
        err = config_read_environment(config, environment);
    reading.apply = true;
    return err == ERR_OK ? flags_read(&reading, flags) : err;
}

void arguments_help(FILE *file)
{
    fprintf(
        file,
        "usage: drover-hub [--config FILE] [setting...]\n\n"
        "  --config FILE\n      Settings as a JSON file.\n"
        "  --check-config\n      Say whether the settings are good, and end.\n"
        "  --new-enrolment\n"
        "      Write a new secret for `drover hub enrol` to the data directory of a\n"
        "      hub that is stopped, and end.\n"
        "  --verify-store DIRECTORY\n"
        "      Read a store that no hub has open, or a backup, from end to end.\n"
        "  --restore BACKUP [--yes] [--force]\n"
        "      Make a backup the store of a hub that is stopped, and end. --yes: do not\n"
        "      ask. --force: take a backup of another store, give up what is broken.\n"
        "  --store-at EVENT --to DIRECTORY [--epoch EPOCH]\n"
        "      Make the store as it was at an event (or last), from the nearest backup\n"
        "      and the command journal, and end. The hub may be running.\n"
        "  --version, --help\n\n");
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = &SETTING_ROWS[i];
        fprintf(file, "  %s%s  [%.*s]  %.*s\n      %.*s\n", row->flag.data,
                row->kind == SETTING_KIND_BOOL ? "" : " VALUE",
                (int)row->environment.size, row->environment.data,
                (int)row->fallback.size, row->fallback.data, (int)row->description.size,
                row->description.data);
    }
}
