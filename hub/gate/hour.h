/*
 * hour.h - how many within the last sixty minutes, the running one counted.
 */
#ifndef GATE_HOUR_H
#define GATE_HOUR_H

#include <stdint.h>

enum { HOUR_MINUTES = 60 };

/* All zeros counts nothing yet. */
struct hour {
    int64_t minute; /* the latest that was counted in */
    uint32_t counts[HOUR_MINUTES];
};

void hour_add(struct hour *hour, int64_t now_ms);
uint64_t hour_total(const struct hour *hour, int64_t now_ms);

#endif
