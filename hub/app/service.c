#include "app/service.h"

#include "os/log.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

enum { WORDS_PER_DEADLINE = 3, US_PER_MS = 1000 };

static enum err complain(FILE *complaints, const char *reason)
{
    fprintf(complaints, "drover-hub: the socket of the service manager: %s\n", reason);
    return ERR_INVALID;
}

static bool address_read(int fd, struct listen *ret_listen)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address = { 0 };
    socklen_t size = sizeof address;
    if (getsockname(fd, &address.any, &size) != 0)
        return false;
    if (address.any.sa_family == AF_INET)
        return listen_describe(AF_INET, &address.four.sin_addr,
                               ntohs(address.four.sin_port), ret_listen);
    return address.any.sa_family == AF_INET6 &&
           listen_describe(AF_INET6, &address.six.sin6_addr, ntohs(address.six.sin6_port),
                           ret_listen);
}

enum err service_socket_take(struct listen *ret_listen, int *ret_fd, FILE *complaints)
{
    *ret_fd = -1;
    int count = sd_listen_fds(1);
    if (count == 0)
        return ERR_OK;
    if (count != 1)
        return complain(complaints, "the hub wants one, and no more");
    int fd = SD_LISTEN_FDS_START;
    if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0 || !address_read(fd, ret_listen))
        return complain(complaints, "the hub wants a TCP socket that listens");
    *ret_fd = fd;
    return ERR_OK;
}

int64_t service_alive_every_ms(void)
{
    uint64_t deadline_us;
    if (sd_watchdog_enabled(1, &deadline_us) <= 0)
        return 0;
    int64_t every_ms = (int64_t)(deadline_us / (WORDS_PER_DEADLINE * US_PER_MS));
    return every_ms > 0 ? every_ms : 1;
}

/* A manager that does not listen is no reason to stop. */
static void tell(const char *state)
{
    int code = sd_notify(0, state);
    if (code < 0)
        LOG_WARNING("service_manager_not_told", LOG_NUMBER("errno", -code));
}

void service_starting(int64_t ms)
{
    char state[64];
    (void)snprintf(state, sizeof state, "EXTEND_TIMEOUT_USEC=%" PRId64, ms * US_PER_MS);
    tell(state);
}

void service_ready(void)
{
    tell("READY=1");
}

void service_alive(void)
{
    tell("WATCHDOG=1");
}

void service_stopping(void)
{
    tell("STOPPING=1");
}
