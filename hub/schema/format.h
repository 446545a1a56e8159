/*
 * format.h - the formats that can be asserted; every other one is an annotation.
 */
#ifndef SCHEMA_FORMAT_H
#define SCHEMA_FORMAT_H

#include "schema/pattern.h"

enum format {
    FORMAT_UNKNOWN,
    FORMAT_DATE_TIME,
    FORMAT_DATE,
    FORMAT_TIME,
    FORMAT_DURATION,
    FORMAT_EMAIL,
    FORMAT_HOSTNAME,
    FORMAT_IPV4,
    FORMAT_IPV6,
    FORMAT_URI,
    FORMAT_URI_REFERENCE,
    FORMAT_UUID,
    FORMAT_JSON_POINTER,
    FORMAT_RELATIVE_JSON_POINTER,
    FORMAT_REGEX,
    FORMAT_COUNT
};

enum format format_find(struct slice name);

/* The rule for labels in other scripts, an expression for PCRE2 as it is. */
extern const struct slice FORMAT_LABEL_PATTERN;

/* What formats of host names need beside the text. */
struct format_tools {
    const struct pattern *label; /* FORMAT_LABEL_PATTERN, compiled */
    struct pattern_scratch *scratch;
};

bool format_needs_label(enum format format);

bool format_matches(enum format format, struct slice text,
                    const struct format_tools *tools);

#endif
