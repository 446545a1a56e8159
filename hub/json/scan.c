#include "json/scan.h"

#include <string.h>

#define ONES 0x0101010101010101U
#define HIGHS 0x8080808080808080U

bool scan_refuse(struct scan *scan, const char *wrong, const char *reason)
{
    scan->wrong = wrong;
    scan->reason = reason;
    return false;
}

static uint64_t word_little(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/*
 * Skips bytes that need no thought, eight at a time: not a quote, backslash, control
 * character or part of a multi-byte character. A borrow can only mark bytes above one
 * that is marked rightly, so the lowest mark is exact.
 */
static const char *plain_skip(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t word = word_little(at);
        uint64_t quote = word ^ (ONES * '"');
        uint64_t slash = word ^ (ONES * '\\');
        uint64_t marks = ((quote - ONES) & ~quote) | ((slash - ONES) & ~slash) |
                         (word - ONES * ' ') | word;
        marks &= HIGHS;
        if (marks != 0)
            return at + (__builtin_ctzll(marks) >> 3);
        at += 8;
    }
    while (at < end && *at != '"' && *at != '\\' && (uint8_t)*at >= ' ' &&
           (uint8_t)*at < 0x80)
        at++;
    return at;
}

/* After Unicode, table 3-7. */
size_t scan_sequence(const char *at, const char *end)
{
    uint8_t lead = (uint8_t)at[0];
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    size_t size;

    if (lead >= 0xc2 && lead <= 0xdf)
        size = 2;
    else if (lead >= 0xe0 && lead <= 0xef)
        size = 3;
    else if (lead >= 0xf0 && lead <= 0xf4)
        size = 4;
    else
        return 0;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;

    if ((size_t)(end - at) < size || (uint8_t)at[1] < low || (uint8_t)at[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if (((uint8_t)at[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

/* The four digits at `at`, or -1. */
static int32_t hex_unit(const char *at, const char *end)
{
    if (end - at < 4)
        return -1;
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high(int32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(int32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* `at` stands on the backslash. Returns the byte behind the escape, NULL on refusal. */
static const char *escape_check(struct scan *scan, const char *at)
{
    const char *end = scan->end;
    if (end - at < 2) {
        scan_refuse(scan, end, "unterminated string");
        return NULL;
    }
    if (at[1] != 'u') {
        if (at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) != NULL)
            return at + 2;
        scan_refuse(scan, at, "unknown escape");
        return NULL;
    }

    int32_t unit = hex_unit(at + 2, end);
    if (unit < 0) {
        scan_refuse(scan, at, "\\u needs four hex digits");
        return NULL;
    }
    if (!is_high(unit) && !is_low(unit))
        return at + 6;
    bool paired = is_high(unit) && end - at >= 12 && at[6] == '\\' && at[7] == 'u' &&
                  is_low(hex_unit(at + 8, end));
    if (!paired) {
        scan_refuse(scan, at, "lone surrogate");
        return NULL;
    }
    return at + 12;
}

bool scan_string(struct scan *scan, bool *ret_escaped)
{
    const char *at = scan->at + 1;
    const char *end = scan->end;
    bool escaped = false;

    for (;;) {
        at = plain_skip(at, end);
        if (at == end)
            return scan_refuse(scan, end, "unterminated string");
        if (*at == '"')
            break;
        if (*at == '\\') {
            at = escape_check(scan, at);
            if (at == NULL)
                return false;
            escaped = true;
            continue;
        }
        if ((uint8_t)*at < ' ')
            return scan_refuse(
                scan, at, *at == '\0' ? "NUL byte" : "control character in a string");
        size_t size = scan_sequence(at, end);
        if (size == 0)
            return scan_refuse(scan, at, "invalid UTF-8");
        at += size;
    }
    scan->at = at + 1;
    *ret_escaped = escaped;
    return true;
}

char *scan_utf8_put(char *target, uint32_t point)
{
    if (point < 0x80) {
        *target++ = (char)point;
    } else if (point < 0x800) {
        *target++ = (char)(0xc0 | point >> 6);
        *target++ = (char)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        *target++ = (char)(0xe0 | point >> 12);
        *target++ = (char)(0x80 | (point >> 6 & 0x3f));
        *target++ = (char)(0x80 | (point & 0x3f));
    } else {
        *target++ = (char)(0xf0 | point >> 18);
        *target++ = (char)(0x80 | (point >> 12 & 0x3f));
        *target++ = (char)(0x80 | (point >> 6 & 0x3f));
        *target++ = (char)(0x80 | (point & 0x3f));
    }
    return target;
}

static char simple_escape(char letter)
{
    switch (letter) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return letter;
    }
}

size_t scan_unescape(struct slice inner, char *target)
{
    const char *at = inner.data;
    const char *end = inner.data + inner.size;
    char *to = target;

    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((slash == NULL ? end : slash) - at);
        memcpy(to, at, plain);
        to += plain;
        at += plain;
        if (slash == NULL)
            break;
        if (at[1] != 'u') {
            *to++ = simple_escape(at[1]);
            at += 2;
            continue;
        }
        int32_t unit = hex_unit(at + 2, end);
        at += 6;
        if (is_high(unit)) {
            int32_t low = hex_unit(at + 2, end);
            unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        }
        to = scan_utf8_put(to, (uint32_t)unit);
    }
    return (size_t)(to - target);
}

static bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* Walks digits and gathers them while they fit. */
static const char *digits_take(const char *at, const char *end, uint64_t *number,
                               bool *fits)
{
    for (; is_digit(at, end); at++) {
        if (__builtin_mul_overflow(*number, (uint64_t)10, number) ||
            __builtin_add_overflow(*number, (uint64_t)(*at - '0'), number))
            *fits = false;
    }
    return at;
}

bool scan_number(struct scan *scan, bool *ret_integer, int64_t *ret_number)
{
    const char *at = scan->at;
    const char *end = scan->end;
    bool negative = *at == '-';
    bool integer = true;
    uint64_t magnitude = 0;

    if (negative)
        at++;
    if (!is_digit(at, end))
        return scan_refuse(scan, at, "digit expected");
    if (*at == '0')
        at++;
    else
        at = digits_take(at, end, &magnitude, &integer);
    if (is_digit(at, end))
        return scan_refuse(scan, at, "leading zero");

    uint64_t ignored = 0;
    bool unused = true;
    if (at < end && *at == '.') {
        integer = false;
        if (!is_digit(++at, end))
            return scan_refuse(scan, at, "digit expected");
        at = digits_take(at, end, &ignored, &unused);
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        integer = false;
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        if (!is_digit(at, end))
            return scan_refuse(scan, at, "digit expected");
        at = digits_take(at, end, &ignored, &unused);
    }

    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        integer = false;
    scan->at = at;
    *ret_integer = integer;
    *ret_number = 0;
    if (integer)
        *ret_number = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}
