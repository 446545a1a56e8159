/* format_private.h - the formats by family; texts are valid UTF-8. */
#ifndef SCHEMA_FORMAT_PRIVATE_H
#define SCHEMA_FORMAT_PRIVATE_H

#include "schema/format.h"

/* format_time.c: RFC 3339, with durations after its appendix A. */
bool date_time_matches(struct slice text);
bool date_matches(struct slice text);
bool time_matches(struct slice text);
bool duration_matches(struct slice text);

/* format_net.c: RFC 2673, RFC 4291, RFC 1123, RFC 5321. */
bool ipv4_matches(struct slice text);
bool ipv6_matches(struct slice text);
bool hostname_matches(struct slice text, const struct format_tools *tools);
bool email_matches(struct slice text, const struct format_tools *tools);

/* format_idna.c: RFC 5892, for a label without its "xn--". */
bool punycode_matches(struct slice text, const struct format_tools *tools);

/* A label has at most this many bytes, so its code points are no more (RFC 1035). */
enum { PUNYCODE_POINTS_MAX = 63 };

/* The code points (RFC 3492); 0 when it is none. */
size_t punycode_decode(struct slice text, uint32_t points[PUNYCODE_POINTS_MAX]);

/* format_uri.c: RFC 3986. */
bool uri_matches(struct slice text);
bool uri_reference_matches(struct slice text);

#endif
