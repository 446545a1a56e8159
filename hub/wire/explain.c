#include "wire/private.h"

/* The value a JSON Pointer names, or NULL. Our schemas have no name that needs escapes. */
static const struct json_node *node_at(const struct json *json, struct slice pointer)
{
    const struct json_node *node = json_root(json);
    while (pointer.size > 0 && node != NULL) {
        struct slice rest = slice_skip(pointer, 1);
        size_t end = slice_find(rest, '/');
        node = json_member(json, node, slice_make(rest.data, end));
        pointer = slice_skip(rest, end);
    }
    return node;
}

static void words_append(struct buffer *buffer, const struct json *json,
                         const struct json_node *values)
{
    const char *separator = "";
    for (const struct json_node *word = json_child(json, values); word != NULL;
         word = json_after(json, values, word)) {
        if (word->kind != JSON_STRING)
            continue;
        buffer_append_text(buffer, separator);
        buffer_append_slice(buffer, word->value.text);
        separator = ", ";
    }
}

bool explain_violation(const struct json *schema,
                       const struct schema_violation *violation, struct buffer *buffer)
{
    static const struct {
        const char *keyword;
        const char *before;
        const char *after;
    } SENTENCES[] = {
        { "maxLength", "longer than ", " characters" },
        { "minLength", "shorter than ", " characters" },
        { "maximum", "more than ", "" },
        { "minimum", "less than ", "" },
        { "maxItems", "more than ", " items" },
        { "minItems", "fewer than ", " items" },
        { "pattern", "does not match ", "" },
        { "enum", "not one of ", "" },
        { "const", "not ", "" },
    };
    const struct json_node *limit = node_at(schema, violation->keyword_location);
    if (limit == NULL)
        return false;
    for (size_t i = 0; i < sizeof SENTENCES / sizeof SENTENCES[0]; i++) {
        if (!slice_equal_text(violation->keyword, SENTENCES[i].keyword))
            continue;
        buffer_append_text(buffer, SENTENCES[i].before);
        if (limit->kind == JSON_ARRAY)
            words_append(buffer, schema, limit);
        else
            buffer_append_slice(buffer, limit->kind == JSON_STRING ? limit->value.text
                                                                   : limit->raw);
        buffer_append_text(buffer, SENTENCES[i].after);
        return !buffer_failed(buffer);
    }
    return false;
}
