#include "store/place.h"

#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Less than this is no room: LMDB writes several pages at a time. */
enum { ROOM_BYTES_MIN = 1024 * 1024 };

/*
 * Local file systems, with locks and a shared page cache that are what they seem to be.
 * Whatever is not here (NFS, SMB, FUSE, 9p, overlay, memory, the unknown) is refused:
 * only the operator can know that it is good enough.
 */
static const uint32_t LOCAL_TYPES[] = {
    0x0000ef53, /* ext2, ext3, ext4 */
    0x58465342, /* XFS */
    0x9123683e, /* Btrfs */
    0x2fc12fc1, /* ZFS */
    0xf2f52010, /* F2FS */
    0xca451a4e, /* bcachefs */
    0x3153464a, /* JFS */
    0x52654973, /* ReiserFS */
};

static const struct {
    uint32_t type;
    const char *name;
} REFUSED_TYPES[] = {
    { 0x00006969, "NFS" },     { 0xff534d42, "CIFS" },  { 0xfe534d42, "SMB" },
    { 0x0000517b, "SMB" },     { 0x65735546, "FUSE" },  { 0x01021997, "9p" },
    { 0x794c7630, "overlay" }, { 0x01021994, "tmpfs" }, { 0x858458f6, "ramfs" },
    { 0x00c36400, "Ceph" },    { 0x5346414f, "AFS" },   { 0x6a656a63, "virtiofs" },
};

void problem_set(struct store_problem *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
}

static enum err check_file_system(const struct store_options *options,
                                  struct store_problem *ret_problem)
{
    struct statfs status;
    if (statfs(options->directory, &status) != 0) {
        problem_set(ret_problem,
                    "cannot ask for the file system of the data directory: %s",
                    strerror(errno));
        return ERR_IO;
    }

    uint32_t type = (uint32_t)status.f_type;
    for (size_t i = 0; i < sizeof LOCAL_TYPES / sizeof LOCAL_TYPES[0]; i++) {
        if (type == LOCAL_TYPES[i])
            return ERR_OK;
    }
    if (options->forced_file_system)
        return ERR_OK;

    const char *name = "an unknown file system";
    for (size_t i = 0; i < sizeof REFUSED_TYPES / sizeof REFUSED_TYPES[0]; i++) {
        if (type == REFUSED_TYPES[i].type)
            name = REFUSED_TYPES[i].name;
    }
    problem_set(
        ret_problem,
        "the data directory lies on %s (type %#x), which is not known to keep what "
        "it is given: use a local disk, or set forced_file_system to take the risk",
        name, type);
    return ERR_UNSUPPORTED;
}

static enum err tighten_file(const char *directory, const char *name,
                             struct store_problem *ret_problem)
{
    char path[PLACE_PATH_BYTES];
    struct stat status;

    if (!path_join(path, sizeof path, directory, name)) {
        problem_set(ret_problem, "the path of the data directory is too long");
        return ERR_IO;
    }
    if (lstat(path, &status) != 0) {
        if (errno == ENOENT)
            return ERR_OK;
        problem_set(ret_problem, "cannot look at %s: %s", name, strerror(errno));
        return ERR_IO;
    }
    if (!S_ISREG(status.st_mode)) {
        problem_set(ret_problem, "%s in the data directory is not a plain file", name);
        return ERR_IO;
    }
    if ((status.st_mode & 07777) == 0600 || chmod(path, 0600) == 0)
        return ERR_OK;
    problem_set(ret_problem,
                "%s in the data directory has mode %04o, others may read it, and it "
                "cannot be tightened: %s",
                name, status.st_mode & 07777, strerror(errno));
    return ERR_IO;
}

enum err place_prepare(const struct store_options *options,
                       struct store_problem *ret_problem)
{
    enum err err = directory_make(options->directory);
    if (err != ERR_OK) {
        problem_set(ret_problem,
                    "the data directory cannot be made, or tightened to mode 0700: %s",
                    err == ERR_INVALID ? "it is something else" : strerror(errno));
        return err == ERR_NO_SPACE ? err : ERR_IO;
    }
    err = check_file_system(options, ret_problem);
    if (err == ERR_OK)
        err = tighten_file(options->directory, PLACE_DATA, ret_problem);
    if (err == ERR_OK)
        err = tighten_file(options->directory, PLACE_LOCK, ret_problem);
    if (err == ERR_OK)
        err = tighten_file(options->directory, PLACE_HUB_LOCK, ret_problem);
    return err;
}

enum err place_data_bytes(const char *directory, uint64_t *ret_bytes)
{
    char path[PLACE_PATH_BYTES];
    if (!path_join(path, sizeof path, directory, PLACE_DATA))
        return ERR_IO;

    enum err err = file_size(path, ret_bytes);
    if (err == ERR_NOT_FOUND) {
        *ret_bytes = 0;
        err = ERR_OK;
    }
    return err;
}

enum err place_room_bytes(const char *directory, uint64_t *ret_bytes)
{
    struct statvfs status;
    if (statvfs(directory, &status) != 0)
        return ERR_IO;
    *ret_bytes = (uint64_t)status.f_bavail * status.f_frsize;
    return ERR_OK;
}

/* Quotas show in no count, only in a write that fails. */
static bool probe_is_refused(const char *directory)
{
    char path[PLACE_PATH_BYTES];
    if (!path_join(path, sizeof path, directory, "hub.probe"))
        return false;

    (void)unlink(path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == ENOSPC || errno == EDQUOT;
    int code = posix_fallocate(fd, 0, ROOM_BYTES_MIN);
    (void)close(fd);
    (void)unlink(path);
    return code == ENOSPC || code == EDQUOT || code == EFBIG;
}

bool place_is_full(const char *directory)
{
    uint64_t room = 0;
    if (place_room_bytes(directory, &room) == ERR_OK && room < ROOM_BYTES_MIN)
        return true;

    struct rlimit limit;
    uint64_t size = 0;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        place_data_bytes(directory, &size) == ERR_OK &&
        size + ROOM_BYTES_MIN >= limit.rlim_cur)
        return true;
    return probe_is_refused(directory);
}
