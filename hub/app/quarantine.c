#include "app/quarantine.h"

#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    PATH_BYTES = 4200,
    ENTRIES_MAX = 100000, /* records that rotted are kept in it, too */
    MS_PER_S = 1000,
};

#define FOLDER "quarantine"
#define NAME_FORM "store-%Y%m%dT%H%M%SZ.mdb"

struct folder {
    char path[PATH_BYTES];
    struct stat store; /* st_ino 0: there is none */
};

static enum err folder_open(const char *data, struct folder *folder)
{
    char store[PATH_BYTES];
    memset(folder, 0, sizeof *folder);
    if (!path_join(folder->path, sizeof folder->path, data, FOLDER) ||
        !path_join(store, sizeof store, data, VAULT_DATA))
        return ERR_LIMIT;
    if (lstat(store, &folder->store) != 0)
        folder->store.st_ino = 0;
    return directory_make(folder->path);
}

/* When a broken store was put there; -1: it is none. */
static int64_t moment_of(const char *name)
{
    struct tm parts = { 0 };
    const char *end = strptime(name, NAME_FORM, &parts);
    return end == NULL || *end != '\0' ? -1 : (int64_t)timegm(&parts) * MS_PER_S;
}

static void entry_take(const struct folder *folder, const char *name,
                       struct quarantine *quarantine)
{
    char path[QUARANTINE_PATH_BYTES];
    struct stat status;
    int64_t moment_ms = moment_of(name);
    if (moment_ms < 0 || !path_join(path, sizeof path, folder->path, name) ||
        lstat(path, &status) != 0)
        return;
    if (folder->store.st_ino == status.st_ino && folder->store.st_dev == status.st_dev) {
        quarantine->holds_it = true;
        memcpy(quarantine->path, path, sizeof path);
        return;
    }
    quarantine->count++;
    if (moment_ms > quarantine->newest_ms)
        quarantine->newest_ms = moment_ms;
}

static bool path_make(const struct folder *folder, int64_t wall_ms,
                      struct quarantine *quarantine)
{
    char name[64];
    struct tm parts;
    time_t seconds = (time_t)(wall_ms / MS_PER_S);
    return gmtime_r(&seconds, &parts) != NULL &&
           strftime(name, sizeof name, NAME_FORM, &parts) > 0 &&
           path_join(quarantine->path, sizeof quarantine->path, folder->path, name);
}

enum err quarantine_look(const char *data, int64_t wall_ms,
                         struct quarantine *ret_quarantine,
                         struct vault_problem *ret_problem)
{
    struct folder folder;
    memset(ret_quarantine, 0, sizeof *ret_quarantine);
    enum err err = folder_open(data, &folder);
    if (err == ERR_OK && !path_make(&folder, wall_ms, ret_quarantine))
        err = ERR_LIMIT;
    DIR *entries = err == ERR_OK ? opendir(folder.path) : NULL;
    if (entries == NULL) {
        vault_say(ret_problem, "there is no place to keep the broken store: %s",
                  strerror(errno));
        return err == ERR_OK ? ERR_IO : err;
    }
    const struct dirent *entry;
    for (int i = 0; i < ENTRIES_MAX && (entry = readdir(entries)) != NULL; i++)
        entry_take(&folder, entry->d_name, ret_quarantine);
    (void)closedir(entries);
    return ERR_OK;
}

enum err quarantine_keep(const char *data, const struct quarantine *quarantine,
                         struct vault_problem *ret_problem)
{
    struct folder folder;
    char store[PATH_BYTES];
    enum err err = folder_open(data, &folder);
    if (err != ERR_OK || quarantine->holds_it || folder.store.st_ino == 0)
        return err;
    if (path_join(store, sizeof store, data, VAULT_DATA) &&
        link(store, quarantine->path) == 0)
        return directory_sync(folder.path);
    vault_say(ret_problem, "the broken store cannot be kept as %.120s: %s",
              quarantine->path, strerror(errno));
    return errno == ENOSPC || errno == EDQUOT ? ERR_NO_SPACE : ERR_IO;
}
