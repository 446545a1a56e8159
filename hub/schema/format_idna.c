#include "schema/format_private.h"

#include "json/scan.h"

/*
 * A label after RFC 5892: letters, marks and digits; what only its neighbours allow
 * (appendix A) where they do; the exceptions of section 2.6. Not looked at: whether the
 * text is normalised, and RFC 5893's rule for writing from right to left.
 */
#define MARKS_OF_LABELS "\\p{Ll}\\p{Lo}\\p{Lm}\\p{Mn}\\p{Mc}\\p{Nd}"
#define EXTRA "\\x{df}\\x{3c2}\\x{6fd}\\x{6fe}\\x{f0b}\\x{3007}"
#define DISALLOWED                                                                       \
    "\\x{640}\\x{7fa}\\x{302e}\\x{302f}\\x{3031}-\\x{3035}\\x{303b}\\x{1100}-\\x{11ff}"  \
    "\\x{a960}-\\x{a97f}\\x{d7b0}-\\x{d7ff}"
#define VIRAMAS                                                                          \
    "\\x{94d}\\x{9cd}\\x{a4d}\\x{acd}\\x{b4d}\\x{bcd}\\x{c4d}\\x{ccd}\\x{d3b}\\x{d3c}"   \
    "\\x{d4d}\\x{dca}\\x{e3a}\\x{eba}\\x{f84}\\x{1039}\\x{103a}\\x{1714}\\x{1734}"       \
    "\\x{17d2}\\x{1a60}\\x{1b44}\\x{1baa}\\x{1bab}\\x{1bf2}\\x{1bf3}\\x{2d7f}\\x{a806}"  \
    "\\x{a8c4}\\x{a953}\\x{a9c0}\\x{aaf6}\\x{abed}"
#define JOINS_BOTH                                                                        \
    "\\x{620}\\x{626}\\x{628}\\x{62a}-\\x{62e}\\x{633}-\\x{63f}\\x{641}-\\x{647}\\x{649}" \
    "\\x{64a}\\x{66e}\\x{66f}\\x{678}-\\x{687}\\x{69a}-\\x{6bf}\\x{6c1}\\x{6c2}\\x{6cc}"  \
    "\\x{6ce}\\x{6d0}\\x{6d1}\\x{6fa}-\\x{6fc}\\x{6ff}\\x{712}-\\x{714}\\x{71a}-\\x{71d}" \
    "\\x{71f}-\\x{727}\\x{729}\\x{72b}\\x{72d}\\x{72e}\\x{74e}-\\x{758}\\x{75c}-\\x{76a}" \
    "\\x{7ca}-\\x{7ea}\\x{1820}-\\x{1878}\\x{a840}-\\x{a871}"
#define JOINS_RIGHT                                                                       \
    "\\x{622}-\\x{625}\\x{627}\\x{629}\\x{62f}-\\x{632}\\x{648}\\x{671}-\\x{673}"         \
    "\\x{675}-\\x{677}\\x{688}-\\x{699}\\x{6c0}\\x{6c3}-\\x{6cb}\\x{6cd}\\x{6cf}\\x{6d2}" \
    "\\x{6d3}\\x{6d5}\\x{6ee}\\x{6ef}\\x{710}\\x{715}-\\x{719}\\x{71e}\\x{728}\\x{72a}"   \
    "\\x{72c}\\x{72f}\\x{74d}"

const struct slice FORMAT_LABEL_PATTERN =
    SLICE("^(?!\\p{M})(?!-)(?!..--)(?!.*-$)"
          "(?!.*[\\x{660}-\\x{669}].*[\\x{6f0}-\\x{6f9}])"
          "(?!.*[\\x{6f0}-\\x{6f9}].*[\\x{660}-\\x{669}])"
          "(?!(?!.*[\\p{sc:Hiragana}\\p{sc:Katakana}\\p{sc:Han}]).*\\x{30fb})"
          "(?:[" JOINS_BOTH
          "\\x{a872}]\\p{Mn}*\\x{200c}(?=\\p{Mn}*[" JOINS_BOTH JOINS_RIGHT "])"
          "|(?<=[" VIRAMAS "])[\\x{200c}\\x{200d}]"
          "|(?<=l)\\x{b7}(?=l)"
          "|\\x{375}(?=\\p{sc:Greek})"
          "|(?<=\\p{sc:Hebrew})[\\x{5f3}\\x{5f4}]"
          "|\\x{30fb}"
          "|(?![" DISALLOWED "])[" MARKS_OF_LABELS EXTRA "-])+$");

/* The parameters of RFC 3492, section 5. */
enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, BIAS = 72, FIRST = 0x80 };

static uint32_t bias_adapt(uint32_t delta, uint32_t count, bool first)
{
    uint32_t k = 0;
    delta = first ? delta / DAMP : delta / 2;
    delta += delta / count;
    for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
        delta /= BASE - T_MIN;
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static uint32_t digit_value(char byte)
{
    if (byte >= '0' && byte <= '9')
        return (uint32_t)(byte - '0') + 26;
    return (uint32_t)((byte | 32) - 'a'); /* anything else comes out too large */
}

/* One number of variable length, added to *index. */
static bool delta_read(struct slice text, size_t *at, uint32_t bias, uint32_t *index)
{
    uint32_t weight = 1;
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t digit = *at < text.size ? digit_value(text.data[(*at)++]) : BASE;
        uint32_t product;
        if (digit >= BASE || __builtin_mul_overflow(digit, weight, &product) ||
            __builtin_add_overflow(*index, product, index))
            return false;
        uint32_t least = k <= bias ? T_MIN : k - bias;
        if (least > T_MAX)
            least = T_MAX;
        if (digit < least)
            return true;
        if (__builtin_mul_overflow(weight, BASE - least, &weight))
            return false;
    }
}

size_t punycode_decode(struct slice text, uint32_t points[PUNYCODE_POINTS_MAX])
{
    size_t at = 0;
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '-')
            at = i;
    if (text.size > PUNYCODE_POINTS_MAX)
        return 0;
    for (; count < at; count++)
        points[count] = (uint32_t)(uint8_t)text.data[count];
    at += at > 0;

    uint32_t point = FIRST;
    uint32_t index = 0;
    uint32_t bias = BIAS;
    bool first = true;
    while (at < text.size) {
        uint32_t before = index;
        if (!delta_read(text, &at, bias, &index))
            return 0;
        uint32_t places = (uint32_t)count + 1;
        bias = bias_adapt(index - before, places, first);
        first = false;
        if (__builtin_add_overflow(point, index / places, &point) || point > 0x10ffff ||
            (point >= 0xd800 && point <= 0xdfff))
            return 0;
        index %= places;
        for (size_t i = count; i > index; i--)
            points[i] = points[i - 1];
        points[index++] = point;
        count++;
    }
    return first ? 0 : count; /* nothing foreign: no need for an A-label */
}

bool punycode_matches(struct slice text, const struct format_tools *tools)
{
    uint32_t points[PUNYCODE_POINTS_MAX];
    char label[PUNYCODE_POINTS_MAX * 4];
    size_t count = punycode_decode(text, points);
    char *to = label;
    for (size_t i = 0; i < count; i++)
        to = scan_utf8_put(to, points[i]);
    bool matches = false;
    return count > 0 &&
           pattern_match(tools->label, tools->scratch,
                         slice_make(label, (size_t)(to - label)), &matches) == ERR_OK &&
           matches;
}
