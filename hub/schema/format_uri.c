#include "schema/format_private.h"

#include "base/hash.h"

#include <string.h>

#define SUB_DELIMS "!$&'()*+,;="

static bool is_unreserved(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("-._~", byte) != NULL);
}

/* Only unreserved bytes, whole percent escapes, and what `more` lists. */
static bool holds_only(struct slice text, const char *more)
{
    uint8_t byte;
    for (size_t i = 0; i < text.size; i++) {
        char at = text.data[i];
        if (at == '%') {
            if (text.size - i < 3 ||
                !hex_decode(&byte, 1, slice_make(&text.data[i + 1], 2)))
                return false;
            i += 2;
        } else if (!is_unreserved(at) && (at == '\0' || strchr(more, at) == NULL)) {
            return false;
        }
    }
    return true;
}

static bool address_matches(struct slice text)
{
    if (text.size > 0 && (text.data[0] | 32) == 'v') {
        size_t dot = slice_find(text, '.');
        for (size_t i = 1; i < dot; i++)
            if (text.data[i] == '\0' ||
                strchr("0123456789abcdefABCDEF", text.data[i]) == NULL)
                return false;
        return dot > 1 && dot + 1 < text.size &&
               holds_only(slice_skip(text, dot + 1), SUB_DELIMS ":");
    }
    return ipv6_matches(text);
}

static bool authority_matches(struct slice text)
{
    size_t at = slice_find(text, '@');
    if (at < text.size) {
        if (!holds_only(slice_make(text.data, at), SUB_DELIMS ":"))
            return false;
        text = slice_skip(text, at + 1);
    }
    size_t host = slice_find(text, ':');
    if (text.size > 0 && text.data[0] == '[') {
        size_t close = slice_find(text, ']');
        if (close == text.size || !address_matches(slice_make(text.data + 1, close - 1)))
            return false;
        host = close + 1;
        if (host < text.size && text.data[host] != ':')
            return false;
    } else if (!holds_only(slice_make(text.data, host), SUB_DELIMS)) {
        return false;
    }
    for (size_t i = host + 1; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return true;
}

static bool scheme_matches(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        bool later =
            (byte >= '0' && byte <= '9') || byte == '+' || byte == '-' || byte == '.';
        if (!letter && (!later || i == 0))
            return false;
    }
    return text.size > 0;
}

/* All behind the scheme. */
static bool rest_matches(struct slice text, bool has_scheme)
{
    size_t fragment = slice_find(text, '#');
    if (!holds_only(slice_skip(text, fragment + 1), SUB_DELIMS ":@/?"))
        return false;
    text.size = fragment;
    size_t query = slice_find(text, '?');
    if (!holds_only(slice_skip(text, query + 1), SUB_DELIMS ":@/?"))
        return false;
    text.size = query;

    if (slice_starts_with(text, SLICE_OF("//"))) {
        text = slice_skip(text, 2);
        size_t path = slice_find(text, '/');
        return authority_matches(slice_make(text.data, path)) &&
               holds_only(slice_skip(text, path), SUB_DELIMS ":@/");
    }
    /* Else a colon there would make a scheme of what stands before it. */
    size_t first = slice_find(text, '/');
    bool colon = slice_find(slice_make(text.data, first), ':') < first;
    return (has_scheme || !colon) && holds_only(text, SUB_DELIMS ":@/");
}

bool uri_matches(struct slice text)
{
    size_t colon = slice_find(text, ':');
    return colon < text.size && scheme_matches(slice_make(text.data, colon)) &&
           rest_matches(slice_skip(text, colon + 1), true);
}

bool uri_reference_matches(struct slice text)
{
    return uri_matches(text) || rest_matches(text, false);
}
