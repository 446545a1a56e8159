/*
 * arguments.h - what the command line asks for.
 */
#ifndef APP_ARGUMENTS_H
#define APP_ARGUMENTS_H

#include "app/config.h"

enum errand {
    ERRAND_RUN,
    ERRAND_CHECK, /* --check-config: the settings are good */
    ERRAND_HELP,
    ERRAND_VERSION,
    ERRAND_ENROLMENT,     /* --new-enrolment: a new secret for an administrator to be */
    ERRAND_VERIFY_STORE,  /* --verify-store DIRECTORY */
    ERRAND_VERIFY_EVENTS, /* --verify-events DIRECTORY */
    ERRAND_FIGURES,       /* --store-figures DIRECTORY: for a hub's own child */
    ERRAND_MERGE,         /* --merge-revoked BACKUP: likewise */
    ERRAND_RESTORE,       /* --restore BACKUP [--yes] [--force] */
    ERRAND_STORE_AT,      /* --store-at EVENT --to DIRECTORY [--epoch EPOCH] */
};

/* What stands behind an errand's flag, and what goes with it. */
struct errand_subject {
    const char *text;
    bool sure;         /* --yes */
    bool forced;       /* --force */
    const char *to;    /* --to; NULL: it was not said */
    const char *epoch; /* --epoch; likewise */
};

/* Fills the config from file, environment and flags, in their order. *ret_subject is what
 * stands behind the errand's flag. ERR_INVALID: the reasons were written to the
 * complaints. */
enum err arguments_read(struct config *config, int count, char *const *arguments,
                        char *const *environment, enum errand *ret_errand,
                        struct errand_subject *ret_subject);

void arguments_help(FILE *file);

#endif
