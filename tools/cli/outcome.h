/*
 * outcome.h - how a command ends: the exit status scripts look at.
 */
#ifndef CLI_OUTCOME_H
#define CLI_OUTCOME_H

#include "base/slice.h"

enum outcome {
    OUTCOME_OK = 0,
    OUTCOME_FAILED = 1,
    OUTCOME_USAGE = 2,
    OUTCOME_NOT_FOUND = 3,
    OUTCOME_CONFLICT = 4,
    OUTCOME_AUTH = 5,
    OUTCOME_UNAVAILABLE = 6,
    OUTCOME_TIMEOUT = 7,
};

/* What an answer of the hub means: its error's name decides, else its HTTP status. */
enum outcome outcome_of(long status, struct slice error);

/* "not found", ... */
const char *outcome_text(enum outcome outcome);

#endif
