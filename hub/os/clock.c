#include "os/clock.h"

#include "base/ensure.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* The first and last millisecond that have a year of four digits. */
#define WALL_MS_MIN (-62167219200000)
#define WALL_MS_MAX 253402300799999

static struct timespec read_clock(clockid_t id)
{
    struct timespec now;
    ENSURE(clock_gettime(id, &now) == 0);
    return now;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now = read_clock(CLOCK_MONOTONIC);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_monotonic_ms(void)
{
    return clock_monotonic_us() / 1000;
}

int64_t clock_wall_ms(void)
{
    struct timespec now = read_clock(CLOCK_REALTIME);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_text(int64_t wall_ms, char ret_text[CLOCK_TEXT_BYTES])
{
    if (wall_ms < WALL_MS_MIN)
        wall_ms = WALL_MS_MIN;
    if (wall_ms > WALL_MS_MAX)
        wall_ms = WALL_MS_MAX;

    int milliseconds = (int)(wall_ms % 1000);
    time_t seconds = (time_t)(wall_ms / 1000);
    if (milliseconds < 0) {
        milliseconds += 1000;
        seconds--;
    }
    struct tm tm;
    ENSURE(gmtime_r(&seconds, &tm) != NULL);

    char text[96]; /* as wide as the compiler fears the numbers to be */
    int size = snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                        tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                        tm.tm_min, tm.tm_sec, milliseconds);
    ENSURE(size == CLOCK_TEXT_BYTES - 1);
    memcpy(ret_text, text, CLOCK_TEXT_BYTES);
}
