#include "schema/format.h"

#include "base/ensure.h"
#include "base/hash.h"
#include "schema/format_private.h"

static bool uuid_matches(struct slice text)
{
    uint8_t byte;
    if (text.size != 36)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash && text.data[i] != '-')
            return false;
        if (dash)
            continue;
        if (!hex_decode(&byte, 1, slice_make(text.data + i, 2)))
            return false;
        i++;
    }
    return true;
}

static bool json_pointer_matches(struct slice text)
{
    if (text.size > 0 && text.data[0] != '/')
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '~')
            continue;
        if (++i == text.size || (text.data[i] != '0' && text.data[i] != '1'))
            return false;
    }
    return true;
}

static bool relative_json_pointer_matches(struct slice text)
{
    size_t digits = 0;
    while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    if (digits == 0 || (digits > 1 && text.data[0] == '0'))
        return false;
    struct slice rest = slice_skip(text, digits);
    return slice_equal_text(rest, "#") || json_pointer_matches(rest);
}

static const struct {
    struct slice name;
    bool (*matches)(struct slice text);
} ROWS[FORMAT_COUNT] = {
    [FORMAT_DATE_TIME] = { SLICE("date-time"), date_time_matches },
    [FORMAT_DATE] = { SLICE("date"), date_matches },
    [FORMAT_TIME] = { SLICE("time"), time_matches },
    [FORMAT_DURATION] = { SLICE("duration"), duration_matches },
    [FORMAT_EMAIL] = { SLICE("email"), NULL },
    [FORMAT_HOSTNAME] = { SLICE("hostname"), NULL },
    [FORMAT_IPV4] = { SLICE("ipv4"), ipv4_matches },
    [FORMAT_IPV6] = { SLICE("ipv6"), ipv6_matches },
    [FORMAT_URI] = { SLICE("uri"), uri_matches },
    [FORMAT_URI_REFERENCE] = { SLICE("uri-reference"), uri_reference_matches },
    [FORMAT_UUID] = { SLICE("uuid"), uuid_matches },
    [FORMAT_JSON_POINTER] = { SLICE("json-pointer"), json_pointer_matches },
    [FORMAT_RELATIVE_JSON_POINTER] = { SLICE("relative-json-pointer"),
                                       relative_json_pointer_matches },
    [FORMAT_REGEX] = { SLICE("regex"), pattern_is_valid },
};

enum format format_find(struct slice name)
{
    for (int i = FORMAT_UNKNOWN + 1; i < FORMAT_COUNT; i++)
        if (slice_equal(ROWS[i].name, name))
            return (enum format)i;
    return FORMAT_UNKNOWN;
}

bool format_needs_label(enum format format)
{
    return format == FORMAT_EMAIL || format == FORMAT_HOSTNAME;
}

bool format_matches(enum format format, struct slice text,
                    const struct format_tools *tools)
{
    ENSURE(format > FORMAT_UNKNOWN && format < FORMAT_COUNT);
    if (format == FORMAT_EMAIL)
        return email_matches(text, tools);
    if (format == FORMAT_HOSTNAME)
        return hostname_matches(text, tools);
    return ROWS[format].matches(text);
}
