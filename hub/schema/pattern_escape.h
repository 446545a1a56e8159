/*
 * pattern_escape.h - what a backslash means in ECMA-262, written for PCRE2.
 */
#ifndef SCHEMA_PATTERN_ESCAPE_H
#define SCHEMA_PATTERN_ESCAPE_H

#include "base/buffer.h"

struct escape {
    const char *at; /* behind the backslash; behind the escape afterwards */
    const char *end;
    bool in_class;
    bool is_assertion;  /* \b and \B: cannot be repeated */
    unsigned reference; /* group number of a backreference, or 0 */
};

/* Appends the escape; NULL or why it is refused. */
const char *escape_translate(struct escape *escape, struct buffer *target);

#endif
