/* Times as people write them. */
#include "cli/command.h"
#include "os/clock.h"

#include <string.h>
#include <time.h>

static const struct {
    const char *unit;
    int64_t ms;
} UNITS[] = { { "ms", 1 },        { "", 1000 },         { "s", 1000 },
              { "m", 60 * 1000 }, { "h", 3600 * 1000 }, { "d", 24 * 3600 * 1000 } };

bool duration_read(const char *text, int64_t *ret_ms)
{
    size_t digits = strspn(text, "0123456789");
    int64_t number;
    if (!slice_parse_i64(slice_make(text, digits), &number))
        return false;
    for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++)
        if (strcmp(text + digits, UNITS[i].unit) == 0)
            return !__builtin_mul_overflow(number, UNITS[i].ms, ret_ms);
    return false;
}

bool moment_read(const char *text, int64_t *ret_wall_ms)
{
    int64_t delay_ms;
    if (text[0] == '+')
        return duration_read(text + 1, &delay_ms) &&
               !__builtin_add_overflow(clock_wall_ms(), delay_ms, ret_wall_ms);
    if (slice_parse_i64(slice_from_text(text), ret_wall_ms))
        return *ret_wall_ms >= 0;
    struct tm date = { 0 };
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &date);
    if (end == NULL || *end != '\0')
        return false;
    *ret_wall_ms = (int64_t)timegm(&date) * 1000;
    return true;
}
