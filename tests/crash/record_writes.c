/*
 * record_writes.c - preloaded into the hub: every change of a file below RECORD_DIR goes
 * into RECORD_LOG, in the order in which the disk was asked for it.
 *
 * A record is one line of JSON and, behind a write, its bytes. What is not synced when the
 * power fails may be on the disk, or not, or in part: power_loss.py makes such disks.
 *
 *   {"op":"open","file":N,"path":"data.mdb","new":true,"cut":false}
 *   {"op":"write","file":N,"at":OFFSET,"size":BYTES,"synced":false} and the bytes
 *   {"op":"sync","file":N}   {"op":"cut","file":N,"size":BYTES}
 *   {"op":"rename","path":"a","to":"b"}   {"op":"remove","path":"a"}
 *   {"op":"directory","path":"backups"}   {"op":"sync_directory","path":""}
 *
 * `file` counts opens: two of them may be the same file.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FDS_MAX = 4096, LINE_MAX_BYTES = 3 * PATH_MAX };

struct tracked {
    unsigned file; /* 0: not ours */
    bool directory;
    bool synced; /* O_DSYNC */
    char path[256];
};

static struct {
    pthread_mutex_t lock;
    int log;
    unsigned files;
    char directory[PATH_MAX];
    size_t directory_size;
    struct tracked fds[FDS_MAX];
} record = { .lock = PTHREAD_MUTEX_INITIALIZER, .log = -1 };

#define REAL(name)                                                                       \
    static __typeof__(&name) real;                                                       \
    if (real == NULL)                                                                    \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

/* A record that is lost would make every image a lie. */
static void log_bytes(const void *bytes, size_t size)
{
    REAL(write);
    if (real(record.log, bytes, size) != (ssize_t)size)
        abort();
}

static void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void log_line(const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof line - 1)
        abort();
    line[size] = '\n';
    log_bytes(line, (size_t)size + 1);
}

__attribute__((constructor)) static void record_start(void)
{
    const char *directory = getenv("RECORD_DIR");
    const char *log = getenv("RECORD_LOG");
    REAL(open);
    /* Programs that the hub starts record nothing. */
    unsetenv("LD_PRELOAD");
    if (directory == NULL || log == NULL)
        return;
    record.directory_size = strlen(directory);
    if (record.directory_size >= sizeof record.directory)
        abort();
    memcpy(record.directory, directory, record.directory_size + 1);
    record.log = real(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (record.log < 0)
        abort();
}

/* The path below the directory; NULL for any other. */
static const char *below(const char *path)
{
    size_t size = record.directory_size;
    if (record.log < 0 || size == 0 || strncmp(path, record.directory, size) != 0)
        return NULL;
    if (path[size] == '\0')
        return "";
    return path[size] == '/' ? path + size + 1 : NULL;
}

/* The same for a path beside a directory's descriptor; in `text`. */
static const char *below_at(int at, const char *path, char text[PATH_MAX])
{
    if (path[0] == '/' || at == AT_FDCWD)
        return below(path);
    if (at < 0 || at >= FDS_MAX || record.fds[at].file == 0 || !record.fds[at].directory)
        return NULL;
    const char *parent = record.fds[at].path;
    int size =
        snprintf(text, PATH_MAX, "%s%s%s", parent, parent[0] == '\0' ? "" : "/", path);
    if (size < 0 || size >= PATH_MAX)
        abort();
    return text;
}

static void opened(int fd, const char *path, int flags, bool existed)
{
    struct stat status;
    if (fd >= 0 && fd < FDS_MAX)
        record.fds[fd].file = 0; /* whoever had the number has closed it */
    if (fd < 0 || path == NULL)
        return;
    if (fd >= FDS_MAX || strlen(path) >= sizeof record.fds[0].path ||
        fstat(fd, &status) != 0)
        abort();
    struct tracked *tracked = &record.fds[fd];
    *tracked = (struct tracked){ .file = ++record.files,
                                 .directory = S_ISDIR(status.st_mode),
                                 .synced = (flags & O_DSYNC) != 0 };
    memcpy(tracked->path, path, strlen(path) + 1);
    if (!tracked->directory && (flags & O_ACCMODE) != O_RDONLY)
        log_line("{\"op\":\"open\",\"file\":%u,\"path\":\"%s\",\"new\":%s,\"cut\":%s}",
                 tracked->file, path, existed ? "false" : "true",
                 (flags & O_TRUNC) != 0 ? "true" : "false");
}

static bool exists_at(int at, const char *path)
{
    struct stat status;
    return fstatat(at, path, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

static int open_at(int at, const char *path, int flags, mode_t mode)
{
    char text[PATH_MAX];
    REAL(openat);
    pthread_mutex_lock(&record.lock);
    const char *inside = below_at(at, path, text);
    bool existed = inside == NULL || exists_at(at, path);
    int fd = real(at, path, flags, mode);
    opened(fd, inside, flags, existed);
    pthread_mutex_unlock(&record.lock);
    return fd;
}

static mode_t mode_of(int flags, va_list arguments)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name)                                                                       \
    int name(const char *path, int flags, ...)                                           \
    {                                                                                    \
        va_list arguments;                                                               \
        va_start(arguments, flags);                                                      \
        mode_t mode = mode_of(flags, arguments);                                         \
        va_end(arguments);                                                               \
        return open_at(AT_FDCWD, path, flags, mode);                                     \
    }

#define OPEN_AT(name)                                                                    \
    int name(int at, const char *path, int flags, ...)                                   \
    {                                                                                    \
        va_list arguments;                                                               \
        va_start(arguments, flags);                                                      \
        mode_t mode = mode_of(flags, arguments);                                         \
        va_end(arguments);                                                               \
        return open_at(at, path, flags, mode);                                           \
    }

OPEN(open)
OPEN(open64)
OPEN_AT(openat)
OPEN_AT(openat64)

/* What fortified callers use when they give no mode. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int at, const char *path, int flags);

int __open_2(const char *path, int flags)
{
    return open_at(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return open_at(AT_FDCWD, path, flags, 0);
}

int __openat_2(int at, const char *path, int flags)
{
    return open_at(at, path, flags, 0);
}

int close(int fd)
{
    REAL(close);
    pthread_mutex_lock(&record.lock);
    if (fd >= 0 && fd < FDS_MAX)
        record.fds[fd].file = 0;
    int code = real(fd);
    pthread_mutex_unlock(&record.lock);
    return code;
}

/* The library's own way to close does not come by here. */
int closedir(DIR *stream)
{
    REAL(closedir);
    int fd = dirfd(stream);
    pthread_mutex_lock(&record.lock);
    if (fd >= 0 && fd < FDS_MAX)
        record.fds[fd].file = 0;
    int code = real(stream);
    pthread_mutex_unlock(&record.lock);
    return code;
}

static const struct tracked *file_of(int fd)
{
    bool ours = fd >= 0 && fd < FDS_MAX && record.fds[fd].file != 0;
    return ours ? &record.fds[fd] : NULL;
}

/* Under the lock: a write's record, then as many bytes as were taken. */
static void wrote(int fd, off_t at, const struct iovec *pieces, int count, ssize_t taken)
{
    const struct tracked *file = file_of(fd);
    if (file == NULL || taken <= 0)
        return;
    log_line("{\"op\":\"write\",\"file\":%u,\"at\":%lld,\"size\":%lld,\"synced\":%s}",
             file->file, (long long)at, (long long)taken,
             file->synced ? "true" : "false");
    size_t left = (size_t)taken;
    for (int i = 0; i < count && left > 0; i++) {
        size_t size = pieces[i].iov_len < left ? pieces[i].iov_len : left;
        log_bytes(pieces[i].iov_base, size);
        left -= size;
    }
}

static bool locked_for(int fd)
{
    pthread_mutex_lock(&record.lock);
    if (file_of(fd) != NULL)
        return true;
    pthread_mutex_unlock(&record.lock);
    return false;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    REAL(write);
    if (!locked_for(fd))
        return real(fd, bytes, size);
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t taken = real(fd, bytes, size);
    wrote(fd, at, &(struct iovec){ (void *)(size_t)bytes, size }, 1, taken);
    pthread_mutex_unlock(&record.lock);
    return taken;
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    REAL(writev);
    if (!locked_for(fd))
        return real(fd, pieces, count);
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t taken = real(fd, pieces, count);
    wrote(fd, at, pieces, count, taken);
    pthread_mutex_unlock(&record.lock);
    return taken;
}

#define PWRITE(name)                                                                     \
    ssize_t name(int fd, const void *bytes, size_t size, off_t at)                       \
    {                                                                                    \
        REAL(name);                                                                      \
        if (!locked_for(fd))                                                             \
            return real(fd, bytes, size, at);                                            \
        ssize_t taken = real(fd, bytes, size, at);                                       \
        wrote(fd, at, &(struct iovec){ (void *)(size_t)bytes, size }, 1, taken);         \
        pthread_mutex_unlock(&record.lock);                                              \
        return taken;                                                                    \
    }

PWRITE(pwrite)
PWRITE(pwrite64)

/* Under the lock all the while, so that nothing counts as synced that came later. */
#define SYNC(name)                                                                       \
    int name(int fd)                                                                     \
    {                                                                                    \
        REAL(name);                                                                      \
        if (!locked_for(fd))                                                             \
            return real(fd);                                                             \
        int code = real(fd);                                                             \
        const struct tracked *file = file_of(fd);                                        \
        if (code == 0 && file->directory)                                                \
            log_line("{\"op\":\"sync_directory\",\"path\":\"%s\"}", file->path);         \
        else if (code == 0)                                                              \
            log_line("{\"op\":\"sync\",\"file\":%u}", file->file);                       \
        pthread_mutex_unlock(&record.lock);                                              \
        return code;                                                                     \
    }

SYNC(fsync)
SYNC(fdatasync)

#define TRUNCATE(name)                                                                   \
    int name(int fd, off_t size)                                                         \
    {                                                                                    \
        REAL(name);                                                                      \
        if (!locked_for(fd))                                                             \
            return real(fd, size);                                                       \
        int code = real(fd, size);                                                       \
        if (code == 0)                                                                   \
            log_line("{\"op\":\"cut\",\"file\":%u,\"size\":%lld}", file_of(fd)->file,    \
                     (long long)size);                                                   \
        pthread_mutex_unlock(&record.lock);                                              \
        return code;                                                                     \
    }

TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    char from_text[PATH_MAX];
    char to_text[PATH_MAX];
    REAL(renameat);
    pthread_mutex_lock(&record.lock);
    const char *from_inside = below_at(from_at, from, from_text);
    const char *to_inside = below_at(to_at, to, to_text);
    int code = real(from_at, from, to_at, to);
    if (code == 0 && from_inside != NULL && to_inside != NULL)
        log_line("{\"op\":\"rename\",\"path\":\"%s\",\"to\":\"%s\"}", from_inside,
                 to_inside);
    pthread_mutex_unlock(&record.lock);
    return code;
}

int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int unlinkat(int at, const char *path, int flags)
{
    char text[PATH_MAX];
    REAL(unlinkat);
    pthread_mutex_lock(&record.lock);
    const char *inside = below_at(at, path, text);
    int code = real(at, path, flags);
    if (code == 0 && inside != NULL)
        log_line("{\"op\":\"remove\",\"path\":\"%s\"}", inside);
    pthread_mutex_unlock(&record.lock);
    return code;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int mkdirat(int at, const char *path, mode_t mode)
{
    char text[PATH_MAX];
    REAL(mkdirat);
    pthread_mutex_lock(&record.lock);
    const char *inside = below_at(at, path, text);
    int code = real(at, path, mode);
    if (code == 0 && inside != NULL && inside[0] != '\0')
        log_line("{\"op\":\"directory\",\"path\":\"%s\"}", inside);
    pthread_mutex_unlock(&record.lock);
    return code;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}
