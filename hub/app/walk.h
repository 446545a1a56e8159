/*
 * walk.h - a store that nobody has open, walked from end to end by a child: a spoilt file
 * may end whoever reads it.
 */
#ifndef APP_WALK_H
#define APP_WALK_H

#include "ops/vault.h"

enum walked {
    WALKED_GOOD,
    WALKED_BROKEN,  /* it was read, and is not whole */
    WALKED_FOREIGN, /* of a newer version, or something else: not ours to judge */
    WALKED_UNKNOWN, /* the disk, the memory or the end of the hub were in the way */
};

/* False: the hub is to end, give up. Called about once a second; NULL: go on. */
typedef bool walk_go_on(void);

/* *ret_manifest is filled when it is good; *ret_problem says what is wrong when not. */
enum walked walk_store(const char *directory, walk_go_on *go_on,
                       struct manifest *ret_manifest, struct vault_problem *ret_problem);

/* What can be told of a store that is broken: instance, epoch, sequence. False: nothing. */
bool walk_figures(const char *directory, walk_go_on *go_on, struct manifest *ret_figures);

/* Runs this program with `arguments` (they end with NULL): its exit code, or 128 and the
 * signal that ended it, or -1 when it was given up. What it says is added to `said`. */
int walk_child(const char *const *arguments, walk_go_on *go_on, struct buffer *said);

#endif
