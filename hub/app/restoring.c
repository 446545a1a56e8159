#include "app/restoring.h"

#include "app/quarantine.h"
#include "app/settling.h"
#include "app/suspect.h"
#include "core/restore.h"
#include "ops/reading.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/replace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NUMBER_BYTES = 24 };

static void say(const struct config *config, const char *text)
{
    fprintf(config->complaints, "drover-hub: %s\n", text);
}

bool place_name(const struct config *config, struct place *ret_place)
{
    *ret_place =
        (struct place){ .data = config_path(config, SETTING_DATA), .lock.fd = -1 };
    return directory_backups(config, ret_place->backups) == ERR_OK;
}

enum err place_take(const struct config *config, struct place *ret_place)
{
    char lock_path[PLACE_TEXT_BYTES];
    if (!place_name(config, ret_place) ||
        !path_join(lock_path, sizeof lock_path, ret_place->data, "hub.lock"))
        return ERR_LIMIT;
    enum err err = file_lock_take(lock_path, &ret_place->lock);
    if (err == ERR_EXISTS)
        say(config, "another hub is using the data directory");
    return err;
}

void restore_command_say(const struct config *config, const struct place *place,
                         const char *backup)
{
    bool elsewhere = config_text(config, SETTING_BACKUP_DIRECTORY).size > 0;
    fprintf(config->complaints,
            "drover-hub: to restore it: drover-hub --data %s%s%s --restore %s --force\n",
            place->data, elsewhere ? " --backup-directory " : "",
            elsewhere ? place->backups : "", backup);
}

void place_release(struct place *place)
{
    file_lock_release(&place->lock);
}

static bool step_go_on(void *context)
{
    const struct restoring *restoring = context;
    return restoring->go_on == NULL || restoring->go_on();
}

static struct restore_options options_of(struct restoring *restoring,
                                         const struct core_settings *settings)
{
    const struct config *config = restoring->config;
    int64_t now_ms = clock_wall_ms();
    return (struct restore_options){
        .data = restoring->place->data,
        .vault = restoring->vault,
        .name = restoring->name,
        .settings = settings,
        .bytes_max = (uint64_t)config_number(config, SETTING_MAP_BYTES_MAX),
        .forced_file_system = config_bool(config, SETTING_FORCED_FILE_SYSTEM),
        .epoch = core_restore_epoch(restoring->epoch_given_up, now_ms),
        .wall_ms = now_ms,
        .go_on = step_go_on,
        .context = restoring,
    };
}

enum exit_code restoring_merge(const struct config *config, const char *backup)
{
    struct vault_problem problem = { "" };
    struct core_settings settings = hub_core_settings(config);
    struct place place = { .data = config_path(config, SETTING_DATA) };
    struct restoring restoring = { .config = config, .place = &place, .name = backup };
    struct restore_options options = options_of(&restoring, &settings);
    struct store *live;
    enum err err = reading_open(place.data, &live, &problem);
    if (err == ERR_OK) {
        err = restore_merge(&options, live, &problem);
        store_close(live);
    }
    if (err == ERR_OK)
        return EXIT_CODE_OK;
    fprintf(config->complaints, "%s\n", problem.text);
    return EXIT_CODE_IO;
}

static enum err revocations_take(struct restoring *restoring,
                                 struct vault_problem *problem)
{
    char bytes_max[NUMBER_BYTES];
    const struct config *config = restoring->config;
    const char *arguments[] = {
        "--merge-revoked",
        restoring->name,
        "--data",
        restoring->place->data,
        "--map-bytes-max",
        bytes_max,
        "--forced-file-system",
        NULL,
    };
    struct buffer said;
    (void)snprintf(bytes_max, sizeof bytes_max, "%" PRId64,
                   config_number(config, SETTING_MAP_BYTES_MAX));
    if (!config_bool(config, SETTING_FORCED_FILE_SYSTEM))
        arguments[sizeof arguments / sizeof arguments[0] - 2] = NULL;
    buffer_init(&said, VAULT_TEXT_BYTES);
    int code = walk_child(arguments, restoring->go_on, &said);
    struct slice text = buffer_slice(&said);
    restoring->story.revocations_kept = code == EXIT_CODE_OK;
    if (code != EXIT_CODE_OK)
        vault_say(problem, "%.*s (%d)", (int)slice_find(text, '\n'), text.data, code);
    buffer_finish(&said);
    if (code == EXIT_CODE_OK)
        return ERR_OK;
    LOG_WARNING("revocations_not_kept", LOG_WORD("reason", problem->text));
    return code < 0 ? ERR_CLOSED : restoring->merge_may_fail ? ERR_OK : ERR_CORRUPT;
}

static enum err walk_made(struct restoring *restoring, const char *directory,
                          struct vault_problem *problem)
{
    struct manifest *walked = malloc(sizeof *walked);
    enum err err = ERR_MEMORY;
    if (walked != NULL)
        err = walk_store(directory, restoring->go_on, walked, problem) == WALKED_GOOD
                  ? ERR_OK
                  : ERR_CORRUPT;
    free(walked);
    return err;
}

static enum err made_ready(struct restoring *restoring, struct vault_problem *problem)
{
    char made[PLACE_TEXT_BYTES];
    struct core_settings settings = hub_core_settings(restoring->config);
    struct restore_options options = options_of(restoring, &settings);
    enum err err = restore_prepare(&options, problem);
    if (err == ERR_OK && restoring->merge)
        err = revocations_take(restoring, problem);
    if (err == ERR_OK)
        err = restore_tell(&options, &restoring->story, problem);
    if (err == ERR_OK &&
        !path_join(made, sizeof made, restoring->place->data, REPLACE_RESTORING))
        err = ERR_LIMIT;
    return err == ERR_OK ? walk_made(restoring, made, problem) : err;
}

enum err restoring_do(struct restoring *restoring, struct vault_problem *ret_problem)
{
    const char *data = restoring->place->data;
    enum err err = made_ready(restoring, ret_problem);
    if (err != ERR_OK) {
        replace_forget(data, REPLACE_RESTORING);
        return err;
    }
    err = restore_swap(data, ret_problem);
    if (err != ERR_OK && replace_is_pending(data))
        (void)replace_settle(data, false);
    if (err != ERR_OK || !replace_is_pending(data))
        return err;
    err = walk_made(restoring, data, ret_problem);
    enum err settled = replace_settle(data, err == ERR_OK);
    return err == ERR_OK ? settled : err;
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
    struct vault_problem broken; /* why it cannot be read */
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
        fprintf(file,
                "The store cannot be read (%s). It is kept in quarantine. What of its "
                "revocations cannot be read is good again.\n",
                sides->broken.text);
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

static enum err sides_look(const struct place *place, struct vault *vault,
                           const char *backup, struct sides *sides,
                           struct vault_problem *problem)
{
    struct stat status;
    char path[2 * PLACE_TEXT_BYTES];
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
    bool good = walked != NULL && walk_store(path, NULL, walked, problem) == WALKED_GOOD;
    free(walked);
    (void)snprintf(path, sizeof path, "%s/" VAULT_DATA, place->data);
    sides->there = lstat(path, &status) == 0;
    sides->readable = sides->there && walk_store(place->data, NULL, &sides->live,
                                                 &sides->broken) == WALKED_GOOD;
    /* Of a broken one its figures may be left. */
    if (sides->there && !sides->readable &&
        !walk_figures(place->data, NULL, &sides->live))
        memset(&sides->live, 0, sizeof sides->live);
    return good ? ERR_OK : ERR_CORRUPT;
}

static enum err errand_do(const struct config *config, struct place *place,
                          struct vault *vault, const struct sides *sides,
                          struct vault_problem *problem)
{
    struct quarantine quarantine = { .path = "" };
    struct restoring restoring = {
        .config = config,
        .place = place,
        .vault = vault,
        .name = sides->backup.name,
        .epoch_given_up = sides->live.epoch,
        .merge = sides->there,
        .merge_may_fail = !sides->readable,
        .story.lost_known = sides->live.instance == sides->backup.instance,
        .story.commands_lost = sides->live.sequence > sides->backup.sequence
                                   ? sides->live.sequence - sides->backup.sequence
                                   : 0,
    };
    enum err err = ERR_OK;
    if (sides->there && !sides->readable) {
        err = quarantine_look(place->data, clock_wall_ms(), &quarantine, problem);
        if (err == ERR_OK)
            err = quarantine_keep(place->data, &quarantine, problem);
        restoring.story.reason = slice_from_text(sides->broken.text);
        restoring.story.kept = slice_from_text(quarantine.path);
    }
    if (err == ERR_OK)
        err = restoring_do(&restoring, problem);
    if (err == ERR_OK)
        suspect_clear(place->data);
    return err;
}

static enum exit_code errand_end(const struct config *config, const char *backup,
                                 enum err err, bool allowed,
                                 const struct vault_problem *problem)
{
    if (err != ERR_OK)
        fprintf(config->complaints, "drover-hub: %s: %s\n", backup,
                problem->text[0] != '\0' ? problem->text : err_name(err));
    else if (allowed)
        printf("restored from %s\n", backup);
    if (err == ERR_OK)
        return allowed ? EXIT_CODE_OK : EXIT_CODE_CONFIG;
    return err == ERR_INVALID || err == ERR_NOT_FOUND ? EXIT_CODE_CONFIG : EXIT_CODE_IO;
}

enum exit_code store_restore(const struct config *config, const char *backup, bool sure,
                             bool forced)
{
    struct vault_problem problem = { "" };
    struct place place = { .lock.fd = -1 };
    struct vault vault = { .fd = -1 };
    bool allowed = false;
    struct sides *sides = calloc(1, sizeof *sides);
    if (sides == NULL)
        return EXIT_CODE_INTERNAL;
    enum err err = directory_make(config_path(config, SETTING_DATA));
    if (err == ERR_OK)
        err = place_take(config, &place);
    if (err == ERR_EXISTS) {
        free(sides);
        return EXIT_CODE_UNAVAILABLE;
    }
    if (err == ERR_OK)
        err = change_settle(&place, NULL, &problem);
    if (err == ERR_OK)
        err = sides_look(&place, &vault, backup, sides, &problem);
    if (err == ERR_OK) {
        allowed = sides_allow(config, sides, sure, forced);
        if (allowed)
            err = errand_do(config, &place, &vault, sides, &problem);
    }
    vault_close(&vault);
    place_release(&place);
    free(sides);
    return errand_end(config, backup, err, allowed, &problem);
}
