#include "schema/number.h"

#include "base/ensure.h"

#define EXPONENT_MAX ((int64_t)1000 * 1000 * 1000 * 1000 * 1000)

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static int64_t exponent_read(struct slice text)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    if (text.size > 0 && !is_digit(text.data[0]))
        text = slice_skip(text, 1);
    int64_t exponent = 0;
    for (size_t i = 0; i < text.size && exponent < EXPONENT_MAX; i++)
        exponent = exponent * 10 + (text.data[i] - '0');
    if (exponent > EXPONENT_MAX)
        exponent = EXPONENT_MAX;
    return negative ? -exponent : exponent;
}

struct decimal decimal_read(struct slice raw)
{
    struct decimal decimal = { .digits = raw.data };
    size_t at = 0;
    if (raw.data[0] == '-') {
        decimal.negative = true;
        at = 1;
    }

    size_t seen = 0;  /* digits so far */
    size_t whole = 0; /* of them before the dot */
    size_t first = 0; /* number of digits before the first that is not zero */
    bool dot = false;
    for (; at < raw.size && (is_digit(raw.data[at]) || raw.data[at] == '.'); at++) {
        if (raw.data[at] == '.') {
            dot = true;
            continue;
        }
        if (raw.data[at] != '0') {
            if (decimal.count == 0) {
                decimal.digits = raw.data + at;
                first = seen;
            }
            decimal.count = seen - first + 1;
        }
        seen++;
        whole += !dot;
    }
    if (decimal.count == 0) {
        decimal.negative = false;
        return decimal;
    }
    decimal.point = (int64_t)whole - (int64_t)first;
    if (at < raw.size)
        decimal.point += exponent_read(slice_skip(raw, at + 1));
    return decimal;
}

bool decimal_is_whole(const struct decimal *decimal)
{
    return decimal->count == 0 || decimal->point >= (int64_t)decimal->count;
}

/* The next digit, past a dot. */
static unsigned digit_next(const char **at)
{
    if (**at == '.')
        (*at)++;
    return (unsigned)(*(*at)++ - '0');
}

static int magnitude_compare(const struct decimal *one, const struct decimal *other)
{
    if (one->point != other->point)
        return one->point < other->point ? -1 : 1;
    const char *left = one->digits;
    const char *right = other->digits;
    size_t common = one->count < other->count ? one->count : other->count;
    for (size_t i = 0; i < common; i++) {
        unsigned a = digit_next(&left);
        unsigned b = digit_next(&right);
        if (a != b)
            return a < b ? -1 : 1;
    }
    return (one->count > other->count) - (one->count < other->count);
}

static int sign_of(const struct decimal *decimal)
{
    if (decimal->count == 0)
        return 0;
    return decimal->negative ? -1 : 1;
}

int decimal_compare(const struct decimal *one, const struct decimal *other)
{
    int left = sign_of(one);
    int right = sign_of(other);
    if (left != right)
        return left < right ? -1 : 1;
    if (left == 0)
        return 0;
    int order = magnitude_compare(one, other);
    return left < 0 ? -order : order;
}

__extension__ typedef unsigned __int128 wide; /* a bare type; the house has no others */

static uint64_t power_of_ten(uint64_t exponent, uint64_t modulus)
{
    uint64_t result = 1 % modulus;
    uint64_t base = 10 % modulus;
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1)
            result = (uint64_t)((wide)result * base % modulus);
        base = (uint64_t)((wide)base * base % modulus);
    }
    return result;
}

bool decimal_is_multiple(const struct decimal *decimal, const struct decimal *divisor)
{
    if (decimal->count == 0)
        return true;

    /* Both as whole numbers times a power of ten, neither ending in zero. A dividend with
     * the smaller power would have to end in zero to be a multiple. */
    int64_t shift = (decimal->point - (int64_t)decimal->count) -
                    (divisor->point - (int64_t)divisor->count);
    if (shift < 0)
        return false;

    uint64_t modulus = 0;
    const char *at = divisor->digits;
    for (size_t i = 0; i < divisor->count; i++)
        modulus = modulus * 10 + digit_next(&at);

    ENSURE(modulus > 0);

    uint64_t rest = 0;
    at = decimal->digits;
    for (size_t i = 0; i < decimal->count; i++)
        rest = (uint64_t)(((wide)rest * 10 + digit_next(&at)) % modulus);
    return (wide)rest * power_of_ten((uint64_t)shift, modulus) % modulus == 0;
}

int number_compare(const struct json_node *one, const struct json_node *other)
{
    if (one->integer && other->integer) {
        int64_t a = one->value.number;
        int64_t b = other->value.number;
        return (a > b) - (a < b);
    }
    struct decimal left = decimal_read(one->raw);
    struct decimal right = decimal_read(other->raw);
    return decimal_compare(&left, &right);
}

uint64_t number_hash(const struct json_node *node)
{
    struct decimal decimal = decimal_read(node->raw);
    uint64_t hash = (uint64_t)decimal.point * 0x9e3779b97f4a7c15U + decimal.negative;
    const char *at = decimal.digits;
    for (size_t i = 0; i < decimal.count; i++)
        hash = (hash ^ digit_next(&at)) * 0x100000001b3U;
    return decimal.count == 0 ? 0 : hash;
}
