/*
 * pattern.h - regular expressions as ECMA-262 means them, run by PCRE2.
 *
 * The expression is read by our own grammar and written anew for PCRE2, so what only one
 * of the two knows is refused, never silently different.
 */
#ifndef SCHEMA_PATTERN_H
#define SCHEMA_PATTERN_H

#include "base/buffer.h"
#include "base/err.h"

struct pattern;
struct pattern_scratch; /* what one thread matches with */

/* ERR_INVALID (*ret_reason: fixed text) or ERR_MEMORY. */
enum err pattern_compile(struct slice text, struct pattern **ret_pattern,
                         const char **ret_reason);

/* As pattern_compile for an expression of our own, written for PCRE2. */
enum err pattern_compile_native(struct slice text, struct pattern **ret_pattern,
                                const char **ret_reason);

void pattern_destroy(struct pattern *pattern);

/* NULL without memory. */
struct pattern_scratch *pattern_scratch_create(void);
void pattern_scratch_destroy(struct pattern_scratch *scratch);

/* `subject` is valid UTF-8. ERR_LIMIT when the match would cost too much. */
enum err pattern_match(const struct pattern *pattern, struct pattern_scratch *scratch,
                       struct slice subject, bool *ret_matches);

/* Is it an expression of ECMA-262, whether or not PCRE2 could run it? Allocates. */
bool pattern_is_valid(struct slice text);

/* The expression for PCRE2, appended; NULL or why it is refused. */
const char *pattern_translate(struct buffer *target, struct slice text);

#endif
