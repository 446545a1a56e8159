/*
 * fleet.h - many agents on one hub, registered, connected and identified.
 */
#ifndef BENCHMARK_FLEET_H
#define BENCHMARK_FLEET_H

#include "benchmark/client.h"
#include "benchmark/hub_process.h"

/*
 * Opens `count` agents named PREFIX-0 and on, a few at a time, and returns once all are
 * identified. The caller's handler counts the frames `identified` into *identified.
 */
enum err fleet_connect(struct clients *clients, struct client *agents, const char *prefix,
                       const struct hub_process *hub, uint32_t count,
                       const uint32_t *identified);

#endif
