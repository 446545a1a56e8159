/*
 * fleet_clock.h - the clock leases count on: it goes on from where the last run left it.
 *
 * It stands still while the hub is down, so that a restart takes nothing from a lease,
 * and it ignores every jump of the wall clock. Fixed at the start; any thread may read.
 */
#ifndef ENGINE_FLEET_CLOCK_H
#define ENGINE_FLEET_CLOCK_H

#include <stdint.h>

struct fleet_clock {
    int64_t offset_ms; /* fleet time less monotonic time */
};

/* `place_ms` is the fleet time of the last commit. */
void fleet_clock_start(struct fleet_clock *clock, int64_t place_ms);
int64_t fleet_clock_now(const struct fleet_clock *clock);

#endif
