/*
 * moment.h - now, as the gate is told it: no clock is read in this room.
 */
#ifndef GATE_MOMENT_H
#define GATE_MOMENT_H

#include <stdint.h>

struct gate_time {
    int64_t monotonic_ms;
    int64_t wall_ms;
};

#endif
