#include "benchmark/fleet.h"

#include <stdio.h>

#define FRAME_BYTES 512

/* 127.0.1.1 and on: each has its own range of ports. */
#define ADDRESS_FIRST 0x7f000101u
#define LINKS_PER_ADDRESS 10000

/* Connections that may be on their way at once. */
#define WINDOW 64

enum err fleet_connect(struct clients *clients, struct client *agents, const char *prefix,
                       const struct hub_process *hub, uint32_t count,
                       const uint32_t *identified)
{
    char name[32], token[65], text[FRAME_BYTES];
    for (uint32_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s-%u", prefix, i);
        enum err err = hub_register(hub, name, token);
        if (err == ERR_OK)
            err = client_open(&agents[i], clients, hub->port,
                              ADDRESS_FIRST + i / LINKS_PER_ADDRESS);
        if (err != ERR_OK)
            return err;
        int size = snprintf(
            text, sizeof text,
            "{\"type\":\"identify\",\"agent_id\":\"%s\",\"token\":\"%s\"}", name, token);
        client_send(&agents[i], slice_make(text, (size_t)size));
        do {
            if (clients_poll(clients, 0) != ERR_OK)
                return ERR_IO;
        } while (i + 1 - *identified > WINDOW);
    }
    while (*identified < count)
        if (clients_poll(clients, 100) != ERR_OK)
            return ERR_IO;
    return ERR_OK;
}
