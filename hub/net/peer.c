#include "net/peer.h"

#include <arpa/inet.h>
#include <sys/socket.h>

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
