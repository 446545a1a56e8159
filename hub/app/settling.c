#include "app/settling.h"

#include "app/quarantine.h"
#include "app/suspect.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/replace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    /* A store that broke again so soon after it was restored will break once more. */
    AGAIN_MS = 60 * 60 * 1000,
    KEPT_MAX = 3,  /* broken stores in quarantine: each is as large as a store */
    TRIES_MAX = 5, /* that were cut short, one after the other */
    MOMENT_BYTES = 32,
};

/* A store that is broken, and what there is to go on with. */
struct repair {
    const struct config *config;
    struct place *place;
    walk_go_on *go_on;
    struct vault_problem broken; /* why it is */
    bool gone;                   /* there is none */
    bool known;                  /* the figures could be read */
    struct manifest figures;
    struct vault vault;
    struct manifest backup; /* the youngest good one */
    bool found;
    unsigned skipped;          /* younger ones that are not good */
    struct vault_problem none; /* why there is no good one */
};

static void refuse(const struct repair *repair, const char *text)
{
    LOG_ERROR("start_refused", LOG_WORD("reason", text));
    fprintf(repair->config->complaints, "drover-hub: %s\n", text);
}

enum err change_settle(const struct place *place, walk_go_on *go_on,
                       struct vault_problem *ret_problem)
{
    if (!replace_is_pending(place->data)) {
        replace_forget(place->data, REPLACE_RESTORING);
        return ERR_OK;
    }
    struct manifest *manifest = malloc(sizeof *manifest);
    if (manifest == NULL)
        return ERR_MEMORY;
    enum walked walked = walk_store(place->data, go_on, manifest, ret_problem);
    free(manifest);
    if (walked == WALKED_UNKNOWN)
        return ERR_IO; /* both files stay: the next start asks again */
    if (walked == WALKED_GOOD)
        LOG_NOTICE("new_store_walked");
    else
        LOG_ERROR("new_store_given_up", LOG_WORD("reason", ret_problem->text));
    enum err err = replace_settle(place->data, walked == WALKED_GOOD);
    replace_forget(place->data, REPLACE_RESTORING);
    if (err != ERR_OK)
        vault_say(ret_problem, "the files cannot be put in order: %s", err_name(err));
    return err;
}

/* A backup of this store, as far as can be told. */
static bool backup_is_ours(const struct repair *repair, const struct manifest *backup)
{
    return !repair->known || backup->instance == repair->figures.instance;
}

/* Looked at, and walked from end to end. */
static bool backup_try(struct repair *repair, const char *name)
{
    char path[2 * PLACE_TEXT_BYTES];
    struct vault_problem problem = { "" };
    /* One of a moment that somebody went back to is not for the hub to choose. */
    if (!vault_name_is_of(name, VAULT_BACKUP))
        return false;
    struct manifest *walked = malloc(sizeof *walked);
    if (walked == NULL)
        return false;
    bool looked = vault_look(&repair->vault, name, &repair->backup, &problem) == ERR_OK;
    if (looked && !backup_is_ours(repair, &repair->backup)) {
        free(walked);
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/%s", repair->place->backups, name);
    bool good =
        looked && walk_store(path, repair->go_on, walked, &problem) == WALKED_GOOD;
    free(walked);
    if (good)
        return true;
    LOG_ERROR("backup_not_good", LOG_WORD("backup", name),
              LOG_WORD("reason", problem.text));
    fprintf(repair->config->complaints, "drover-hub: %s is not good: %s\n", name,
            problem.text);
    repair->skipped++;
    return false;
}

/* Without figures the store does not say which it was: then all backups must be of one. */
static bool backups_are_of_one(struct repair *repair, const struct vault_list *list)
{
    struct vault_problem unused;
    struct manifest *manifest = malloc(sizeof *manifest);
    uint64_t instance = 0;
    bool one = manifest != NULL;
    for (size_t i = 0; i < list->count && one; i++) {
        if (vault_look(&repair->vault, list->names[i], manifest, &unused) != ERR_OK)
            continue;
        one = instance == 0 || instance == manifest->instance;
        instance = manifest->instance;
    }
    free(manifest);
    return one;
}

static void backup_find(struct repair *repair)
{
    struct vault_list *list = malloc(sizeof *list);
    vault_say(&repair->none, "no good backup of it is in %.180s", repair->place->backups);
    if (list == NULL ||
        vault_open(repair->place->backups, &repair->vault, &repair->none) != ERR_OK ||
        vault_list(&repair->vault, list) != ERR_OK) {
        free(list);
        return;
    }
    if (!repair->known && !backups_are_of_one(repair, list))
        vault_say(&repair->none,
                  "backups of several stores are in %.120s, and the broken one does not "
                  "say which it was",
                  repair->place->backups);
    else
        for (size_t i = list->count; i-- > 0 && !repair->found;)
            repair->found = (repair->go_on == NULL || repair->go_on()) &&
                            backup_try(repair, list->names[i]);
    free(list);
}

static void moment_write(int64_t wall_ms, char text[MOMENT_BYTES])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, MOMENT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        text[0] = '\0';
}

static uint64_t commands_lost(const struct repair *repair)
{
    return repair->figures.sequence > repair->backup.sequence
               ? repair->figures.sequence - repair->backup.sequence
               : 0;
}

/* What is wrong, what would help, and what that would cost. */
static void state_say(const struct repair *repair)
{
    char moment[MOMENT_BYTES];
    FILE *file = repair->config->complaints;
    fprintf(file, "drover-hub: %s: the store is broken: %s\n", repair->place->data,
            repair->broken.text);
    if (!repair->found) {
        fprintf(file, "drover-hub: %s\n", repair->none.text);
        return;
    }
    moment_write(repair->backup.created_ms, moment);
    fprintf(file, "drover-hub: the youngest good backup is %s, made at %s; ",
            repair->backup.name, moment);
    if (repair->known)
        fprintf(file, "%" PRIu64 " commands since would be lost\n",
                commands_lost(repair));
    else
        fprintf(file, "all that was done since would be lost\n");
}

/* Not again and again: whoever gets here so often has a disk that is to be looked at. */
static bool bounds_allow(const struct repair *repair, const struct quarantine *kept,
                         int64_t wall_ms)
{
    char text[MOMENT_BYTES];
    if (kept->count > 0 && wall_ms - kept->newest_ms < AGAIN_MS) {
        moment_write(kept->newest_ms, text);
        fprintf(repair->config->complaints,
                "drover-hub: it was restored at %s and is broken again\n", text);
        refuse(repair, "a restored store broke at once: look at the disk, then restore "
                       "by hand");
        return false;
    }
    if (kept->count >= KEPT_MAX) {
        refuse(repair, "too many broken stores are kept in quarantine: look at the disk, "
                       "and move them away");
        return false;
    }
    if (suspect_count_try(repair->place->data) > TRIES_MAX) {
        refuse(repair, "restoring it was begun too often: look at the disk, then restore "
                       "by hand");
        return false;
    }
    return true;
}

static void restored_say(const struct repair *repair, const struct restoring *done)
{
    char moment[MOMENT_BYTES];
    moment_write(repair->backup.created_ms, moment);
    LOG_ERROR("store_restored_by_itself", LOG_WORD("backup", repair->backup.name),
              LOG_WORD("made_at", moment), LOG_WORD("reason", repair->broken.text),
              LOG_TEXT("kept", done->story.kept),
              LOG_BOOL("lost_known", done->story.lost_known),
              LOG_NUMBER("commands_lost", done->story.commands_lost),
              LOG_NUMBER("backups_skipped", repair->skipped),
              LOG_BOOL("revocations_kept", done->story.revocations_kept));
}

static enum exit_code restore_by_itself(struct repair *repair)
{
    struct vault_problem problem = { "" };
    struct quarantine kept;
    int64_t wall_ms = clock_wall_ms();
    const char *data = repair->place->data;
    enum err err = quarantine_look(data, wall_ms, &kept, &problem);
    if (err == ERR_OK && !bounds_allow(repair, &kept, wall_ms))
        return EXIT_CODE_IO;
    if (err == ERR_OK)
        err = quarantine_keep(data, &kept, &problem);
    struct restoring restoring = {
        .config = repair->config,
        .place = repair->place,
        .vault = &repair->vault,
        .name = repair->backup.name,
        .epoch_given_up = repair->figures.epoch,
        .merge = repair->known,
        .merge_may_fail = true,
        .go_on = repair->go_on,
        .story = {
            .automatic = true,
            .lost_known = repair->known,
            .commands_lost = commands_lost(repair),
            .backups_skipped = repair->skipped,
            .reason = slice_from_text(repair->broken.text),
            .kept = slice_from_text(repair->gone ? NULL : kept.path),
        },
    };
    if (err == ERR_OK)
        err = restoring_do(&restoring, &problem);
    if (err == ERR_OK) {
        suspect_clear(data);
        restored_say(repair, &restoring);
        return EXIT_CODE_OK;
    }
    fprintf(repair->config->complaints, "drover-hub: %s\n",
            problem.text[0] != '\0' ? problem.text : err_name(err));
    refuse(repair, "the store is broken, and restoring it failed");
    return EXIT_CODE_IO;
}

static enum exit_code store_repair(struct repair *repair)
{
    LOG_ERROR("store_broken", LOG_WORD("reason", repair->broken.text));
    /* Whatever comes of it, the next start must know. */
    if (!suspect_is_noted(repair->place->data))
        suspect_note(repair->place->data, "walk");
    repair->known = !repair->gone &&
                    walk_figures(repair->place->data, repair->go_on, &repair->figures);
    if (!repair->known)
        memset(&repair->figures, 0, sizeof repair->figures);
    backup_find(repair);
    state_say(repair);
    enum exit_code code = EXIT_CODE_IO;
    if (!repair->found)
        refuse(repair, "the store is broken, and there is nothing to restore it from");
    else if (!config_bool(repair->config, SETTING_RESTORE_WHEN_CORRUPT))
        refuse(repair, "the store is broken, and restore_when_corrupt is not set");
    else
        code = restore_by_itself(repair);
    if (repair->found && code != EXIT_CODE_OK)
        restore_command_say(repair->config, repair->place, repair->backup.name);
    vault_close(&repair->vault);
    return code;
}

/* An old directory with backups and without a store: it is not the first start. An empty
 * file would become a new store without a word. */
static bool store_is_gone(const struct place *place, bool used_before)
{
    char path[PLACE_TEXT_BYTES];
    struct vault_problem unused;
    struct vault vault;
    uint64_t bytes = 0;
    if (!used_before || !path_join(path, sizeof path, place->data, VAULT_DATA))
        return false;
    enum err err = file_size(path, &bytes);
    if ((err != ERR_NOT_FOUND && (err != ERR_OK || bytes > 0)) ||
        access(place->backups, F_OK) != 0 ||
        vault_open(place->backups, &vault, &unused) != ERR_OK)
        return false;
    struct vault_list *list = malloc(sizeof *list);
    bool backed_up =
        list != NULL && vault_list(&vault, list) == ERR_OK && list->count > 0;
    free(list);
    vault_close(&vault);
    return backed_up;
}

static enum exit_code suspect_walk(struct repair *repair)
{
    struct manifest *manifest = malloc(sizeof *manifest);
    if (manifest == NULL)
        return EXIT_CODE_INTERNAL;
    LOG_NOTICE("store_is_walked");
    enum walked walked =
        walk_store(repair->place->data, repair->go_on, manifest, &repair->broken);
    free(manifest);
    switch (walked) {
    case WALKED_GOOD:
        LOG_NOTICE("store_walked");
        suspect_clear(repair->place->data);
        return EXIT_CODE_OK;
    case WALKED_FOREIGN:
        return EXIT_CODE_OK; /* opening it says what is wrong */
    case WALKED_BROKEN:
        return store_repair(repair);
    case WALKED_UNKNOWN:
        break;
    }
    fprintf(repair->config->complaints, "drover-hub: %s\n", repair->broken.text);
    refuse(repair, "the store is to be walked before it is used, and cannot be");
    return EXIT_CODE_IO;
}

static enum exit_code settle(struct repair *repair, bool used_before)
{
    struct place *place = repair->place;
    enum err err = change_settle(place, repair->go_on, &repair->broken);
    if (err != ERR_OK) {
        fprintf(repair->config->complaints, "drover-hub: %s\n",
                repair->broken.text[0] != '\0' ? repair->broken.text : err_name(err));
        refuse(repair, "a change of the store's files cannot be settled");
        return EXIT_CODE_IO;
    }
    repair->broken.text[0] = '\0';
    repair->gone = store_is_gone(place, used_before);
    if (repair->gone) {
        vault_say(&repair->broken, "its file is gone, or empty");
        return store_repair(repair);
    }
    return suspect_is_noted(place->data) ? suspect_walk(repair) : EXIT_CODE_OK;
}

enum exit_code store_settle(const struct config *config, walk_go_on *go_on)
{
    struct place place;
    struct stat status;
    char lock_path[PLACE_TEXT_BYTES];
    const char *data = config_path(config, SETTING_DATA);
    /* A directory that is not there yet is the store's own to make. */
    if (lstat(data, &status) != 0)
        return EXIT_CODE_OK;
    bool used_before = path_join(lock_path, sizeof lock_path, data, "hub.lock") &&
                       access(lock_path, F_OK) == 0;
    enum err err = place_take(config, &place);
    if (err == ERR_EXISTS)
        return EXIT_CODE_UNAVAILABLE;
    if (err != ERR_OK)
        return EXIT_CODE_OK; /* opening the store says what is wrong */
    struct repair *repair = calloc(1, sizeof *repair);
    enum exit_code code = EXIT_CODE_INTERNAL;
    if (repair != NULL) {
        repair->config = config;
        repair->place = &place;
        repair->go_on = go_on;
        repair->vault.fd = -1;
        code = settle(repair, used_before);
    }
    free(repair);
    place_release(&place);
    return code;
}
