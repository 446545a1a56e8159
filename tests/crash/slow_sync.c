/* Preloaded: syncs of data wait as long as the file named by SLOW_SYNC_FILE is there. */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int fdatasync(int fd)
{
    static int (*real)(int);
    const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
    const char *path = getenv("SLOW_SYNC_FILE");
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    while (path != NULL && access(path, F_OK) == 0)
        nanosleep(&pause, NULL);
    return real(fd);
}
