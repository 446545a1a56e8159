#include "app/restoring.h"

#include "app/directories.h"
#include "ops/child.h"
#include "ops/restore.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/log.h"
#include "store/replace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4200

struct place {
    const char *data;
    char backups[DIRECTORY_BYTES];
    char lock_path[PATH_BYTES];
    struct file_lock lock;
};

static void say(const struct config *config, const char *text)
{
    fprintf(config->complaints, "drover-hub: %s\n", text);
}

static enum err place_take(const struct config *config, struct place *place)
{
    place->data = config_path(config, SETTING_DATA);
    place->lock.fd = -1;
    if (directory_backups(config, place->backups) != ERR_OK ||
        !path_join(place->lock_path, sizeof place->lock_path, place->data, "hub.lock"))
        return ERR_LIMIT;
    enum err err = file_lock_take(place->lock_path, &place->lock);
    if (err == ERR_EXISTS)
        say(config, "another hub is using the data directory");
    return err;
}

/* What a child that walks the store says of it. */
static bool store_walk(const char *directory, struct manifest *ret_manifest,
                       struct vault_problem *problem)
{
    const char *arguments[] = { "--verify-store", directory, NULL };
    struct child child;
    struct buffer said;
    buffer_init(&said, MANIFEST_BYTES_MAX);
    int code = 127;
    if (child_begin(arguments, &child) == ERR_OK) {
        while (child_read(&child, &said))
            continue;
        code = child_end(&child, false);
    }
    struct slice text = buffer_slice(&said);
    bool good = code == 0 && manifest_read(text, ret_manifest) == ERR_OK;
    if (!good)
        vault_say(problem, "%.*s (%d)", (int)slice_find(text, '\n'), text.data, code);
    buffer_finish(&said);
    return good;
}

static enum err settle_pending(const struct place *place)
{
    struct vault_problem problem = { "" };
    struct manifest *manifest = malloc(sizeof *manifest);
    if (manifest == NULL)
        return ERR_MEMORY;
    bool good = store_walk(place->data, manifest, &problem);
    free(manifest);
    if (good)
        LOG_NOTICE("restored_store_walked");
    else
        LOG_ERROR("restored_store_given_up", LOG_WORD("reason", problem.text));
    enum err err = replace_settle(place->data, good);
    replace_forget(place->data, REPLACE_RESTORING);
    if (err != ERR_OK)
        LOG_ERROR("restore_not_settled", LOG_WORD("reason", problem.text));
    return err;
}

enum exit_code store_settle(const struct config *config)
{
    struct place place;
    struct stat status;
    const char *data = config_path(config, SETTING_DATA);
    /* A directory that is not there yet is the store's own to make. */
    if (lstat(data, &status) != 0)
        return EXIT_CODE_OK;
    enum err err = place_take(config, &place);
    if (err == ERR_EXISTS)
        return EXIT_CODE_UNAVAILABLE;
    if (err != ERR_OK)
        return EXIT_CODE_OK; /* opening the store says what is wrong */
    if (replace_is_pending(data))
        err = settle_pending(&place);
    else
        replace_forget(data, REPLACE_RESTORING);
    file_lock_release(&place.lock);
    return err == ERR_OK ? EXIT_CODE_OK : EXIT_CODE_IO;
}

static bool user_is_sure(const struct config *config)
{
    char line[16] = "";
    if (isatty(STDIN_FILENO) == 0) {
        say(config, "say --yes to go on");
        return false;
    }
    fprintf(config->complaints, "Go on? Type yes: ");
    return fgets(line, sizeof line, stdin) != NULL && strcmp(line, "yes\n") == 0;
}

/* The store given up and the backup, side by side. */
struct sides {
    struct manifest live;
    struct manifest backup;
    bool readable;
    bool there;
};

static bool sides_allow(const struct config *config, const struct sides *sides, bool sure,
                        bool forced)
{
    FILE *file = config->complaints;
    if (!sides->there) {
        fprintf(file, "There is no store yet: the backup becomes the first.\n");
        return true;
    }
    if (!sides->readable) {
        fprintf(file, "The store cannot be read: what was revoked in it since the backup "
                      "cannot be told and is good again.\n");
        if (!forced) {
            say(config, "say --force to go on");
            return false;
        }
    } else if (sides->live.instance != sides->backup.instance) {
        fprintf(file, "The backup was made of another store.\n");
        if (!forced) {
            say(config, "say --force to go on");
            return false;
        }
    } else if (sides->live.sequence > sides->backup.sequence) {
        fprintf(file,
                "Lost will be %llu commands since the backup; the store has %llu rows, "
                "the backup %llu.\n",
                (unsigned long long)(sides->live.sequence - sides->backup.sequence),
                (unsigned long long)sides->live.records,
                (unsigned long long)sides->backup.records);
    }
    return sure || user_is_sure(config);
}

static enum err merge_with_live(const struct config *config,
                                const struct restore_options *options,
                                struct place *place, struct vault_problem *problem)
{
    struct store_problem reason = { "" };
    struct store *live;
    struct store_options opened = {
        .directory = place->data,
        .tables = CORE_TABLES,
        .table_count = CORE_TABLE_COUNT,
        .bytes_first = (uint64_t)config_number(config, SETTING_MAP_BYTES_FIRST),
        .bytes_max = options->bytes_max,
        .forced_file_system = options->forced_file_system,
    };
    file_lock_release(&place->lock); /* the store takes it itself */
    enum err err = store_open(&opened, &live, &reason);
    if (err != ERR_OK) {
        vault_say(problem, "%.240s", reason.text);
        return err;
    }
    err = restore_merge(options, live, problem);
    store_close(live);
    return err == ERR_OK ? file_lock_take(place->lock_path, &place->lock) : err;
}

static enum err restore_do(const struct config *config, struct place *place,
                           struct vault *vault, const struct sides *sides,
                           struct vault_problem *problem)
{
    struct core_settings settings = hub_core_settings(config);
    struct manifest *walked = malloc(sizeof *walked);
    uint64_t now_ms = (uint64_t)clock_wall_ms();
    struct restore_options options = {
        .data = place->data,
        .vault = vault,
        .name = sides->backup.name,
        .settings = &settings,
        .bytes_max = (uint64_t)config_number(config, SETTING_MAP_BYTES_MAX),
        .forced_file_system = config_bool(config, SETTING_FORCED_FILE_SYSTEM),
        .epoch = sides->live.epoch >= now_ms ? sides->live.epoch + 1 : now_ms,
        .wall_ms = (int64_t)now_ms,
    };
    char made[PATH_BYTES];
    enum err err = walked == NULL ? ERR_MEMORY : restore_prepare(&options, problem);
    if (err == ERR_OK && sides->readable)
        err = merge_with_live(config, &options, place, problem);
    if (err == ERR_OK && (!path_join(made, sizeof made, place->data, REPLACE_RESTORING) ||
                          !store_walk(made, walked, problem)))
        err = ERR_CORRUPT;
    if (err == ERR_OK)
        err = restore_swap(place->data, problem);
    else
        replace_forget(place->data, REPLACE_RESTORING);
    if (err == ERR_OK && replace_is_pending(place->data))
        err = replace_settle(place->data, store_walk(place->data, walked, problem));
    free(walked);
    return err;
}

static enum err sides_look(const struct place *place, struct vault *vault,
                           const char *backup, struct sides *sides,
                           struct vault_problem *problem)
{
    struct vault_problem unread = { "" };
    struct stat status;
    char path[2 * PATH_BYTES];
    enum err err = vault_open(place->backups, vault, problem);
    if (err == ERR_OK && !vault_name_valid(slice_from_text(backup))) {
        vault_say(problem, "this is no name of a backup");
        err = ERR_INVALID;
    }
    if (err == ERR_OK)
        err = vault_look(vault, backup, &sides->backup, problem);
    if (err != ERR_OK)
        return err;
    (void)snprintf(path, sizeof path, "%s/%s", place->backups, backup);
    struct manifest *walked = malloc(sizeof *walked);
    bool good = walked != NULL && store_walk(path, walked, problem);
    free(walked);
    (void)snprintf(path, sizeof path, "%s/data.mdb", place->data);
    sides->there = lstat(path, &status) == 0;
    sides->readable = sides->there && store_walk(place->data, &sides->live, &unread);
    return good ? ERR_OK : ERR_CORRUPT;
}

enum exit_code store_restore(const struct config *config, const char *backup, bool sure,
                             bool forced)
{
    struct vault_problem problem = { "" };
    struct place place;
    struct vault vault = { .fd = -1 };
    struct sides *sides = calloc(1, sizeof *sides);
    if (sides == NULL)
        return EXIT_CODE_INTERNAL;
    bool allowed = false;
    enum err err = directory_make(config_path(config, SETTING_DATA));
    if (err == ERR_OK)
        err = place_take(config, &place);
    if (err == ERR_EXISTS) {
        free(sides);
        return EXIT_CODE_UNAVAILABLE;
    }
    if (err == ERR_OK && replace_is_pending(place.data))
        err = settle_pending(&place);
    if (err == ERR_OK)
        err = sides_look(&place, &vault, backup, sides, &problem);
    if (err == ERR_OK) {
        allowed = sides_allow(config, sides, sure, forced);
        if (allowed)
            err = restore_do(config, &place, &vault, sides, &problem);
    }
    vault_close(&vault);
    file_lock_release(&place.lock);
    free(sides);
    if (err != ERR_OK)
        fprintf(config->complaints, "drover-hub: %s: %s\n", backup,
                problem.text[0] != '\0' ? problem.text : err_name(err));
    else if (allowed)
        printf("restored from %s\n", backup);
    if (err == ERR_OK)
        return allowed ? EXIT_CODE_OK : EXIT_CODE_CONFIG;
    return err == ERR_INVALID || err == ERR_NOT_FOUND ? EXIT_CODE_CONFIG : EXIT_CODE_IO;
}
