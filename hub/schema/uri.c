#include "schema/uri.h"

/* Absent parts are absent slices, so that "x?" and "x" stay different. */
struct parts {
    struct slice scheme; /* without its colon */
    struct slice authority;
    struct slice path;
    struct slice query;
};

struct slice uri_before_fragment(struct slice uri)
{
    return slice_make(uri.data, slice_find(uri, '#'));
}

struct slice uri_fragment(struct slice uri)
{
    size_t at = slice_find(uri, '#');
    return at == uri.size ? (struct slice){ NULL, 0 } : slice_skip(uri, at + 1);
}

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_scheme(struct slice text)
{
    if (text.size == 0 || !is_letter(text.data[0]))
        return false;
    for (size_t i = 1; i < text.size; i++) {
        char byte = text.data[i];
        bool digit = byte >= '0' && byte <= '9';
        if (!is_letter(byte) && !digit && byte != '+' && byte != '-' && byte != '.')
            return false;
    }
    return true;
}

static struct parts parts_cut(struct slice uri)
{
    struct parts parts = { .path = uri_before_fragment(uri) };
    size_t colon = slice_find(parts.path, ':');
    if (colon < parts.path.size && is_scheme(slice_make(parts.path.data, colon))) {
        parts.scheme = slice_make(parts.path.data, colon);
        parts.path = slice_skip(parts.path, colon + 1);
    }
    if (slice_starts_with(parts.path, SLICE_OF("//"))) {
        struct slice rest = slice_skip(parts.path, 2);
        size_t end = 0;
        while (end < rest.size && rest.data[end] != '/' && rest.data[end] != '?')
            end++;
        parts.authority = slice_make(rest.data, end);
        parts.path = slice_skip(rest, end);
    }
    size_t question = slice_find(parts.path, '?');
    if (question < parts.path.size) {
        parts.query = slice_skip(parts.path, question + 1);
        parts.path.size = question;
    }
    return parts;
}

bool uri_is_absolute(struct slice uri)
{
    return slice_is_present(parts_cut(uri).scheme);
}

/* Drops the last segment written since `start`, with its slash. */
static void segment_drop(struct buffer *target, size_t start)
{
    while (target->size > start && target->data[target->size - 1] != '/')
        target->size--;
    if (target->size > start)
        target->size--;
}

/* RFC 3986, section 5.2.4. */
static void path_append_clean(struct buffer *target, struct slice path)
{
    size_t start = target->size;
    while (path.size > 0 && !buffer_failed(target)) {
        if (slice_starts_with(path, SLICE_OF("../"))) {
            path = slice_skip(path, 3);
        } else if (slice_starts_with(path, SLICE_OF("./"))) {
            path = slice_skip(path, 2);
        } else if (slice_starts_with(path, SLICE_OF("/./"))) {
            path = slice_skip(path, 2);
        } else if (slice_equal_text(path, "/.")) {
            path = SLICE_OF("/");
        } else if (slice_starts_with(path, SLICE_OF("/../"))) {
            path = slice_skip(path, 3);
            segment_drop(target, start);
        } else if (slice_equal_text(path, "/..")) {
            path = SLICE_OF("/");
            segment_drop(target, start);
        } else if (slice_equal_text(path, ".") || slice_equal_text(path, "..")) {
            path.size = 0;
        } else {
            size_t size = path.data[0] == '/' ? 1 : 0;
            size += slice_find(slice_skip(path, size), '/');
            buffer_append(target, path.data, size);
            path = slice_skip(path, size);
        }
    }
}

static void path_merge(struct buffer *target, const struct parts *base, struct slice path)
{
    struct buffer merged;
    buffer_init(&merged, target->bytes_max);
    size_t keep = base->path.size;
    while (keep > 0 && base->path.data[keep - 1] != '/')
        keep--;
    if (slice_is_present(base->authority) && base->path.size == 0)
        buffer_append_byte(&merged, '/');
    buffer_append(&merged, base->path.data, keep);
    buffer_append_slice(&merged, path);
    path_append_clean(target, buffer_slice(&merged));
    target->failed = target->failed || buffer_failed(&merged);
    buffer_finish(&merged);
}

static void front_append(struct buffer *target, struct slice scheme,
                         struct slice authority)
{
    if (slice_is_present(scheme)) {
        buffer_append_slice(target, scheme);
        buffer_append_byte(target, ':');
    }
    if (slice_is_present(authority)) {
        buffer_append_text(target, "//");
        buffer_append_slice(target, authority);
    }
}

void uri_resolve(struct buffer *target, struct slice base_uri, struct slice reference)
{
    struct parts base = parts_cut(base_uri);
    struct parts parts = parts_cut(reference);
    struct slice query = parts.query;

    if (slice_is_present(parts.scheme)) {
        front_append(target, parts.scheme, parts.authority);
        path_append_clean(target, parts.path);
    } else if (slice_is_present(parts.authority)) {
        front_append(target, base.scheme, parts.authority);
        path_append_clean(target, parts.path);
    } else {
        front_append(target, base.scheme, base.authority);
        if (parts.path.size == 0) {
            buffer_append_slice(target, base.path);
            if (!slice_is_present(query))
                query = base.query;
        } else if (parts.path.data[0] == '/') {
            path_append_clean(target, parts.path);
        } else {
            path_merge(target, &base, parts.path);
        }
    }
    if (slice_is_present(query)) {
        buffer_append_byte(target, '?');
        buffer_append_slice(target, query);
    }
}
