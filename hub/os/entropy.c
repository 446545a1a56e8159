#include "os/entropy.h"

#include "base/ensure.h"

#include <errno.h>
#include <sys/random.h>

void entropy_fill(void *target, size_t size)
{
    char *bytes = target;

    while (size > 0) {
        ssize_t taken = getrandom(bytes, size, 0);
        if (taken < 0 && errno == EINTR)
            continue;
        ENSURE(taken > 0);
        bytes += taken;
        size -= (size_t)taken;
    }
}

uint64_t entropy_u64(void)
{
    uint64_t number;
    entropy_fill(&number, sizeof number);
    return number;
}
