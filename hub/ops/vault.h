/*
 * vault.h - the directory of backups: names, what is finished, what is left over.
 *
 *   NAME/data.mdb        a store's file, as it was at one command
 *   NAME/manifest.json   written last; see manifest.h
 *   NAME.partial/        one being made, or what an interrupted one left behind
 *
 * A backup gets its name by one rename, so what has a name is finished. Names are made
 * here, and no other is ever opened: everything goes through the directory's descriptor
 * and follows no link.
 *
 * Threads    The ops thread, or a program that runs beside no hub.
 */
#ifndef OPS_VAULT_H
#define OPS_VAULT_H

#include "ops/manifest.h"

#include <stddef.h>

#define VAULT_DATA "data.mdb"
#define VAULT_PARTIAL ".partial"

enum {
    VAULT_PATH_BYTES = 4200,
    VAULT_LISTED_MAX = 64,
    VAULT_TEXT_BYTES = 256,
};

struct vault {
    int fd; /* of the directory; -1: it is not open */
    char path[VAULT_PATH_BYTES];
};

/* One sentence for an operator. */
struct vault_problem {
    char text[VAULT_TEXT_BYTES];
};

__attribute__((format(printf, 2, 3))) void vault_say(struct vault_problem *problem,
                                                     const char *format, ...);

/* Likewise of a call that failed just now: "doing: why". ERR_NO_SPACE, ERR_EXISTS, ERR_IO. */
enum err vault_say_errno(struct vault_problem *problem, const char *doing);

/* True for names as they are made here: letters, digits, '.', '-' and '_', not led by a
 * dot, not those of one that is not finished. */
bool vault_name_valid(struct slice name);

/* What backups are called by, before the moment: those of one kind count together when the
 * oldest go. */
#define VAULT_BACKUP "backup"
#define VAULT_STORE_AT "at"

/* "backup-20260102T030405Z-" and the sequence in hexadecimal. */
void vault_name_make(const char *kind, int64_t wall_ms, uint64_t sequence,
                     char ret_name[MANIFEST_NAME_BYTES + 1]);

/* True for the name of a backup of that kind. */
bool vault_name_is_of(const char *name, const char *kind);

/* Makes the directory (not its parents). Refuses one that others may write, or a link.
 * ERR_IO, ERR_NO_SPACE, ERR_INVALID: *ret_problem says why. */
enum err vault_open(const char *path, struct vault *ret_vault,
                    struct vault_problem *ret_problem);
void vault_close(struct vault *vault);

/* True when the open directory has no name any more, or another one has its name. */
bool vault_is_gone(const struct vault *vault);

/* One hub at a time may add and remove; ends with vault_close(). ERR_EXISTS. */
enum err vault_lock(struct vault *vault, struct vault_problem *ret_problem);

/* Removes what interrupted backups left behind. */
void vault_sweep(struct vault *vault);

/* A new NAME.partial with an empty data file, open for writing (0600); without one when
 * `ret_data` is NULL. */
enum err vault_begin(struct vault *vault, const char *name, int *ret_data,
                     struct vault_problem *ret_problem);

/* Writes the manifest, syncs, and gives the backup its name. */
enum err vault_finish(struct vault *vault, const char *name,
                      const struct manifest *manifest, struct vault_problem *ret_problem);

/* Takes back what vault_begin() made. */
void vault_give_up(struct vault *vault, const char *name);

/* Another name until it is finished: what is in it says what it is called. */
enum err vault_rename_partial(struct vault *vault, const char *from, const char *to);

/* The manifest of a finished backup whose files are ours, plain, and as long as it says.
 * ERR_NOT_FOUND, ERR_INVALID, ERR_UNSUPPORTED, ERR_IO: *ret_problem says why. */
enum err vault_look(struct vault *vault, const char *name, struct manifest *ret_manifest,
                    struct vault_problem *ret_problem);

/* Opens a finished backup's data for reading, after vault_look(). */
enum err vault_open_data(struct vault *vault, const char *name, int *ret_data);

/* Removes a finished backup; it is out of the list before its first file goes. */
enum err vault_remove(struct vault *vault, const char *name);

/* The names of finished backups, oldest first: the youngest VAULT_LISTED_MAX. */
struct vault_list {
    char names[VAULT_LISTED_MAX][MANIFEST_NAME_BYTES + 1];
    size_t count;
};

enum err vault_list(struct vault *vault, struct vault_list *ret_list);

/* When something was last added to the directory or taken from it; 0 when nobody knows. */
int64_t vault_changed_ns(const struct vault *vault);

#endif
