/*
 * restoring.h - a backup becomes the store of a hub that stands still: the steps, for the
 * errand that restores one and for a start that finds its store broken.
 */
#ifndef APP_RESTORING_H
#define APP_RESTORING_H

#include "app/directories.h"
#include "app/hub.h"
#include "app/walk.h"
#include "ops/restore.h"
#include "os/file.h"

enum { PLACE_TEXT_BYTES = 4200 };

/* The data directory, held so that no hub starts in it meanwhile. */
struct place {
    const char *data;
    char backups[DIRECTORY_BYTES];
    struct file_lock lock;
};

/* Where everything is, without taking it. False: its path is too long. */
bool place_name(const struct config *config, struct place *ret_place);

/* ERR_EXISTS: another hub has it; that was written to the complaints. */
enum err place_take(const struct config *config, struct place *ret_place);
void place_release(struct place *place);

struct restoring {
    const struct config *config;
    struct place *place;
    struct vault *vault;
    const char *name;        /* of the backup, which has been walked */
    uint64_t epoch_given_up; /* 0: unknown */
    bool merge;              /* there is a store to take revocations over from */
    bool merge_may_fail;     /* it is broken: what cannot be read is given up */
    walk_go_on *go_on;
    struct core_restore_story story;
};

/* All of it, from the copy to the walk of what has taken its place. An error leaves the
 * store that was. */
enum err restoring_do(struct restoring *restoring, struct vault_problem *ret_problem);

/* The command that does it, to the complaints. */
void restore_command_say(const struct config *config, const struct place *place,
                         const char *backup);

/* What restoring_do() has a child do, which a spoilt store may end: what was revoked in the
 * store stays so in the one prepared beside it. */
enum exit_code restoring_merge(const struct config *config, const char *backup);

/* The errand: restores the store of a hub that is stopped. Says what will be lost, and asks
 * unless `sure`. `forced`: a backup of another store is taken, and what cannot be read is
 * given up. */
enum exit_code store_restore(const struct config *config, const char *backup, bool sure,
                             bool forced);

#endif
