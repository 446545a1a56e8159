#include "ops/vault.h"

#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    NAME_ROOM = MANIFEST_NAME_BYTES + sizeof VAULT_PARTIAL + 8,
    ENTRIES_MAX = 100000, /* of a directory that is somebody else's, too */
};

#define REMOVED ".removed" VAULT_PARTIAL

void vault_say(struct vault_problem *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
}

static bool ends_with(struct slice text, const char *end)
{
    struct slice tail = slice_from_text(end);
    return text.size >= tail.size &&
           slice_equal(slice_skip(text, text.size - tail.size), tail);
}

enum err vault_say_errno(struct vault_problem *problem, const char *doing)
{
    enum err err = file_err(errno);
    vault_say(problem, "%s: %s", doing, strerror(errno));
    return err == ERR_NO_SPACE || err == ERR_EXISTS ? err : ERR_IO;
}

bool vault_name_valid(struct slice name)
{
    static const char GOOD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                               "0123456789.-_";
    if (name.size == 0 || name.size > MANIFEST_NAME_BYTES || name.data[0] == '.' ||
        ends_with(name, VAULT_PARTIAL))
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] == '\0' || strchr(GOOD, name.data[i]) == NULL)
            return false;
    return true;
}

bool vault_name_is_of(const char *name, const char *kind)
{
    size_t size = strlen(kind);
    return strncmp(name, kind, size) == 0 && name[size] == '-';
}

void vault_name_make(const char *kind, int64_t wall_ms, uint64_t sequence,
                     char ret_name[MANIFEST_NAME_BYTES + 1])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    char moment[32] = "00000000T000000Z";
    if (gmtime_r(&seconds, &parts) != NULL)
        (void)strftime(moment, sizeof moment, "%Y%m%dT%H%M%SZ", &parts);
    (void)snprintf(ret_name, MANIFEST_NAME_BYTES + 1, "%s-%s-%016llx", kind, moment,
                   (unsigned long long)sequence);
}

static void partial_name(const char *name, const char *tail, char target[NAME_ROOM])
{
    (void)snprintf(target, NAME_ROOM, "%s%s", name, tail);
}

static enum err place_check(int fd, const char *path, struct vault_problem *problem)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return ERR_IO;
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        vault_say(problem, "the backup directory %.150s belongs to somebody else", path);
        return ERR_INVALID;
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        vault_say(problem,
                  "the backup directory %.150s has mode %04o: others may write in it",
                  path, status.st_mode & 07777);
        return ERR_INVALID;
    }
    return ERR_OK;
}

enum err vault_open(const char *path, struct vault *ret_vault,
                    struct vault_problem *ret_problem)
{
    ret_vault->fd = -1;
    if (strlen(path) >= sizeof ret_vault->path) {
        vault_say(ret_problem, "the path of the backup directory is too long");
        return ERR_INVALID;
    }
    bool made = mkdir(path, 0700) == 0;
    if (!made && errno != EEXIST) {
        vault_say(ret_problem, "the backup directory %.150s cannot be made: %s", path,
                  strerror(errno));
        return file_err(errno) == ERR_NO_SPACE ? ERR_NO_SPACE : ERR_IO;
    }
    if (made && directory_sync_above(path) != ERR_OK) {
        vault_say(ret_problem, "the new backup directory %.150s cannot be synced", path);
        return ERR_IO;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        vault_say(ret_problem, "the backup directory %.150s cannot be opened: %s", path,
                  strerror(errno));
        return ERR_IO;
    }
    enum err err = place_check(fd, path, ret_problem);
    if (err != ERR_OK) {
        (void)close(fd);
        return err;
    }
    ret_vault->fd = fd;
    (void)snprintf(ret_vault->path, sizeof ret_vault->path, "%s", path);
    return ERR_OK;
}

void vault_close(struct vault *vault)
{
    if (vault->fd >= 0)
        (void)close(vault->fd);
    vault->fd = -1;
}

bool vault_is_gone(const struct vault *vault)
{
    struct stat open_one;
    struct stat named;
    return fstat(vault->fd, &open_one) != 0 ||
           fstatat(AT_FDCWD, vault->path, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
           open_one.st_dev != named.st_dev || open_one.st_ino != named.st_ino;
}

enum err vault_lock(struct vault *vault, struct vault_problem *ret_problem)
{
    if (flock(vault->fd, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    vault_say(ret_problem, "the backup directory is in use by another hub");
    return ERR_EXISTS;
}

static int open_inside(const struct vault *vault, const char *name)
{
    return openat(vault->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Whatever stands in it is a file: a backup has no folders of its own. */
static enum err remove_whole(struct vault *vault, const char *name)
{
    int inside = open_inside(vault, name);
    if (inside < 0)
        return unlinkat(vault->fd, name, 0) == 0 ? ERR_OK : file_err(errno);
    /* The last two are left by whoever opened the store in it, and was ended. */
    static const char *const FILES[] = { MANIFEST_FILE, VAULT_DATA, "lock.mdb",
                                         "hub.lock" };
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++)
        (void)unlinkat(inside, FILES[i], 0);
    (void)close(inside);
    return unlinkat(vault->fd, name, AT_REMOVEDIR) == 0 ? ERR_OK : file_err(errno);
}

static DIR *entries_open(const struct vault *vault)
{
    int fd = openat(vault->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries == NULL && fd >= 0)
        (void)close(fd);
    return entries;
}

void vault_sweep(struct vault *vault)
{
    DIR *entries = entries_open(vault);
    if (entries == NULL)
        return;
    const struct dirent *entry;
    for (int i = 0; i < ENTRIES_MAX && (entry = readdir(entries)) != NULL; i++) {
        struct slice name = slice_from_text(entry->d_name);
        if (ends_with(name, VAULT_PARTIAL) &&
            (slice_starts_with(name, SLICE_OF(VAULT_BACKUP "-")) ||
             slice_starts_with(name, SLICE_OF(VAULT_STORE_AT "-"))))
            (void)remove_whole(vault, entry->d_name);
    }
    (void)closedir(entries);
}

enum err vault_begin(struct vault *vault, const char *name, int *ret_data,
                     struct vault_problem *ret_problem)
{
    char partial[NAME_ROOM];
    partial_name(name, VAULT_PARTIAL, partial);
    if (mkdirat(vault->fd, partial, 0700) != 0)
        return vault_say_errno(ret_problem, "a directory for the backup cannot be made");
    if (ret_data == NULL)
        return ERR_OK;
    int inside = open_inside(vault, partial);
    int data = inside < 0
                   ? -1
                   : openat(inside, VAULT_DATA,
                            O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    enum err err = ERR_OK;
    if (data < 0)
        err = vault_say_errno(ret_problem, "the backup's file cannot be made");
    if (inside >= 0)
        (void)close(inside);
    if (err == ERR_OK)
        *ret_data = data;
    else
        vault_give_up(vault, name);
    return err;
}

void vault_give_up(struct vault *vault, const char *name)
{
    char partial[NAME_ROOM];
    partial_name(name, VAULT_PARTIAL, partial);
    (void)remove_whole(vault, partial);
}

static enum err manifest_put(int inside, const struct manifest *manifest)
{
    struct buffer text;
    buffer_init(&text, MANIFEST_BYTES_MAX);
    manifest_write(manifest, &text);
    int fd = openat(inside, MANIFEST_FILE,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    enum err err = fd < 0 ? file_err(errno) : ERR_OK;
    if (err == ERR_OK)
        err = buffer_failed(&text) ? ERR_MEMORY : file_put(fd, buffer_slice(&text));
    if (err == ERR_OK)
        err = file_sync(fd);
    if (fd >= 0)
        (void)close(fd);
    buffer_finish(&text);
    return err;
}

enum err vault_finish(struct vault *vault, const char *name,
                      const struct manifest *manifest, struct vault_problem *ret_problem)
{
    char partial[NAME_ROOM];
    partial_name(name, VAULT_PARTIAL, partial);
    int inside = open_inside(vault, partial);
    if (inside < 0)
        return vault_say_errno(ret_problem, "the backup is gone");
    enum err err = manifest_put(inside, manifest);
    if (err != ERR_OK)
        vault_say(ret_problem, "the backup's manifest cannot be written: %s",
                  err_name(err));
    if (err == ERR_OK && fsync(inside) != 0)
        err = vault_say_errno(ret_problem, "the backup cannot be synced");
    (void)close(inside);
    if (err == ERR_OK && renameat(vault->fd, partial, vault->fd, name) != 0)
        err = vault_say_errno(ret_problem, "the backup cannot be given its name");
    if (err == ERR_OK && fsync(vault->fd) != 0)
        err = vault_say_errno(ret_problem, "the backup directory cannot be synced");
    return err;
}

enum err vault_rename_partial(struct vault *vault, const char *from, const char *to)
{
    char old[NAME_ROOM];
    char made[NAME_ROOM];
    partial_name(from, VAULT_PARTIAL, old);
    partial_name(to, VAULT_PARTIAL, made);
    return renameat(vault->fd, old, vault->fd, made) == 0 ? ERR_OK : file_err(errno);
}

/* Ours, plain, with no other name, and nobody else's to read or write. */
static int open_file(int inside, const char *file, struct stat *ret_status,
                     struct vault_problem *problem)
{
    int fd = openat(inside, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, ret_status) != 0) {
        vault_say(problem, "its %s cannot be opened: %s", file, strerror(errno));
    } else if (!S_ISREG(ret_status->st_mode) || ret_status->st_nlink != 1) {
        vault_say(problem, "its %s is not a plain file with one name", file);
    } else if (ret_status->st_uid != geteuid()) {
        vault_say(problem, "its %s belongs to somebody else", file);
    } else if ((ret_status->st_mode & 07077) != 0) {
        vault_say(problem, "its %s has mode %04o: only its owner may have access", file,
                  ret_status->st_mode & 07777);
    } else {
        return fd;
    }
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static enum err manifest_get(int inside, struct manifest *manifest,
                             struct vault_problem *problem)
{
    struct stat status;
    int fd = open_file(inside, MANIFEST_FILE, &status, problem);
    if (fd < 0)
        return ERR_INVALID;
    struct buffer text;
    buffer_init(&text, MANIFEST_BYTES_MAX);
    enum err err = file_get(fd, MANIFEST_BYTES_MAX, &text);
    (void)close(fd);
    if (err == ERR_OK)
        err = manifest_read(buffer_slice(&text), manifest);
    buffer_finish(&text);
    if (err != ERR_OK)
        vault_say(problem, err == ERR_UNSUPPORTED ? "its manifest is of a newer version"
                                                  : "its manifest cannot be read");
    return err;
}

static enum err data_check(int inside, const struct manifest *manifest,
                           struct vault_problem *problem)
{
    struct stat status;
    int fd = open_file(inside, VAULT_DATA, &status, problem);
    if (fd < 0)
        return ERR_INVALID;
    (void)close(fd);
    if ((uint64_t)status.st_size == manifest->bytes)
        return ERR_OK;
    vault_say(problem, "its data is %lld bytes long, and the manifest says %llu",
              (long long)status.st_size, (unsigned long long)manifest->bytes);
    return ERR_INVALID;
}

enum err vault_look(struct vault *vault, const char *name, struct manifest *ret_manifest,
                    struct vault_problem *ret_problem)
{
    int inside = open_inside(vault, name);
    if (inside < 0) {
        vault_say(ret_problem, "there is no such backup");
        return ERR_NOT_FOUND;
    }
    enum err err = manifest_get(inside, ret_manifest, ret_problem);
    if (err == ERR_OK && strcmp(ret_manifest->name, name) != 0) {
        vault_say(ret_problem, "its manifest is that of %.80s", ret_manifest->name);
        err = ERR_INVALID;
    }
    if (err == ERR_OK)
        err = data_check(inside, ret_manifest, ret_problem);
    (void)close(inside);
    return err;
}

enum err vault_open_data(struct vault *vault, const char *name, int *ret_data)
{
    struct stat status;
    struct vault_problem unused;
    int inside = open_inside(vault, name);
    if (inside < 0)
        return file_err(errno);
    int fd = open_file(inside, VAULT_DATA, &status, &unused);
    (void)close(inside);
    if (fd < 0)
        return ERR_INVALID;
    *ret_data = fd;
    return ERR_OK;
}

enum err vault_remove(struct vault *vault, const char *name)
{
    char removed[NAME_ROOM + sizeof REMOVED];
    (void)snprintf(removed, sizeof removed, "%s%s", name, REMOVED);
    if (renameat(vault->fd, name, vault->fd, removed) != 0)
        return file_err(errno);
    enum err err = remove_whole(vault, removed);
    return err == ERR_OK && fsync(vault->fd) != 0 ? ERR_IO : err;
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(one, other);
}

/* Full: the oldest makes way. */
static void list_add(struct vault_list *list, const char *name)
{
    size_t at = list->count;
    if (at == VAULT_LISTED_MAX) {
        at = 0;
        for (size_t i = 1; i < list->count; i++)
            if (strcmp(list->names[i], list->names[at]) < 0)
                at = i;
        if (strcmp(name, list->names[at]) < 0)
            return;
    } else {
        list->count++;
    }
    (void)snprintf(list->names[at], sizeof list->names[at], "%.*s", MANIFEST_NAME_BYTES,
                   name);
}

enum err vault_list(struct vault *vault, struct vault_list *ret_list)
{
    struct stat status;
    ret_list->count = 0;
    DIR *entries = entries_open(vault);
    if (entries == NULL)
        return ERR_IO;
    const struct dirent *entry;
    for (int i = 0; i < ENTRIES_MAX && (entry = readdir(entries)) != NULL; i++) {
        if (vault_name_valid(slice_from_text(entry->d_name)) &&
            fstatat(vault->fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISDIR(status.st_mode))
            list_add(ret_list, entry->d_name);
    }
    (void)closedir(entries);
    qsort(ret_list->names, ret_list->count, sizeof ret_list->names[0], compare_names);
    return ERR_OK;
}

int64_t vault_changed_ns(const struct vault *vault)
{
    struct stat status;
    if (vault->fd < 0 || fstat(vault->fd, &status) != 0)
        return 0;
    return (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
}
