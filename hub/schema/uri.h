/*
 * uri.h - references against a base (RFC 3986, section 5). Nothing is ever fetched.
 */
#ifndef SCHEMA_URI_H
#define SCHEMA_URI_H

#include "base/buffer.h"

/* The part before '#', and the one behind it (absent when there is no '#'). */
struct slice uri_before_fragment(struct slice uri);
struct slice uri_fragment(struct slice uri);

/* Has a scheme of its own. */
bool uri_is_absolute(struct slice uri);

/* Appends `reference` without its fragment, resolved against `base`. */
void uri_resolve(struct buffer *target, struct slice base, struct slice reference);

#endif
