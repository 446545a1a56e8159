#include "app/listen.h"

#include <arpa/inet.h>
#include <string.h>

static size_t colon_last(struct slice text)
{
    size_t at = text.size;
    while (at > 0 && text.data[at - 1] != ':')
        at--;
    return at;
}

static bool address_judge(struct listen *listen)
{
    static const uint8_t LOOPBACK6[16] = { [15] = 1 };
    uint8_t bytes[16];

    if (strcmp(listen->address, "localhost") == 0)
        memcpy(listen->address, "127.0.0.1", sizeof "127.0.0.1");
    if (inet_pton(AF_INET, listen->address, bytes) == 1) {
        listen->loopback = bytes[0] == 127;
        return true;
    }
    if (inet_pton(AF_INET6, listen->address, bytes) != 1)
        return false;
    listen->loopback = memcmp(bytes, LOOPBACK6, sizeof LOOPBACK6) == 0;
    return true;
}

bool listen_parse(struct slice text, struct listen *ret_listen)
{
    struct listen listen = { .port = 0 };
    size_t port_at = colon_last(text);
    uint64_t port;
    if (port_at < 2 || !slice_parse_u64(slice_skip(text, port_at), &port) ||
        port > UINT16_MAX)
        return false;

    struct slice address = { text.data, port_at - 1 };
    if (address.data[0] == '[') {
        if (address.size < 3 || address.data[address.size - 1] != ']')
            return false;
        address = (struct slice){ address.data + 1, address.size - 2 };
    } else if (slice_find(address, ':') < address.size) {
        return false;
    }
    if (address.size >= sizeof listen.address)
        return false;
    memcpy(listen.address, address.data, address.size);
    listen.port = (uint16_t)port;
    if (!address_judge(&listen))
        return false;
    *ret_listen = listen;
    return true;
}

bool listen_describe(int family, const void *address, uint16_t port,
                     struct listen *ret_listen)
{
    struct listen listen = { .port = port };
    if (inet_ntop(family, address, listen.address, sizeof listen.address) == NULL ||
        !address_judge(&listen))
        return false;
    *ret_listen = listen;
    return true;
}
