#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum err file_err(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERR_NO_SPACE;
    case EEXIST:
        return ERR_EXISTS;
    case ENOMEM:
        return ERR_MEMORY;
    case EMFILE:
    case ENFILE:
        return ERR_LIMIT;
    default:
        return ERR_IO;
    }
}

/* Reads one byte more than allowed, so that a file that is too long is told from one
 * that just fits, whatever its size says (a pipe or /proc says nothing). */
enum err file_get(int fd, size_t bytes_max, struct buffer *buffer)
{
    char chunk[16384];
    size_t total = 0;

    for (;;) {
        size_t want =
            bytes_max - total < sizeof chunk ? bytes_max - total + 1 : sizeof chunk;
        ssize_t taken = read(fd, chunk, want);
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken < 0)
            return file_err(errno);
        if (taken == 0)
            return buffer_failed(buffer) ? ERR_LIMIT : ERR_OK;
        total += (size_t)taken;
        if (total > bytes_max)
            return ERR_LIMIT;
        buffer_append(buffer, chunk, (size_t)taken);
    }
}

enum err file_read(const char *path, size_t bytes_max, struct buffer *buffer)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return file_err(errno);
    enum err err = file_get(fd, bytes_max, buffer);
    (void)close(fd);
    return err;
}

enum err file_put(int fd, struct slice bytes)
{
    while (bytes.size > 0) {
        ssize_t written = write(fd, bytes.data, bytes.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return file_err(errno);
        bytes = slice_skip(bytes, (size_t)written);
    }
    return ERR_OK;
}

enum err file_sync(int fd)
{
    return fsync(fd) == 0 ? ERR_OK : file_err(errno);
}

enum err directory_sync_above(const char *path)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return directory_sync(".");
    size_t size = slash == path ? 1 : (size_t)(slash - path);
    if (size >= sizeof parent)
        return ERR_LIMIT;
    memcpy(parent, path, size);
    parent[size] = '\0';
    return directory_sync(parent);
}

enum err file_write(const char *path, struct slice bytes)
{
    char beside[PATH_MAX];
    int size = snprintf(beside, sizeof beside, "%s.new", path);
    if (size < 0 || (size_t)size >= sizeof beside)
        return ERR_LIMIT;

    /* What an interrupted write left behind is nobody's; a link is not followed. */
    (void)unlink(beside);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return file_err(errno);
    enum err err = file_put(fd, bytes);
    if (err == ERR_OK)
        err = file_sync(fd);
    if (close(fd) != 0 && err == ERR_OK)
        err = file_err(errno);
    if (err == ERR_OK && rename(beside, path) != 0)
        err = file_err(errno);
    if (err != ERR_OK) {
        (void)unlink(beside);
        return err;
    }
    return directory_sync_above(path);
}

enum err file_remove(const char *path)
{
    return unlink(path) == 0 ? directory_sync_above(path) : file_err(errno);
}

enum err file_size(const char *path, uint64_t *ret_bytes)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return file_err(errno);
    *ret_bytes = (uint64_t)status.st_size;
    return ERR_OK;
}

enum err directory_make(const char *path)
{
    if (mkdir(path, 0700) == 0)
        return directory_sync_above(path);
    if (errno != EEXIST)
        return file_err(errno);

    struct stat status;
    if (stat(path, &status) != 0)
        return file_err(errno);
    if (!S_ISDIR(status.st_mode))
        return ERR_INVALID;
    if ((status.st_mode & 07777) == 0700)
        return ERR_OK;
    return chmod(path, 0700) == 0 ? ERR_OK : file_err(errno);
}

enum err directory_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return file_err(errno);
    enum err err = file_sync(fd);
    (void)close(fd);
    return err;
}

bool path_join(char *target, size_t size, const char *directory, const char *name)
{
    size_t length = strlen(directory);
    const char *between = length > 0 && directory[length - 1] == '/' ? "" : "/";
    int wanted = snprintf(target, size, "%s%s%s", directory, between, name);
    return wanted >= 0 && (size_t)wanted < size;
}

/* A child has its parent's files until it has become another program. When the parent was
 * killed meanwhile, its lock lasts that much longer. */
enum { LOCK_TRIES = 25 };
static const struct timespec LOCK_PAUSE = { .tv_nsec = 20 * 1000 * 1000 };

enum err file_lock_take(const char *path, struct file_lock *ret_lock)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return file_err(errno);

    int code;
    int tries = 0;
    while ((code = flock(fd, LOCK_EX | LOCK_NB)) != 0 &&
           (errno == EINTR || (errno == EWOULDBLOCK && ++tries < LOCK_TRIES)))
        if (errno == EWOULDBLOCK)
            (void)nanosleep(&LOCK_PAUSE, NULL);
    if (code != 0) {
        enum err err = errno == EWOULDBLOCK ? ERR_EXISTS : file_err(errno);
        (void)close(fd);
        return err;
    }
    ret_lock->fd = fd;
    return ERR_OK;
}

void file_lock_release(struct file_lock *lock)
{
    if (lock->fd >= 0)
        (void)close(lock->fd);
    lock->fd = -1;
}
