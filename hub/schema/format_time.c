#include "schema/format_private.h"

/* Takes exactly `digits` digits. */
static bool digits_take(struct slice *text, size_t digits, unsigned *ret_number)
{
    uint64_t number;
    if (text->size < digits || !slice_parse_u64(slice_make(text->data, digits), &number))
        return false;
    *text = slice_skip(*text, digits);
    *ret_number = (unsigned)number;
    return true;
}

static bool byte_take(struct slice *text, char byte)
{
    if (text->size == 0 || text->data[0] != byte)
        return false;
    *text = slice_skip(*text, 1);
    return true;
}

static bool date_take(struct slice *text)
{
    static const unsigned DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned year;
    unsigned month;
    unsigned day;
    if (!digits_take(text, 4, &year) || !byte_take(text, '-') ||
        !digits_take(text, 2, &month) || !byte_take(text, '-') ||
        !digits_take(text, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= DAYS[month - 1] + (leap && month == 2 ? 1 : 0);
}

/* Minutes east of UTC. */
static bool offset_take(struct slice *text, int *ret_minutes)
{
    *ret_minutes = 0;
    if (byte_take(text, 'Z') || byte_take(text, 'z'))
        return true;
    bool west = text->size > 0 && text->data[0] == '-';
    unsigned hour;
    unsigned minute;
    if ((!byte_take(text, '+') && !byte_take(text, '-')) ||
        !digits_take(text, 2, &hour) || !byte_take(text, ':') ||
        !digits_take(text, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *ret_minutes = (int)(hour * 60 + minute) * (west ? -1 : 1);
    return true;
}

static bool time_take(struct slice *text)
{
    enum { DAY_MINUTES = 24 * 60 };
    unsigned hour;
    unsigned minute;
    unsigned second;
    unsigned unused;
    int offset;
    if (!digits_take(text, 2, &hour) || !byte_take(text, ':') ||
        !digits_take(text, 2, &minute) || !byte_take(text, ':') ||
        !digits_take(text, 2, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    if (byte_take(text, '.')) {
        if (!digits_take(text, 1, &unused))
            return false;
        while (digits_take(text, 1, &unused))
            continue;
    }
    if (!offset_take(text, &offset))
        return false;
    if (second < 60)
        return true;
    /* A leap second ends a day of UTC. */
    int utc = ((int)(hour * 60 + minute) - offset + DAY_MINUTES) % DAY_MINUTES;
    return utc == DAY_MINUTES - 1;
}

bool date_matches(struct slice text)
{
    return date_take(&text) && text.size == 0;
}

bool time_matches(struct slice text)
{
    return time_take(&text) && text.size == 0;
}

bool date_time_matches(struct slice text)
{
    return date_take(&text) && (byte_take(&text, 'T') || byte_take(&text, 't')) &&
           time_take(&text) && text.size == 0;
}

/* Elements of the units named, in their order and without a gap between two of them. */
static bool elements_take(struct slice *text, const char *units, bool *ret_some)
{
    unsigned unused;
    bool gap = false;
    *ret_some = false;
    for (; *units != '\0'; units++) {
        struct slice rest = *text;
        bool digits = false;
        while (digits_take(&rest, 1, &unused))
            digits = true;
        if (!digits || !byte_take(&rest, *units)) {
            gap = *ret_some;
            continue;
        }
        if (gap)
            return false;
        *text = rest;
        *ret_some = true;
    }
    return true;
}

bool duration_matches(struct slice text)
{
    bool some;
    bool timed = false;
    if (!byte_take(&text, 'P') || !elements_take(&text, "W", &some))
        return false;
    if (some)
        return text.size == 0;
    if (!elements_take(&text, "YMD", &some))
        return false;
    if (byte_take(&text, 'T') && (!elements_take(&text, "HMS", &timed) || !timed))
        return false;
    return text.size == 0 && (some || timed);
}
