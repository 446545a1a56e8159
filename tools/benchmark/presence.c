/*
 * What a change of status costs a large fleet: with everybody told, as AgentCom v1.1 does
 * it, with nobody told, and with a few subscribers.
 */
#include "benchmark/bench.h"
#include "benchmark/fleet.h"

#include "base/ensure.h"
#include "os/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_BYTES 512

enum {
    CHANGING = 100,
    ROUNDS = 5, /* changes of each */
    QUIET_MS = 700,
    TOLD_PART = 5, /* of the fleet: all of it telling all of it takes too long */
};

static struct {
    uint32_t identified;
    uint32_t updated;
    uint32_t subscribed;
    uint64_t heard; /* status_changed and presence_changed */
    int64_t heard_ms;
} seen;

static void presence_text(struct client *client, const struct json *json)
{
    struct slice type = json_text_of(json, "type");
    (void)client;
    if (slice_equal_text(type, "identified")) {
        seen.identified++;
    } else if (slice_equal_text(type, "status_updated")) {
        seen.updated++;
    } else if (slice_equal_text(type, "presence_snapshot")) {
        seen.subscribed++;
    } else if (slice_equal_text(type, "status_changed") ||
               slice_equal_text(type, "presence_changed")) {
        seen.heard++;
        seen.heard_ms = clock_monotonic_ms();
    }
}

/* Until nothing has come for a while. */
static enum err fleet_settle(struct clients *clients)
{
    seen.heard_ms = clock_monotonic_ms();
    while (clock_monotonic_ms() - seen.heard_ms < QUIET_MS)
        if (clients_poll(clients, 50) != ERR_OK)
            return ERR_IO;
    return ERR_OK;
}

static enum err fleet_subscribe(struct clients *clients, struct client *agents,
                                uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        client_send(&agents[i],
                    SLICE_OF("{\"type\":\"presence_subscribe\",\"limit\":10}"));
    while (seen.subscribed < count)
        if (clients_poll(clients, 100) != ERR_OK)
            return ERR_IO;
    return ERR_OK;
}

static enum err fleet_change(struct clients *clients, struct client *agents,
                             uint32_t count)
{
    char text[FRAME_BYTES];
    uint32_t changing = count < CHANGING ? count : CHANGING;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        for (uint32_t i = 0; i < changing; i++) {
            int size = snprintf(text, sizeof text,
                                "{\"type\":\"status\",\"status\":\"round %u\"}", round);
            client_send(&agents[count - 1 - i], slice_make(text, (size_t)size));
        }
        while (seen.updated < round * changing)
            if (clients_poll(clients, 100) != ERR_OK)
                return ERR_IO;
    }
    return fleet_settle(clients);
}

static enum err fleet_measure(const struct bench_options *options, const char *what,
                              uint32_t count, const char *events_max,
                              uint32_t subscribers)
{
    const char *const flags[] = { "--presence-events-agents-max", events_max,
                                  "--rate-agent-light", "10000000",
                                  /* Connecting all of them takes longer than that. */
                                  "--idle-timeout-ms", "3600000", NULL };
    struct clients clients;
    struct hub_process hub;
    struct hub_counts counts;
    struct client *agents = calloc(count, sizeof *agents);
    enum err err = clients_init(&clients);
    ENSURE(err == ERR_OK && agents != NULL);
    clients.text = presence_text;
    memset(&seen, 0, sizeof seen);

    err = hub_start_with(&hub, options->directory, flags);
    if (err == ERR_OK)
        err = fleet_connect(&clients, agents, "agent", &hub, count, &seen.identified);
    if (err == ERR_OK)
        err = fleet_subscribe(&clients, agents, subscribers);
    if (err == ERR_OK)
        err = fleet_settle(&clients);
    uint64_t heard = seen.heard;
    int64_t cpu_ms = err == ERR_OK ? hub_cpu_ms(&hub) : 0;
    int64_t start_ms = clock_monotonic_ms();
    if (err == ERR_OK)
        err = fleet_change(&clients, agents, count);
    if (err == ERR_OK)
        printf("%-18s %6u agents, %u changes: %8llu messages to others, %6lld ms of "
               "processor time, over after %lld ms\n",
               what, clients.open, seen.updated, (unsigned long long)(seen.heard - heard),
               (long long)(hub_cpu_ms(&hub) - cpu_ms),
               (long long)(seen.heard_ms > start_ms ? seen.heard_ms - start_ms : 0));
    for (uint32_t i = 0; i < count; i++)
        client_close(&agents[i]);
    if (err == ERR_OK)
        err = hub_stop(&hub, &counts);
    clients_finish(&clients);
    free(agents);
    return err;
}

enum err bench_presence(const struct bench_options *options)
{
    uint32_t count = options->connections;
    enum err err =
        fleet_measure(options, "everybody is told", count / TOLD_PART + 1, "1000000", 0);
    if (err == ERR_OK)
        err = fleet_measure(options, "nobody is told", count, "256", 0);
    if (err == ERR_OK)
        err = fleet_measure(options, "ten subscribers", count, "256", 10);
    return err;
}
