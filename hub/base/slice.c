#include "base/slice.h"

#include <string.h>

struct slice slice_from_text(const char *text)
{
    return (struct slice){ text, text == NULL ? 0 : strlen(text) };
}

bool slice_equal(struct slice one, struct slice other)
{
    return one.size == other.size &&
           (one.size == 0 || memcmp(one.data, other.data, one.size) == 0);
}

bool slice_equal_text(struct slice slice, const char *text)
{
    return slice_equal(slice, slice_from_text(text));
}

bool slice_starts_with(struct slice slice, struct slice prefix)
{
    return slice.size >= prefix.size &&
           (prefix.size == 0 || memcmp(slice.data, prefix.data, prefix.size) == 0);
}

int slice_compare(struct slice one, struct slice other)
{
    size_t common = one.size < other.size ? one.size : other.size;
    int order = common == 0 ? 0 : memcmp(one.data, other.data, common);
    if (order != 0)
        return order;
    return (one.size > other.size) - (one.size < other.size);
}

size_t slice_find(struct slice slice, char byte)
{
    if (slice.size == 0)
        return 0;
    const char *found = memchr(slice.data, byte, slice.size);
    return found == NULL ? slice.size : (size_t)(found - slice.data);
}

struct slice slice_skip(struct slice slice, size_t from)
{
    if (from > slice.size)
        from = slice.size;
    return (struct slice){ slice.data + from, slice.size - from };
}

struct slice slice_cut(struct slice slice, size_t bytes_max)
{
    if (slice.size <= bytes_max)
        return slice;
    while (bytes_max > 0 && ((uint8_t)slice.data[bytes_max] & 0xC0) == 0x80)
        bytes_max--;
    return slice_make(slice.data, bytes_max);
}

struct slice slice_trim(struct slice slice)
{
    while (slice.size > 0 && (slice.data[0] == ' ' || slice.data[0] == '\t'))
        slice = slice_skip(slice, 1);
    while (slice.size > 0 &&
           (slice.data[slice.size - 1] == ' ' || slice.data[slice.size - 1] == '\t'))
        slice.size--;
    return slice;
}

bool slice_parse_u64(struct slice slice, uint64_t *ret_number)
{
    if (slice.size == 0)
        return false;

    uint64_t number = 0;
    for (size_t i = 0; i < slice.size; i++) {
        char digit = slice.data[i];
        if (digit < '0' || digit > '9')
            return false;
        if (__builtin_mul_overflow(number, (uint64_t)10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(digit - '0'), &number))
            return false;
    }
    *ret_number = number;
    return true;
}

bool slice_parse_i64(struct slice slice, int64_t *ret_number)
{
    bool negative = slice.size > 0 && slice.data[0] == '-';
    uint64_t magnitude;
    if (!slice_parse_u64(negative ? slice_skip(slice, 1) : slice, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *ret_number = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}
