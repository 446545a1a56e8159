#include "net/peer.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { SNAPSHOT_TRIES = 8 };

struct slice peer_text(int fd, char ret_text[INET6_ADDRSTRLEN])
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } peer = { 0 };
    socklen_t size = sizeof peer;
    int family = AF_INET;
    const void *bytes = &peer.four.sin_addr;

    ret_text[0] = '\0';
    if (getpeername(fd, &peer.any, &size) != 0)
        return SLICE_OF("");
    if (peer.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&peer.six.sin6_addr)) {
        bytes = &peer.six.sin6_addr.s6_addr[12];
    } else if (peer.any.sa_family == AF_INET6) {
        family = AF_INET6;
        bytes = &peer.six.sin6_addr;
    }
    if (inet_ntop(family, bytes, ret_text, INET6_ADDRSTRLEN) == NULL)
        ret_text[0] = '\0';
    return slice_from_text(ret_text);
}

static bool ask_tcp(int fd, struct tcp_info *ret_info, size_t needed)
{
    socklen_t size = sizeof *ret_info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, ret_info, &size) == 0 && size >= needed;
}

bool peer_bytes_read(int fd, uint64_t *ret_bytes)
{
    enum { NEEDED = offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(uint64_t) };
    struct tcp_info before;
    struct tcp_info after;
    int unread = 0;
    /* Bytes that arrive between two questions would count as read: ask again. */
    for (int i = 0; i < SNAPSHOT_TRIES; i++) {
        if (!ask_tcp(fd, &before, NEEDED) || ioctl(fd, FIONREAD, &unread) != 0 ||
            !ask_tcp(fd, &after, NEEDED))
            return false;
        if (before.tcpi_bytes_received == after.tcpi_bytes_received) {
            *ret_bytes = (uint64_t)after.tcpi_bytes_received - (uint64_t)unread;
            return true;
        }
    }
    return false;
}

bool peer_silence(int fd, int64_t *ret_ms)
{
    enum { NEEDED = offsetof(struct tcp_info, tcpi_last_data_recv) + sizeof(uint32_t) };
    struct tcp_info info;
    if (!ask_tcp(fd, &info, NEEDED))
        return false;
    *ret_ms = info.tcpi_last_data_recv;
    return true;
}
