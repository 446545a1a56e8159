/*
 * scan.h - the lexical half of the reader: strings and numbers, checked and measured.
 *
 * A scan walks borrowed bytes. On refusal `wrong` names the first bad byte and `reason`
 * the fixed text; `at` is then meaningless.
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include "base/slice.h"

struct scan {
    const char *at;
    const char *end;
    const char *wrong;
    const char *reason;
};

bool scan_refuse(struct scan *scan, const char *wrong, const char *reason);

/* `at` stands on the opening quote; behind the closing one afterwards. Checks escapes,
 * surrogates, control characters and UTF-8. */
bool scan_string(struct scan *scan, bool *ret_escaped);

/* `at` stands on '-' or a digit. `integer` as in struct json_node. */
bool scan_number(struct scan *scan, bool *ret_integer, int64_t *ret_number);

/* Undoes the escapes of a string that scan_string accepted (without its quotes). `target`
 * has room for inner.size bytes. Returns the bytes written. */
size_t scan_unescape(struct slice inner, char *target);

/* Length of the well-formed UTF-8 sequence of two bytes or more at `at`, or 0. */
size_t scan_sequence(const char *at, const char *end);

/* Writes a code point (no surrogate), up to four bytes. Returns the byte behind. */
char *scan_utf8_put(char *target, uint32_t point);

#endif
