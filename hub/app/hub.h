/*
 * hub.h - the rooms put together: one process, from its settings to its exit code.
 */
#ifndef APP_HUB_H
#define APP_HUB_H

#include "app/config.h"
#include "core/settings.h"

/* The exit codes of sysexits.h that the hub uses. */
enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_NO_INPUT = 66,    /* what was to be looked at cannot be read */
    EXIT_CODE_UNAVAILABLE = 69, /* the address or the directory is in use */
    EXIT_CODE_INTERNAL = 70,
    EXIT_CODE_IO = 74,
    EXIT_CODE_CONFIG = 78,
};

/* What no single setting can show: combinations that must not be run. */
enum err hub_settings_check(const struct config *config);

/* The core's part of the settings. */
struct core_settings hub_core_settings(const struct config *config);

/* Writes a new enrolment secret into the data directory of a hub that is stopped, and says
 * on `file` where. */
enum exit_code hub_offer_enrolment(const struct config *config, FILE *file);

/* Runs until SIGTERM or SIGINT. */
enum exit_code hub_run(const struct config *config);

#endif
