#include "schema/format_private.h"

#include <string.h>

enum { HOSTNAME_BYTES_MAX = 253, LABEL_BYTES_MAX = 63 };

/* Cuts the part before `byte` (or all) off the text; false at its end. */
static bool part_take(struct slice *text, char byte, struct slice *ret_part)
{
    if (!slice_is_present(*text))
        return false;
    size_t at = slice_find(*text, byte);
    *ret_part = slice_make(text->data, at);
    *text = at == text->size ? (struct slice){ NULL, 0 } : slice_skip(*text, at + 1);
    return true;
}

bool ipv4_matches(struct slice text)
{
    struct slice part;
    unsigned parts = 0;
    for (; part_take(&text, '.', &part); parts++) {
        uint64_t number;
        bool padded = part.size > 1 && part.data[0] == '0';
        if (part.size > 3 || padded || !slice_parse_u64(part, &number) || number > 255)
            return false;
    }
    return parts == 4;
}

static bool is_hex_group(struct slice part)
{
    if (part.size < 1 || part.size > 4)
        return false;
    for (size_t i = 0; i < part.size; i++)
        if (part.data[i] == '\0' ||
            strchr("0123456789abcdefABCDEF", part.data[i]) == NULL)
            return false;
    return true;
}

/* Groups of 16 bits in a text without "::"; -1 when it is none. */
static int groups_count(struct slice text, bool may_end_in_ipv4)
{
    struct slice part;
    int groups = 0;
    if (text.size == 0)
        return 0;
    while (part_take(&text, ':', &part)) {
        bool last = !slice_is_present(text);
        if (last && may_end_in_ipv4 && ipv4_matches(part))
            groups += 2;
        else if (is_hex_group(part))
            groups++;
        else
            return -1;
        if (groups > 8)
            return -1;
    }
    return groups;
}

bool ipv6_matches(struct slice text)
{
    for (size_t i = 0; i + 1 < text.size; i++) {
        if (text.data[i] != ':' || text.data[i + 1] != ':')
            continue;
        int front = groups_count(slice_make(text.data, i), false);
        int back = groups_count(slice_skip(text, i + 2), true);
        return front >= 0 && back >= 0 && front + back <= 7;
    }
    return groups_count(text, true) == 8;
}

static bool is_letter_digit(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

static bool label_matches(struct slice label, const struct format_tools *tools)
{
    if (label.size < 1 || label.size > LABEL_BYTES_MAX || label.data[0] == '-' ||
        label.data[label.size - 1] == '-')
        return false;
    for (size_t i = 0; i < label.size; i++)
        if (!is_letter_digit(label.data[i]) && label.data[i] != '-')
            return false;
    bool foreign = label.size > 4 && (label.data[0] | 32) == 'x' &&
                   (label.data[1] | 32) == 'n' && label.data[2] == '-' &&
                   label.data[3] == '-';
    return !foreign || punycode_matches(slice_skip(label, 4), tools);
}

bool hostname_matches(struct slice text, const struct format_tools *tools)
{
    struct slice label;
    if (text.size > HOSTNAME_BYTES_MAX)
        return false;
    while (part_take(&text, '.', &label))
        if (!label_matches(label, tools))
            return false;
    return true;
}

/* Bytes of the quoted string that starts the text, or 0. */
static size_t quoted_size(struct slice text)
{
    for (size_t i = 1; i < text.size; i++) {
        if (text.data[i] == '"')
            return i + 1;
        if (text.data[i] == '\\')
            i++;
        if (i == text.size || text.data[i] < ' ' || text.data[i] > '~')
            return 0;
    }
    return 0;
}

/* Bytes of the words joined by dots that start the text, or 0. */
static size_t words_size(struct slice text)
{
    size_t at = 0;
    for (; at < text.size; at++) {
        char byte = text.data[at];
        bool dot = byte == '.' && at > 0 && text.data[at - 1] != '.';
        bool atom = byte != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", byte) != NULL;
        if (!dot && !atom && !is_letter_digit(byte))
            break;
    }
    return at > 0 && text.data[at - 1] == '.' ? 0 : at;
}

bool email_matches(struct slice text, const struct format_tools *tools)
{
    bool quoted = text.size > 0 && text.data[0] == '"';
    size_t local = quoted ? quoted_size(text) : words_size(text);
    if (local == 0 || local >= text.size || text.data[local] != '@')
        return false;

    struct slice domain = slice_skip(text, local + 1);
    if (domain.size < 2 || domain.data[0] != '[')
        return hostname_matches(domain, tools);
    if (domain.data[domain.size - 1] != ']')
        return false;
    struct slice literal = { domain.data + 1, domain.size - 2 };
    if (slice_starts_with(literal, SLICE_OF("IPv6:")))
        return ipv6_matches(slice_skip(literal, 5));
    return ipv4_matches(literal);
}
