#include "engine/fleet_clock.h"

#include "os/clock.h"

void fleet_clock_start(struct fleet_clock *clock, int64_t place_ms)
{
    clock->offset_ms = place_ms - clock_monotonic_ms();
}

int64_t fleet_clock_now(const struct fleet_clock *clock)
{
    return clock_monotonic_ms() + clock->offset_ms;
}
