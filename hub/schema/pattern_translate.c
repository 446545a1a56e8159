#include "schema/pattern.h"
#include "schema/pattern_escape.h"

#include <string.h>

/* More than anybody writes, less than PCRE2's own stack of groups. */
enum { GROUP_DEPTH_MAX = 100 };

struct reader {
    const char *at;
    const char *end;
    struct buffer *target;
    unsigned depth;
    unsigned groups;         /* that capture */
    unsigned reference_most; /* the highest backreference seen */
    bool atom;               /* what stands before may be repeated */
};

static bool reader_takes(struct reader *reader, const char *text)
{
    size_t size = strlen(text);
    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, text, size) != 0)
        return false;
    reader->at += size;
    return true;
}

static const char *group_name(struct reader *reader)
{
    const char *start = reader->at;
    while (reader->at < reader->end && *reader->at != '>') {
        char byte = *reader->at++;
        bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        bool digit = byte >= '0' && byte <= '9' && reader->at > start + 1;
        if (!letter && !digit && byte != '_')
            return "not a group's name";
    }
    if (reader->at == reader->end || reader->at == start)
        return "not a group's name";
    reader->at++;
    reader->groups++;
    buffer_append_text(reader->target, "(?<");
    buffer_append(reader->target, start, (size_t)(reader->at - start));
    return NULL;
}

static const char *group_open(struct reader *reader)
{
    static const char *const FORMS[] = { "(?:", "(?=", "(?!", "(?<=", "(?<!" };
    reader->atom = false;
    if (++reader->depth > GROUP_DEPTH_MAX)
        return "groups nested too deeply";
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
        if (!reader_takes(reader, FORMS[i]))
            continue;
        buffer_append_text(reader->target, FORMS[i]);
        return NULL;
    }
    if (reader_takes(reader, "(?<"))
        return group_name(reader);
    if (reader_takes(reader, "(?"))
        return "unknown kind of group";
    reader->at++;
    reader->groups++;
    buffer_append_byte(reader->target, '(');
    return NULL;
}

static const char *escape_read(struct reader *reader, bool in_class)
{
    struct escape escape = { .at = reader->at + 1,
                             .end = reader->end,
                             .in_class = in_class };
    const char *reason = escape_translate(&escape, reader->target);
    reader->at = escape.at;
    reader->atom = !escape.is_assertion;
    if (escape.reference > reader->reference_most)
        reader->reference_most = escape.reference;
    return reason;
}

static const char *class_read(struct reader *reader)
{
    reader->at++;
    bool negated = reader_takes(reader, "^");
    reader->atom = true;
    if (reader_takes(reader, "]")) { /* nothing, or anything */
        buffer_append_text(reader->target,
                           negated ? "[\\x{0}-\\x{10ffff}]" : "[^\\x{0}-\\x{10ffff}]");
        return NULL;
    }
    buffer_append_text(reader->target, negated ? "[^" : "[");
    while (reader->at < reader->end && *reader->at != ']') {
        if (*reader->at == '\\') {
            const char *reason = escape_read(reader, true);
            if (reason != NULL)
                return reason;
            continue;
        }
        if (*reader->at == '[' || *reader->at == '^')
            buffer_append_byte(reader->target, '\\');
        buffer_append_byte(reader->target, *reader->at++);
    }
    reader->atom = true;
    if (reader->at == reader->end)
        return "a class without its end";
    reader->at++;
    buffer_append_byte(reader->target, ']');
    return NULL;
}

/* Size of a braced quantifier at `at`, or 0. */
static size_t braces_size(const char *at, const char *end)
{
    const char *to = at + 1;
    const char *digits = to;
    while (to < end && *to >= '0' && *to <= '9')
        to++;
    if (to == digits)
        return 0;
    if (to < end && *to == ',') {
        to++;
        while (to < end && *to >= '0' && *to <= '9')
            to++;
    }
    return to < end && *to == '}' ? (size_t)(to - at) + 1 : 0;
}

static const char *quantifier_read(struct reader *reader, size_t size)
{
    if (!reader->atom)
        return "nothing to repeat";
    buffer_append(reader->target, reader->at, size);
    reader->at += size;
    if (reader_takes(reader, "?"))
        buffer_append_byte(reader->target, '?');
    reader->atom = false;
    return NULL;
}

static const char *literal_read(struct reader *reader)
{
    if (*reader->at == '{' || *reader->at == '}' || *reader->at == ']')
        buffer_append_byte(reader->target, '\\');
    buffer_append_byte(reader->target, *reader->at++);
    reader->atom = true;
    return NULL;
}

static const char *term_read(struct reader *reader)
{
    char byte = *reader->at;
    size_t braces;
    switch (byte) {
    case '\\':
        return escape_read(reader, false);
    case '(':
        return group_open(reader);
    case ')':
        if (reader->depth-- == 0)
            return "a group's end without its start";
        buffer_append_byte(reader->target, byte);
        reader->at++;
        reader->atom = true;
        return NULL;
    case '[':
        return class_read(reader);
    case '^':
    case '$':
    case '|':
        buffer_append_byte(reader->target, byte);
        reader->at++;
        reader->atom = false;
        return NULL;
    case '.':
        buffer_append_text(reader->target, "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]");
        reader->at++;
        reader->atom = true;
        return NULL;
    case '*':
    case '+':
    case '?':
        return quantifier_read(reader, 1);
    case '{':
        braces = braces_size(reader->at, reader->end);
        return braces > 0 ? quantifier_read(reader, braces) : literal_read(reader);
    default:
        return literal_read(reader);
    }
}

const char *pattern_translate(struct buffer *target, struct slice text)
{
    struct reader reader = {
        .at = text.data,
        .end = text.data + text.size,
        .target = target,
    };
    while (reader.at < reader.end) {
        const char *reason = term_read(&reader);
        if (reason != NULL)
            return reason;
    }
    if (reader.depth > 0)
        return "a group without its end";
    if (reader.reference_most > reader.groups)
        return "a backreference to no group";
    return NULL;
}
