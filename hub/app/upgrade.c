#include "app/upgrade.h"

#include "ops/shape.h"
#include "os/clock.h"
#include "os/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    ROOM_BYTES = 1024 * 1024, /* for what the estimate leaves out */
    NAME_BYTES = MANIFEST_NAME_BYTES + sizeof VAULT_PARTIAL,
};

struct making {
    struct upgrade *upgrade;
    struct store *store;
    struct vault vault;
    char partial[MANIFEST_NAME_BYTES + 1]; /* what it is called until it is finished */
    struct manifest manifest;
    struct vault_problem problem;
};

static enum err vault_take(struct making *making, const char *path)
{
    struct statvfs status;
    uint64_t bytes = 0;
    char data[PLACE_TEXT_BYTES];
    enum err err = vault_open(path, &making->vault, &making->problem);
    if (err == ERR_OK)
        err = vault_lock(&making->vault, &making->problem);
    if (err != ERR_OK)
        return err;
    vault_sweep(&making->vault);
    if (path_join(data, sizeof data, config_path(making->upgrade->config, SETTING_DATA),
                  VAULT_DATA) &&
        file_size(data, &bytes) == ERR_OK && fstatvfs(making->vault.fd, &status) == 0 &&
        (uint64_t)status.f_bavail * status.f_frsize < bytes + ROOM_BYTES) {
        vault_say(&making->problem, "the disk of the backups is full");
        return ERR_NO_SPACE;
    }
    return ERR_OK;
}

/* With the free pages when it cannot be done without them. */
static enum err copy_make(struct making *making)
{
    int data;
    enum err err = vault_begin(&making->vault, making->partial, &data, &making->problem);
    if (err != ERR_OK)
        return err;
    err = store_copy(making->store, data, false);
    if (err == ERR_UNSUPPORTED && lseek(data, 0, SEEK_SET) == 0)
        err = store_copy(making->store, data, true);
    if (err == ERR_OK && fsync(data) != 0)
        err = errno == ENOSPC ? ERR_NO_SPACE : ERR_IO;
    if (close(data) != 0 && err == ERR_OK)
        err = ERR_IO;
    if (err != ERR_OK)
        vault_say(&making->problem, "it cannot be copied: %s", err_name(err));
    return err;
}

static enum err copy_walk(struct making *making)
{
    char name[NAME_BYTES];
    char path[2 * PLACE_TEXT_BYTES];
    (void)snprintf(name, sizeof name, "%s%s", making->partial, VAULT_PARTIAL);
    (void)snprintf(path, sizeof path, "%s/%s", making->vault.path, name);
    switch (
        walk_store(path, making->upgrade->go_on, &making->manifest, &making->problem)) {
    case WALKED_GOOD:
        return ERR_OK;
    case WALKED_BROKEN:
        return ERR_CORRUPT;
    case WALKED_FOREIGN:
    case WALKED_UNKNOWN:
        break;
    }
    return ERR_IO;
}

/* A start that was cut short has made it already: they are the same to the byte. */
static bool is_there_already(struct making *making)
{
    struct vault_problem unused;
    struct vault_list *list = malloc(sizeof *list);
    struct manifest *other = malloc(sizeof *other);
    bool found = false;
    if (list != NULL && other != NULL && vault_list(&making->vault, list) == ERR_OK)
        for (size_t i = list->count; i-- > 0 && !found;) {
            found =
                vault_look(&making->vault, list->names[i], other, &unused) == ERR_OK &&
                strcmp(other->sha256, making->manifest.sha256) == 0;
            if (found)
                memcpy(making->upgrade->backup, list->names[i],
                       sizeof making->upgrade->backup);
        }
    free(list);
    free(other);
    return found;
}

static enum err name_give(struct making *making, uint32_t version)
{
    char name[MANIFEST_NAME_BYTES + 1];
    struct manifest *manifest = &making->manifest;
    manifest->created_ms = clock_wall_ms();
    vault_name_make(VAULT_BACKUP, manifest->created_ms, manifest->sequence, name);
    (void)snprintf(manifest->name, sizeof manifest->name, "%.50s-v%u", name,
                   (unsigned)version);
    enum err err = vault_rename_partial(&making->vault, making->partial, manifest->name);
    if (err != ERR_OK)
        return err;
    (void)snprintf(making->partial, sizeof making->partial, "%s", manifest->name);
    err = vault_finish(&making->vault, manifest->name, manifest, &making->problem);
    if (err == ERR_OK)
        memcpy(making->upgrade->backup, manifest->name, sizeof manifest->name);
    return err;
}

static enum err backup_make(struct making *making, uint32_t version)
{
    vault_name_make(VAULT_BACKUP, clock_wall_ms(), 0, making->partial);
    enum err err = copy_make(making);
    if (err == ERR_OK)
        err = copy_walk(making);
    bool again = err == ERR_OK && is_there_already(making);
    if (err == ERR_OK && !again)
        err = name_give(making, version);
    if (err != ERR_OK || again)
        vault_give_up(&making->vault, making->partial);
    return err;
}

static enum err back_up(struct making *making, uint32_t version)
{
    struct place place;
    if (!place_name(making->upgrade->config, &place))
        return ERR_LIMIT;
    enum err err = vault_take(making, place.backups);
    if (err == ERR_OK)
        err = backup_make(making, version);
    vault_close(&making->vault);
    return err;
}

enum err upgrade_back_up(void *context, struct store *store, uint32_t version,
                         struct store_problem *ret_problem)
{
    struct upgrade *upgrade = context;
    struct making *making = calloc(1, sizeof *making);
    if (making == NULL)
        return ERR_MEMORY;
    making->upgrade = upgrade;
    making->store = store;
    making->vault.fd = -1;
    LOG_NOTICE("store_is_backed_up_first", LOG_NUMBER("version", version));
    enum err err = back_up(making, version);
    if (err != ERR_OK)
        (void)snprintf(ret_problem->text, sizeof ret_problem->text,
                       "the store is of version %u and cannot be backed up before it is "
                       "brought to version %u: %.150s",
                       (unsigned)version, (unsigned)shape_version(),
                       making->problem.text[0] != '\0' ? making->problem.text
                                                       : err_name(err));
    else
        LOG_NOTICE("store_backed_up_first", LOG_WORD("backup", upgrade->backup));
    free(making);
    return err;
}

/* The youngest that this hub can read. */
static bool way_back_find(struct vault *vault, struct manifest *ret_backup)
{
    struct vault_problem unused;
    struct vault_list *list = malloc(sizeof *list);
    bool found = false;
    if (list != NULL && vault_list(vault, list) == ERR_OK)
        for (size_t i = list->count; i-- > 0 && !found;)
            found = vault_look(vault, list->names[i], ret_backup, &unused) == ERR_OK &&
                    ret_backup->store_version <= shape_version();
    free(list);
    return found;
}

void upgrade_say_way_back(const struct config *config)
{
    struct place place;
    struct vault vault;
    struct vault_problem unused;
    struct store_options options = shape_options(config_path(config, SETTING_DATA));
    struct manifest *backup = malloc(sizeof *backup);
    if (store_version_of(&options) > shape_version() && backup != NULL &&
        place_name(config, &place) &&
        vault_open(place.backups, &vault, &unused) == ERR_OK) {
        if (way_back_find(&vault, backup)) {
            LOG_NOTICE("way_back", LOG_WORD("backup", backup->name));
            fprintf(config->complaints,
                    "drover-hub: %s was made before it; what was done since would be "
                    "lost\n",
                    backup->name);
            restore_command_say(config, &place, backup->name);
        }
        vault_close(&vault);
    }
    free(backup);
}
