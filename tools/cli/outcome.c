#include "cli/outcome.h"

/* The first row that fits decides; a row fits by name, or by a range of statuses. */
static const struct {
    struct slice error;
    long first, last;
    enum outcome outcome;
} ROWS[] = {
    { SLICE(""), 200, 299, OUTCOME_OK },
    { SLICE("validation_failed"), 0, 0, OUTCOME_USAGE },
    { SLICE("invalid_overrides"), 0, 0, OUTCOME_USAGE },
    { SLICE("invalid_agent_id"), 0, 0, OUTCOME_USAGE },
    { SLICE("request_timeout"), 0, 0, OUTCOME_TIMEOUT },
    { SLICE("payload_too_large"), 0, 0, OUTCOME_USAGE },
    { SLICE(""), 401, 401, OUTCOME_AUTH },
    { SLICE(""), 403, 403, OUTCOME_AUTH },
    { SLICE(""), 404, 404, OUTCOME_NOT_FOUND },
    { SLICE(""), 408, 408, OUTCOME_TIMEOUT },
    { SLICE(""), 409, 409, OUTCOME_CONFLICT },
    { SLICE(""), 412, 412, OUTCOME_CONFLICT },
    { SLICE(""), 429, 429, OUTCOME_UNAVAILABLE },
    { SLICE(""), 502, 503, OUTCOME_UNAVAILABLE },
    { SLICE(""), 504, 504, OUTCOME_TIMEOUT },
    { SLICE(""), 507, 507, OUTCOME_UNAVAILABLE },
};

enum outcome outcome_of(long status, struct slice error)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        bool fits = ROWS[i].error.size > 0
                        ? slice_equal(error, ROWS[i].error)
                        : status >= ROWS[i].first && status <= ROWS[i].last;
        if (fits)
            return ROWS[i].outcome;
    }
    return OUTCOME_FAILED;
}

const char *outcome_text(enum outcome outcome)
{
    static const char *const TEXTS[] = {
        [OUTCOME_OK] = "done",
        [OUTCOME_FAILED] = "it failed",
        [OUTCOME_USAGE] = "what was asked is not well formed",
        [OUTCOME_NOT_FOUND] = "not found",
        [OUTCOME_CONFLICT] = "the state does not allow it",
        [OUTCOME_AUTH] = "the token does not allow it",
        [OUTCOME_UNAVAILABLE] = "the hub is not available",
        [OUTCOME_TIMEOUT] = "it took too long",
    };
    return TEXTS[outcome];
}
