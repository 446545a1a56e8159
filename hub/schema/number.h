/*
 * number.h - exact arithmetic on JSON numbers as they are written.
 *
 * A decimal borrows the digits of the text. Nothing is rounded; only exponents beyond
 * 10^15 are held at that bound.
 */
#ifndef SCHEMA_NUMBER_H
#define SCHEMA_NUMBER_H

#include "json/json.h"

/* The value 0.d1d2d3... * 10^point; d1 and the last digit are not zero. */
struct decimal {
    const char *digits; /* from d1 on; a '.' may stand among them */
    size_t count;       /* of digits; none means zero */
    int64_t point;
    bool negative;
};

struct decimal decimal_read(struct slice raw);

bool decimal_is_whole(const struct decimal *decimal);

/* Below zero, zero, above zero. */
int decimal_compare(const struct decimal *one, const struct decimal *other);

/* `divisor` is above zero with at most DECIMAL_DIVISOR_DIGITS significant digits. */
enum { DECIMAL_DIVISOR_DIGITS = 19 };
bool decimal_is_multiple(const struct decimal *decimal, const struct decimal *divisor);

/* Compares two number nodes. */
int number_compare(const struct json_node *one, const struct json_node *other);

/* Equal numbers give equal values, however they are written. */
uint64_t number_hash(const struct json_node *node);

#endif
