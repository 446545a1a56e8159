/*
 * schema_trial.h - what a new version would say of the payloads that are stored.
 */
#ifndef CORE_SCHEMA_TRIAL_H
#define CORE_SCHEMA_TRIAL_H

#include "core/fleet_schema.h"

enum {
    TRIAL_FAILURES_MAX = 10,
    TRIAL_BYTES_MAX = 8 * 1024 * 1024, /* payloads looked at by one command */
};

struct schema_trial {
    struct message_schema_failure failures[TRIAL_FAILURES_MAX];
    size_t failure_count;
    uint32_t checked;
    uint32_t failed;
    size_t bytes;
};

/* Tries the judge's candidate on the youngest payloads of what `schema` is bound to, at
 * most settings->schema_payloads_checked and about TRIAL_BYTES_MAX of them. */
void schema_trial_run(struct step *step, const struct fleet_schema *schema,
                      struct schema_trial *trial);

#endif
