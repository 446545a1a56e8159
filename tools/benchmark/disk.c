#include "benchmark/disk.h"

#include "os/clock.h"
#include "os/file.h"

#include <fcntl.h>
#include <unistd.h>

#define PAGE_BYTES 4096
#define PAGES 256
#define MEASURE_US 1000000

double disk_syncs_per_second(const char *directory)
{
    static const char PAGE[PAGE_BYTES];
    char path[300];
    if (!path_join(path, sizeof path, directory, "bench-syncs"))
        return 0;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return 0;

    /* Blocks are laid out first: an append would also sync the file's size. */
    for (int i = 0; i < PAGES; i++)
        if (pwrite(fd, PAGE, PAGE_BYTES, (off_t)i * PAGE_BYTES) != PAGE_BYTES)
            break;
    fsync(fd);

    int64_t start_us = clock_monotonic_us();
    int64_t now_us = start_us;
    long syncs = 0;
    for (; now_us - start_us < MEASURE_US; syncs++) {
        if (pwrite(fd, PAGE, PAGE_BYTES, (off_t)(syncs % PAGES) * PAGE_BYTES) < 0 ||
            fdatasync(fd) != 0)
            break;
        now_us = clock_monotonic_us();
    }
    close(fd);
    unlink(path);
    return (double)syncs * 1e6 / (double)(now_us - start_us + 1);
}
