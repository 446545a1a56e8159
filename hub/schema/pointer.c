#include "schema/pointer.h"

void pointer_append_token(struct buffer *target, struct slice token)
{
    buffer_append_byte(target, '/');
    for (size_t i = 0; i < token.size; i++) {
        if (token.data[i] == '~')
            buffer_append_text(target, "~0");
        else if (token.data[i] == '/')
            buffer_append_text(target, "~1");
        else
            buffer_append_byte(target, token.data[i]);
    }
}

void pointer_append_path(struct buffer *target, const struct json_node *nodes,
                         uint32_t from, uint32_t to)
{
    while (from < to) {
        uint32_t child = from + 1;
        bool object = nodes[from].kind == JSON_OBJECT;
        if (!object && nodes[from].kind != JSON_ARRAY)
            return;
        uint32_t place = 0;
        uint32_t value = object ? child + 1 : child;
        while (to >= nodes[value].after) {
            child = nodes[value].after;
            value = object ? child + 1 : child;
            place++;
        }
        if (object) {
            pointer_append_token(target, nodes[child].value.text);
        } else {
            buffer_append_byte(target, '/');
            buffer_append_u64(target, place);
        }
        from = value; /* past `to` when that is the key itself */
    }
}

/* Does an escaped token name this key? */
static bool token_matches(struct slice token, struct slice key)
{
    size_t at = 0;
    for (size_t i = 0; i < key.size; i++, at++) {
        if (at >= token.size)
            return false;
        char byte = token.data[at];
        if (byte == '~') {
            at++;
            if (at >= token.size || (token.data[at] != '0' && token.data[at] != '1'))
                return false;
            byte = token.data[at] == '0' ? '~' : '/';
        }
        if (byte != key.data[i])
            return false;
    }
    return at == token.size;
}

static bool member_find(const struct json_node *nodes, uint32_t *at, struct slice token)
{
    uint32_t key = *at + 1;
    for (uint32_t i = 0; i < nodes[*at].count; i++) {
        if (token_matches(token, nodes[key].value.text)) {
            *at = key + 1;
            return true;
        }
        key = nodes[key + 1].after;
    }
    return false;
}

static bool item_find(const struct json_node *nodes, uint32_t *at, struct slice token)
{
    uint64_t index;
    bool padded = token.size > 1 && token.data[0] == '0';
    if (padded || !slice_parse_u64(token, &index) || index >= nodes[*at].count)
        return false;
    uint32_t item = *at + 1;
    while (index-- > 0)
        item = nodes[item].after;
    *at = item;
    return true;
}

bool pointer_find(const struct json_node *nodes, uint32_t from, struct slice pointer,
                  uint32_t *ret_node)
{
    uint32_t at = from;
    while (pointer.size > 0) {
        if (pointer.data[0] != '/')
            return false;
        pointer = slice_skip(pointer, 1);
        struct slice token = { pointer.data, slice_find(pointer, '/') };
        pointer = slice_skip(pointer, token.size);
        bool found = false;
        if (nodes[at].kind == JSON_OBJECT)
            found = member_find(nodes, &at, token);
        else if (nodes[at].kind == JSON_ARRAY)
            found = item_find(nodes, &at, token);
        if (!found)
            return false;
    }
    *ret_node = at;
    return true;
}
