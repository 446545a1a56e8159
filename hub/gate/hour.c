#include "gate/hour.h"

#include <string.h>

enum { MINUTE_MS = 60 * 1000 };

/* Minutes that went by without a count hold none. */
static void turn(struct hour *hour, int64_t minute)
{
    if (minute - hour->minute >= HOUR_MINUTES) {
        memset(hour->counts, 0, sizeof hour->counts);
        hour->minute = minute;
    }
    while (hour->minute < minute)
        hour->counts[++hour->minute % HOUR_MINUTES] = 0;
}

void hour_add(struct hour *hour, int64_t now_ms)
{
    turn(hour, now_ms / MINUTE_MS);
    uint32_t *count = &hour->counts[hour->minute % HOUR_MINUTES];
    if (*count < UINT32_MAX)
        (*count)++;
}

uint64_t hour_total(const struct hour *hour, int64_t now_ms)
{
    struct hour turned = *hour;
    uint64_t total = 0;
    turn(&turned, now_ms / MINUTE_MS);
    for (int i = 0; i < HOUR_MINUTES; i++)
        total += turned.counts[i];
    return total;
}
