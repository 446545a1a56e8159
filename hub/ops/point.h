/*
 * point.h - the store as it was at an event: the nearest backup before it, and the commands
 * since, from the journal.
 *
 * Threads    Any; nobody else is at the target. The hub may be running.
 */
#ifndef OPS_POINT_H
#define OPS_POINT_H

#include "engine/replay.h"
#include "ops/vault.h"

struct point_options {
    struct vault *vault;
    const char *journal;
    const char *target; /* a directory that is not there yet, or is empty */
    uint64_t event;     /* UINT64_MAX: the last there is */
    uint64_t epoch;     /* 0: the one the journal is in */
    uint64_t bytes_max;
    bool forced_file_system;
    event_digest *digest;
    /* False: give up. NULL: go on in any case. Called often. */
    bool (*go_on)(void *context);
    void *context;
};

struct point_result {
    char backup[MANIFEST_NAME_BYTES + 1];
    uint64_t epoch;
    uint64_t commits; /* since that backup */
    struct replay_commit commit;
};

/*
 * Leaves DIRECTORY/data.mdb, 0600 and synced, and nothing when it fails. ERR_NOT_FOUND: the
 * journal does not have the event, or no backup leads to it; ERR_EXISTS: there is something
 * in the target. *ret_problem says why, and what there is.
 */
enum err point_make(const struct point_options *options, struct point_result *ret_result,
                    struct vault_problem *ret_problem);

#endif
