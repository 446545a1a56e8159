/*
 * config.h - what operators set while the hub runs: kept in tables, so that every hub of
 * an order knows the same.
 */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "core/step.h"

/* Owners of BLOB_CONFIG. Stored: never renumber. */
enum config_text {
    CONFIG_DEFAULT_REPO = 1,
    CONFIG_TEXT_LAST = CONFIG_DEFAULT_REPO,
};

/* As set, and as told to agents: silence longer than that would cost their connection. */
int64_t config_heartbeat_ms(struct step *step);
int64_t config_heartbeat_told_ms(struct step *step);

/* In the arena; absent when none is set. */
struct slice config_default_repo(struct step *step);

#endif
