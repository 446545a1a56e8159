/*
 * What an identified agent that waits for work costs the hub in memory.
 */
#include "benchmark/bench.h"
#include "benchmark/fleet.h"

#include "base/ensure.h"
#include "os/clock.h"

#include <stdio.h>
#include <stdlib.h>

#define SETTLE_MS 1000

static uint32_t identified;

static void idle_text(struct client *client, const struct json *json)
{
    (void)client;
    if (slice_equal_text(json_text_of(json, "type"), "identified"))
        identified++;
}

static enum err idle_connect(struct clients *clients, struct client *agents,
                             const struct hub_process *hub, uint32_t count)
{
    enum err err = fleet_connect(clients, agents, "idle", hub, count, &identified);
    for (int64_t stop = clock_monotonic_ms() + SETTLE_MS;
         err == ERR_OK && clock_monotonic_ms() < stop;)
        if (clients_poll(clients, 100) != ERR_OK)
            return ERR_IO;
    return err;
}

enum err bench_idle(const struct bench_options *options)
{
    struct clients clients;
    struct hub_process hub;
    struct hub_counts counts;
    uint32_t count = options->connections;
    struct client *agents = calloc(count, sizeof *agents);
    enum err err = clients_init(&clients);
    ENSURE(err == ERR_OK && agents != NULL);
    clients.text = idle_text;
    identified = 0;

    err = hub_start(&hub, options->directory);
    uint64_t before = err == ERR_OK ? hub_resident_bytes(&hub) : 0;
    int64_t start_ms = clock_monotonic_ms();
    if (err == ERR_OK)
        err = idle_connect(&clients, agents, &hub, count);
    if (err == ERR_OK) {
        uint64_t after = hub_resident_bytes(&hub);
        printf(
            "%u identified agents in %.1f s, %u open: %.1f MiB before, %.1f MiB after, "
            "%.1f KiB a connection\n",
            count, (double)(clock_monotonic_ms() - start_ms) / 1000, clients.open,
            (double)before / 1048576, (double)after / 1048576,
            (double)(after - before) / 1024 / count);
    }
    for (uint32_t i = 0; i < count; i++)
        client_close(&agents[i]);
    if (err == ERR_OK)
        err = hub_stop(&hub, &counts);
    clients_finish(&clients);
    free(agents);
    return err;
}
