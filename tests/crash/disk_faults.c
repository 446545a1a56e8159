/*
 * disk_faults.c - preloaded into the hub: a disk that misbehaves on demand.
 *
 * As long as a file of that name is in the folder DISK_FAULTS: `slow`, syncs of data wait;
 * `broken`, they fail with EIO.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static bool is_on(const char *fault)
{
    char path[PATH_MAX];
    const char *folder = getenv("DISK_FAULTS");
    if (folder == NULL)
        return false;
    int size = snprintf(path, sizeof path, "%s/%s", folder, fault);
    return size > 0 && (size_t)size < sizeof path && access(path, F_OK) == 0;
}

int fdatasync(int fd)
{
    static int (*real)(int);
    const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    while (is_on("slow"))
        nanosleep(&pause, NULL);
    if (is_on("broken")) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}
