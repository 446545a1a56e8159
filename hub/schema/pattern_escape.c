#include "schema/pattern_escape.h"

#include <stdio.h>
#include <string.h>

/* White space and line ends as ECMA-262 lists them, and all the rest. */
#define SPACES                                                                           \
    "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}"          \
    "\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define NOT_SPACES                                                                       \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"     \
    "\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"       \
    "\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"

static const struct {
    struct slice name;
    const char *brief;
} CATEGORIES[] = {
    { SLICE("Letter"), "L" },
    { SLICE("Cased_Letter"), "L&" },
    { SLICE("LC"), "L&" },
    { SLICE("Uppercase_Letter"), "Lu" },
    { SLICE("Lowercase_Letter"), "Ll" },
    { SLICE("Titlecase_Letter"), "Lt" },
    { SLICE("Modifier_Letter"), "Lm" },
    { SLICE("Other_Letter"), "Lo" },
    { SLICE("Mark"), "M" },
    { SLICE("Combining_Mark"), "M" },
    { SLICE("Nonspacing_Mark"), "Mn" },
    { SLICE("Spacing_Mark"), "Mc" },
    { SLICE("Enclosing_Mark"), "Me" },
    { SLICE("Number"), "N" },
    { SLICE("Decimal_Number"), "Nd" },
    { SLICE("digit"), "Nd" },
    { SLICE("Letter_Number"), "Nl" },
    { SLICE("Other_Number"), "No" },
    { SLICE("Symbol"), "S" },
    { SLICE("Math_Symbol"), "Sm" },
    { SLICE("Currency_Symbol"), "Sc" },
    { SLICE("Modifier_Symbol"), "Sk" },
    { SLICE("Other_Symbol"), "So" },
    { SLICE("Punctuation"), "P" },
    { SLICE("punct"), "P" },
    { SLICE("Connector_Punctuation"), "Pc" },
    { SLICE("Dash_Punctuation"), "Pd" },
    { SLICE("Open_Punctuation"), "Ps" },
    { SLICE("Close_Punctuation"), "Pe" },
    { SLICE("Initial_Punctuation"), "Pi" },
    { SLICE("Final_Punctuation"), "Pf" },
    { SLICE("Other_Punctuation"), "Po" },
    { SLICE("Separator"), "Z" },
    { SLICE("Space_Separator"), "Zs" },
    { SLICE("Line_Separator"), "Zl" },
    { SLICE("Paragraph_Separator"), "Zp" },
    { SLICE("Other"), "C" },
    { SLICE("Control"), "Cc" },
    { SLICE("cntrl"), "Cc" },
    { SLICE("Format"), "Cf" },
    { SLICE("Surrogate"), "Cs" },
    { SLICE("Private_Use"), "Co" },
    { SLICE("Unassigned"), "Cn" },
};

static void point_append(struct buffer *target, uint32_t point)
{
    char text[16];
    int size = snprintf(text, sizeof text, "\\x{%x}", point);
    buffer_append(target, text, (size_t)size);
}

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

/* Exactly `digits` hex digits. */
static bool hex_read(const char **at, const char *end, int digits, uint32_t *ret_point)
{
    uint32_t point = 0;
    const char *to = *at;
    for (int i = 0; i < digits; i++, to++) {
        int digit = to < end ? hex_digit(*to) : -1;
        if (digit < 0)
            return false;
        point = point * 16 + (uint32_t)digit;
    }
    *at = to;
    *ret_point = point;
    return true;
}

static bool braced_hex_read(const char **at, const char *end, uint32_t *ret_point)
{
    const char *to = *at + 1;
    uint32_t point = 0;
    for (; to < end && hex_digit(*to) >= 0 && point <= 0x10ffff; to++)
        point = point * 16 + (uint32_t)hex_digit(*to);
    if (to == end || *to != '}' || to == *at + 1 || point > 0x10ffff)
        return false;
    *at = to + 1;
    *ret_point = point;
    return true;
}

static const char *unicode_translate(struct escape *escape, struct buffer *target)
{
    uint32_t point;
    bool braced = escape->at < escape->end && *escape->at == '{';
    if (braced ? !braced_hex_read(&escape->at, escape->end, &point)
               : !hex_read(&escape->at, escape->end, 4, &point))
        return "\\u needs four hex digits, or some in braces";

    if (!braced && point >= 0xd800 && point <= 0xdbff && escape->end - escape->at >= 6 &&
        escape->at[0] == '\\' && escape->at[1] == 'u') {
        const char *next = escape->at + 2;
        uint32_t low;
        if (hex_read(&next, escape->end, 4, &low) && low >= 0xdc00 && low <= 0xdfff) {
            point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
            escape->at = next;
        }
    }
    if (point >= 0xd800 && point <= 0xdfff)
        return "a lone surrogate matches nothing";
    point_append(target, point);
    return NULL;
}

static bool is_name(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        if (!letter && !(byte >= '0' && byte <= '9') && byte != '_' && byte != '&')
            return false;
    }
    return text.size > 0;
}

static const char *property_append(struct buffer *target, char letter, const char *prefix,
                                   struct slice name)
{
    if (!is_name(name))
        return "not the name of a property";
    buffer_append_byte(target, '\\');
    buffer_append_byte(target, letter);
    buffer_append_byte(target, '{');
    buffer_append_text(target, prefix);
    buffer_append_slice(target, name);
    buffer_append_byte(target, '}');
    return NULL;
}

static struct slice category_brief(struct slice name)
{
    for (size_t i = 0; i < sizeof CATEGORIES / sizeof CATEGORIES[0]; i++)
        if (slice_equal(CATEGORIES[i].name, name))
            return slice_from_text(CATEGORIES[i].brief);
    return name;
}

static const char *property_translate(struct escape *escape, struct buffer *target,
                                      char letter)
{
    struct slice rest = { escape->at, (size_t)(escape->end - escape->at) };
    size_t close = slice_find(rest, '}');
    if (rest.size == 0 || rest.data[0] != '{' || close == rest.size)
        return "\\p needs a name in braces";
    struct slice name = { rest.data + 1, close - 1 };
    escape->at += close + 1;

    size_t equals = slice_find(name, '=');
    if (equals == name.size) {
        if (slice_equal_text(name, "Assigned"))
            return property_append(target, letter == 'p' ? 'P' : 'p', "", SLICE_OF("Cn"));
        return property_append(target, letter, "", category_brief(name));
    }
    struct slice key = { name.data, equals };
    struct slice value = slice_skip(name, equals + 1);
    if (slice_equal_text(key, "General_Category") || slice_equal_text(key, "gc"))
        return property_append(target, letter, "", category_brief(value));
    if (slice_equal_text(key, "Script") || slice_equal_text(key, "sc"))
        return property_append(target, letter, "sc:", value);
    if (slice_equal_text(key, "Script_Extensions") || slice_equal_text(key, "scx"))
        return property_append(target, letter, "scx:", value);
    return "unknown property";
}

static const char *named_reference(struct escape *escape, struct buffer *target)
{
    struct slice rest = { escape->at, (size_t)(escape->end - escape->at) };
    size_t close = slice_find(rest, '>');
    if (escape->in_class || rest.size == 0 || rest.data[0] != '<' || close == rest.size ||
        !is_name(slice_make(rest.data + 1, close - 1)))
        return "\\k needs a group's name";
    buffer_append_text(target, "\\k");
    buffer_append(target, rest.data, close + 1);
    escape->at += close + 1;
    return NULL;
}

static const char *number_reference(struct escape *escape, struct buffer *target)
{
    escape->at--;
    while (escape->at < escape->end && *escape->at >= '0' && *escape->at <= '9' &&
           escape->reference < 1000)
        escape->reference = escape->reference * 10 + (unsigned)(*escape->at++ - '0');
    if (escape->in_class)
        return "a class holds no backreference";
    buffer_append_text(target, "\\g{");
    buffer_append_u64(target, escape->reference);
    buffer_append_byte(target, '}');
    return NULL;
}

static const char *set_translate(struct escape *escape, struct buffer *target,
                                 char letter)
{
    if (letter != 's' && letter != 'S') {
        buffer_append_byte(target, '\\');
        buffer_append_byte(target, letter);
        return NULL;
    }
    if (!escape->in_class)
        buffer_append_byte(target, '[');
    buffer_append_text(target, letter == 's' ? SPACES : NOT_SPACES);
    if (!escape->in_class)
        buffer_append_byte(target, ']');
    return NULL;
}

static const char *boundary_translate(struct escape *escape, struct buffer *target,
                                      char letter)
{
    if (escape->in_class) {
        if (letter == 'B')
            return "unknown escape";
        point_append(target, '\b');
        return NULL;
    }
    escape->is_assertion = true;
    buffer_append_byte(target, '\\');
    buffer_append_byte(target, letter);
    return NULL;
}

static const char *control_translate(struct escape *escape, struct buffer *target)
{
    char byte = escape->at < escape->end ? *escape->at : '\0';
    if (!((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')))
        return "\\c needs a letter";
    escape->at++;
    point_append(target, (uint32_t)byte % 32);
    return NULL;
}

static const char *letter_translate(struct escape *escape, struct buffer *target,
                                    char letter)
{
    uint32_t point;
    switch (letter) {
    case 'd':
    case 'D':
    case 'w':
    case 'W':
    case 's':
    case 'S':
        return set_translate(escape, target, letter);
    case 'b':
    case 'B':
        return boundary_translate(escape, target, letter);
    case 'c':
        return control_translate(escape, target);
    case 'k':
        return named_reference(escape, target);
    case 'p':
    case 'P':
        return property_translate(escape, target, letter);
    case 'u':
        return unicode_translate(escape, target);
    case 'x':
        if (!hex_read(&escape->at, escape->end, 2, &point))
            return "\\x needs two hex digits";
        point_append(target, point);
        return NULL;
    default:
        return "unknown escape";
    }
}

const char *escape_translate(struct escape *escape, struct buffer *target)
{
    static const char NAMES[] = "tnvfr";
    static const char POINTS[] = "\t\n\v\f\r";

    if (escape->at == escape->end)
        return "the pattern ends with a backslash";
    char letter = *escape->at++;
    const char *simple = letter == '\0' ? NULL : strchr(NAMES, letter);
    if (simple != NULL) {
        point_append(target, (uint32_t)POINTS[simple - NAMES]);
        return NULL;
    }
    if (letter == '0') {
        if (escape->at < escape->end && *escape->at >= '0' && *escape->at <= '9')
            return "octal escapes are not ECMA-262";
        point_append(target, 0);
        return NULL;
    }
    if (letter >= '1' && letter <= '9')
        return number_reference(escape, target);
    if ((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z'))
        return letter_translate(escape, target, letter);
    if (letter <= ' ' || letter > '~')
        return "unknown escape";
    buffer_append_byte(target, '\\');
    buffer_append_byte(target, letter);
    return NULL;
}
