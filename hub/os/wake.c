#include "os/wake.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum err wake_init(struct wake *wake)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return errno == ENOMEM ? ERR_MEMORY : ERR_LIMIT;
    wake->fd = fd;
    atomic_init(&wake->set, false);
    return ERR_OK;
}

void wake_finish(struct wake *wake)
{
    (void)close(wake->fd);
    wake->fd = -1;
}

int wake_fd(const struct wake *wake)
{
    return wake->fd;
}

void wake_signal(struct wake *wake)
{
    if (atomic_exchange(&wake->set, true))
        return;

    /* A signal handler may be calling. */
    int saved = errno;
    const uint64_t one = 1;
    while (write(wake->fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    errno = saved;
}

bool wake_wait(struct wake *wake, int timeout_ms)
{
    struct pollfd poller = { .fd = wake->fd, .events = POLLIN };
    return poll(&poller, 1, timeout_ms) == 1;
}

void wake_clear(struct wake *wake)
{
    uint64_t count;

    /* The descriptor first, the flag after: the other way round, a signal in between
     * would leave the flag up over a quiet descriptor, and no later one would write. */
    while (read(wake->fd, &count, sizeof count) < 0 && errno == EINTR)
        continue;
    (void)atomic_exchange(&wake->set, false);
}
