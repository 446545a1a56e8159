#include "ops/point.h"

#include "ops/fetch.h"
#include "ops/shape.h"
#include "os/file.h"
#include "os/log.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_BYTES_FIRST ((uint64_t)64 * 1024 * 1024)
#define DATA_FILE "data.mdb"

/* What opening a store leaves beside its file. */
static const char *const LEFTOVERS[] = { "lock.mdb", "hub.lock" };

struct making {
    const struct point_options *options;
    struct vault_problem *problem;
    struct journal_line line;
    struct point_result result;
    struct manifest manifest;
    char data[VAULT_PATH_BYTES];
    bool directory_made;
};

static void leftovers_remove(const struct making *making)
{
    char path[VAULT_PATH_BYTES];
    for (size_t i = 0; i < sizeof LEFTOVERS / sizeof LEFTOVERS[0]; i++)
        if (path_join(path, sizeof path, making->options->target, LEFTOVERS[i]))
            (void)unlink(path);
}

static bool is_empty(const char *directory)
{
    DIR *entries = opendir(directory);
    bool empty = entries != NULL;
    const struct dirent *entry;
    while (empty && (entry = readdir(entries)) != NULL)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (entries != NULL)
        (void)closedir(entries);
    return empty;
}

/* Ours alone: what is in there already is not to be mixed with what is made. */
static enum err target_take(struct making *making)
{
    const char *target = making->options->target;
    if (!path_join(making->data, sizeof making->data, target, DATA_FILE)) {
        vault_say(making->problem, "the path is too long");
        return ERR_LIMIT;
    }
    if (mkdir(target, 0700) == 0) {
        making->directory_made = true;
        if (directory_sync_above(target) == ERR_OK)
            return ERR_OK;
        (void)rmdir(target);
        vault_say(making->problem, "%.150s cannot be synced", target);
        return ERR_IO;
    }
    if (errno != EEXIST) {
        vault_say(making->problem, "%.150s cannot be made: %s", target, strerror(errno));
        return ERR_IO;
    }
    if (is_empty(target))
        return ERR_OK;
    vault_say(making->problem, "there is something in %.200s", target);
    return ERR_EXISTS;
}

static void target_give_up(const struct making *making)
{
    (void)unlink(making->data);
    leftovers_remove(making);
    if (making->directory_made)
        (void)rmdir(making->options->target);
}

static enum err commit_find(struct making *making)
{
    const struct point_options *options = making->options;
    struct store_problem reason = { "" };
    struct journal_figures figures;
    enum err err = journal_look(options->journal, 0, &figures);
    if (err != ERR_OK) {
        vault_say(making->problem, "there is no command journal in %.150s",
                  options->journal);
        return err;
    }
    making->line = figures.line;
    if (options->epoch != 0)
        making->line.epoch = options->epoch;
    making->result.epoch = making->line.epoch;
    err = replay_find(options->journal, &making->line, options->event,
                      &making->result.commit, &reason);
    if (err != ERR_OK)
        vault_say(making->problem, "%.240s", reason.text);
    return err;
}

static bool backup_fits(struct making *making, const char *name)
{
    struct vault_problem unused;
    const struct manifest *manifest = &making->manifest;
    return vault_look(making->options->vault, name, &making->manifest, &unused) ==
               ERR_OK &&
           manifest->instance == making->line.instance &&
           manifest->epoch == making->line.epoch &&
           manifest->sequence <= making->result.commit.after;
}

static enum err journal_apply(struct making *making)
{
    const struct point_options *options = making->options;
    struct store_problem reason = { "" };
    struct store *store;
    struct store_options opened = shape_options(options->target);
    opened.bytes_first = MAP_BYTES_FIRST;
    opened.bytes_max = options->bytes_max;
    opened.forced_file_system = options->forced_file_system;
    struct replay_options replay = {
        .journal = options->journal,
        .line = making->line,
        .sequence = making->result.commit.after,
        .digest = options->digest,
        .go_on = options->go_on,
        .context = options->context,
    };
    struct replay_result result;
    enum err err = store_open(&opened, &store, &reason);
    if (err == ERR_OK) {
        replay.store = store;
        err = replay_run(&replay, &result, &reason);
        store_close(store);
    }
    if (err != ERR_OK)
        vault_say(making->problem, "%.240s", reason.text);
    else
        making->result.commits = result.commits;
    return err;
}

/* A backup that is not good is passed over for an older one: more is played back then. */
static enum err from_backup(struct making *making, const char *name)
{
    struct fetching fetching = { making->options->vault, &making->manifest,
                                 making->options->go_on, making->options->context };
    enum err err = fetch_data(&fetching, making->data, making->problem);
    if (err == ERR_OK)
        err = journal_apply(making);
    leftovers_remove(making);
    if (err == ERR_OK) {
        (void)snprintf(making->result.backup, sizeof making->result.backup, "%s", name);
        return ERR_OK;
    }
    (void)unlink(making->data);
    if (err == ERR_CORRUPT || err == ERR_NOT_FOUND || err == ERR_UNSUPPORTED)
        LOG_WARNING("backup_passed_over", LOG_WORD("backup", name),
                    LOG_WORD("reason", making->problem->text));
    return err;
}

/* The one that leaves the fewest commands to be played back; list->count: there is none. */
static size_t nearest_find(struct making *making, const struct vault_list *list,
                           const bool *passed)
{
    size_t nearest = list->count;
    uint64_t sequence = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (passed[i] || !backup_fits(making, list->names[i]) ||
            (nearest != list->count && making->manifest.sequence <= sequence))
            continue;
        nearest = i;
        sequence = making->manifest.sequence;
    }
    return nearest;
}

static enum err from_nearest(struct making *making)
{
    bool passed[VAULT_LISTED_MAX] = { false };
    struct vault_list *list = malloc(sizeof *list);
    enum err err = list == NULL ? ERR_MEMORY : vault_list(making->options->vault, list);
    if (err != ERR_OK) {
        free(list);
        vault_say(making->problem, "the backups cannot be listed: %s", err_name(err));
        return err;
    }
    err = ERR_NOT_FOUND;
    vault_say(making->problem,
              "no backup leads there: it has to be of epoch %" PRIu64
              " and made no later than command %" PRIu64,
              making->line.epoch, making->result.commit.after);
    size_t nearest;
    while ((err == ERR_NOT_FOUND || err == ERR_CORRUPT || err == ERR_UNSUPPORTED) &&
           (nearest = nearest_find(making, list, passed)) != list->count) {
        passed[nearest] = true;
        err = backup_fits(making, list->names[nearest])
                  ? from_backup(making, list->names[nearest])
                  : ERR_NOT_FOUND;
    }
    free(list);
    return err;
}

enum err point_make(const struct point_options *options, struct point_result *ret_result,
                    struct vault_problem *ret_problem)
{
    struct making *making = calloc(1, sizeof *making);
    if (making == NULL)
        return ERR_MEMORY;
    making->options = options;
    making->problem = ret_problem;
    enum err err = commit_find(making);
    if (err == ERR_OK) {
        err = target_take(making);
        if (err == ERR_OK) {
            err = from_nearest(making);
            if (err == ERR_OK && directory_sync(options->target) != ERR_OK) {
                vault_say(ret_problem, "the new directory cannot be synced");
                err = ERR_IO;
            }
            if (err != ERR_OK)
                target_give_up(making);
        }
    }
    if (err == ERR_OK)
        *ret_result = making->result;
    free(making);
    return err;
}
