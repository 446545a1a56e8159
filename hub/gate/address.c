#include "gate/address.h"

#include <arpa/inet.h>
#include <string.h>

enum { NETWORK_BYTES = 8 };

struct slice address_network(struct slice text, struct in6_addr *space)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.size == 0 || text.size >= sizeof copy)
        return text;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return inet_pton(AF_INET6, copy, space) == 1 ? slice_make(space, NETWORK_BYTES)
                                                 : text;
}
