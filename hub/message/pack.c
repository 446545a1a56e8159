#include "message/pack.h"

#include <string.h>

enum {
    DEPTH_MAX = 8, /* of structs in structs */
    FLAG_ABSENT = 0,
    FLAG_FALSE = 1,
    FLAG_TRUE = 2,
    FLAG_PRESENT = 1,
};

#define COUNT_ABSENT UINT32_MAX

struct packing {
    uint32_t text_bytes_max;
    struct buffer *buffer;
    bool cut;
};

static void pack_members(struct packing *packing, const struct field_table *table,
                         const void *source);

static bool number_is_present(const void *source, const struct field *field)
{
    return field->has_offset == NOT_PRESENT_TRACKED ||
           *(const bool *)((const char *)source + field->has_offset);
}

static void pack_text(struct packing *packing, struct slice text)
{
    packing->cut |= text.size > packing->text_bytes_max;
    pack_slice(packing->buffer, slice_cut(text, packing->text_bytes_max));
}

static void pack_opaque(struct packing *packing, struct slice text)
{
    if (text.size > packing->text_bytes_max) {
        packing->cut = true;
        text = (struct slice){ NULL, 0 };
    }
    pack_slice(packing->buffer, text);
}

static void pack_texts(struct packing *packing, const struct slice_list *list)
{
    if (list->items == NULL) {
        pack_u32(packing->buffer, COUNT_ABSENT);
        return;
    }
    pack_u32(packing->buffer, (uint32_t)list->count);
    for (size_t i = 0; i < list->count; i++)
        pack_text(packing, list->items[i]);
}

static void pack_objects(struct packing *packing, const struct field *field,
                         const struct message_list *list)
{
    if (list->items == NULL) {
        pack_u32(packing->buffer, COUNT_ABSENT);
        return;
    }
    pack_u32(packing->buffer, (uint32_t)list->count);
    for (size_t i = 0; i < list->count; i++)
        pack_members(packing, field->nested,
                     (const char *)list->items + i * field->nested->struct_size);
}

static void pack_number(struct packing *packing, const void *source,
                        const struct field *field)
{
    const char *member = (const char *)source + field->offset;
    bool present = number_is_present(source, field);
    if (field->kind == FIELD_BOOL) {
        uint8_t flag = *(const bool *)member ? FLAG_TRUE : FLAG_FALSE;
        pack_u8(packing->buffer, present ? flag : (uint8_t)FLAG_ABSENT);
        return;
    }
    pack_u8(packing->buffer, present ? FLAG_PRESENT : FLAG_ABSENT);
    if (!present)
        return;
    int64_t number;
    memcpy(&number, member, sizeof number);
    pack_i64(packing->buffer, number);
}

static void pack_member(struct packing *packing, const void *source,
                        const struct field *field)
{
    const char *member = (const char *)source + field->offset;
    union {
        struct slice text;
        struct slice_list texts;
        struct message_list objects;
        const void *nested;
    } value;
    switch (field->kind) {
    case FIELD_TEXT:
        memcpy(&value.text, member, sizeof value.text);
        pack_text(packing, value.text);
        return;
    case FIELD_OPAQUE:
        memcpy(&value.text, member, sizeof value.text);
        pack_opaque(packing, value.text);
        return;
    case FIELD_INTEGER:
    case FIELD_BOOL:
        pack_number(packing, source, field);
        return;
    case FIELD_TEXTS:
        memcpy(&value.texts, member, sizeof value.texts);
        pack_texts(packing, &value.texts);
        return;
    case FIELD_OBJECT:
        memcpy(&value.nested, member, sizeof value.nested);
        pack_u8(packing->buffer, value.nested != NULL ? FLAG_PRESENT : FLAG_ABSENT);
        if (value.nested != NULL)
            pack_members(packing, field->nested, value.nested);
        return;
    case FIELD_OBJECTS:
        memcpy(&value.objects, member, sizeof value.objects);
        pack_objects(packing, field, &value.objects);
        return;
    case FIELD_MESSAGE:
        return;
    }
}

static void pack_members(struct packing *packing, const struct field_table *table,
                         const void *source)
{
    pack_u8(packing->buffer, (uint8_t)table->count);
    for (size_t i = 0; i < table->count; i++)
        pack_member(packing, source, &table->fields[i]);
}

void message_pack(const struct field_table *table, const void *source,
                  uint32_t text_bytes_max, struct buffer *buffer, bool *ret_cut)
{
    struct packing packing = { .text_bytes_max = text_bytes_max, .buffer = buffer };
    pack_members(&packing, table, source);
    *ret_cut = packing.cut;
}

static bool unpack_members(const struct field_table *table, struct unpack *unpack,
                           struct arena *arena, unsigned depth, void *target);

static void unpack_number(struct unpack *unpack, const struct field *field, void *target)
{
    char *member = (char *)target + field->offset;
    uint8_t flag = unpack_u8(unpack);
    bool tracked = field->has_offset != NOT_PRESENT_TRACKED;
    if (flag > FLAG_TRUE || (flag == FLAG_TRUE && field->kind != FIELD_BOOL) ||
        (flag == FLAG_ABSENT && !tracked))
        unpack->failed = true;
    if (tracked)
        *(bool *)((char *)target + field->has_offset) = flag != FLAG_ABSENT;
    if (flag == FLAG_ABSENT || unpack->failed)
        return;
    if (field->kind == FIELD_BOOL) {
        *(bool *)member = flag == FLAG_TRUE;
        return;
    }
    int64_t number = unpack_i64(unpack);
    memcpy(member, &number, sizeof number);
}

/* The count of a list, whose every item takes a byte at the least; false: absent. */
static bool unpack_count(struct unpack *unpack, uint32_t *ret_count)
{
    *ret_count = unpack_u32(unpack);
    if (unpack->failed || *ret_count == COUNT_ABSENT)
        return false;
    if (*ret_count > unpack->rest.size)
        unpack->failed = true;
    return !unpack->failed;
}

static bool unpack_texts(struct unpack *unpack, struct arena *arena, char *member)
{
    uint32_t count;
    struct slice_list list = { 0 };
    if (!unpack_count(unpack, &count))
        return !unpack->failed;
    list.items = arena_take_many(arena, (size_t)count + 1, sizeof *list.items);
    if (list.items == NULL)
        return false;
    for (; list.count < count; list.count++)
        list.items[list.count] = unpack_slice(unpack);
    memcpy(member, &list, sizeof list);
    return !unpack->failed;
}

static bool unpack_objects(struct unpack *unpack, const struct field_table *nested,
                           struct arena *arena, unsigned depth, char *member)
{
    uint32_t count;
    struct message_list list = { 0 };
    if (!unpack_count(unpack, &count))
        return !unpack->failed;
    char *items = arena_take_many(arena, (size_t)count + 1, nested->struct_size);
    if (items == NULL)
        return false;
    list.items = items;
    for (; list.count < count; list.count++)
        if (!unpack_members(nested, unpack, arena, depth + 1,
                            items + list.count * nested->struct_size))
            return false;
    memcpy(member, &list, sizeof list);
    return true;
}

static bool unpack_object(struct unpack *unpack, const struct field_table *nested,
                          struct arena *arena, unsigned depth, char *member)
{
    uint8_t flag = unpack_u8(unpack);
    if (flag != FLAG_PRESENT)
        return flag == FLAG_ABSENT && !unpack->failed;
    void *object = arena_take(arena, nested->struct_size);
    if (object == NULL || !unpack_members(nested, unpack, arena, depth + 1, object))
        return false;
    memcpy(member, &object, sizeof object);
    return true;
}

static bool unpack_member(struct unpack *unpack, const struct field *field,
                          struct arena *arena, unsigned depth, void *target)
{
    char *member = (char *)target + field->offset;
    struct slice text;
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_OPAQUE:
        text = unpack_slice(unpack);
        memcpy(member, &text, sizeof text);
        return !unpack->failed;
    case FIELD_INTEGER:
    case FIELD_BOOL:
        unpack_number(unpack, field, target);
        return !unpack->failed;
    case FIELD_TEXTS:
        return unpack_texts(unpack, arena, member);
    case FIELD_OBJECT:
        return unpack_object(unpack, field->nested, arena, depth, member);
    case FIELD_OBJECTS:
        return unpack_objects(unpack, field->nested, arena, depth, member);
    case FIELD_MESSAGE:
        return true;
    }
    return false;
}

static bool unpack_members(const struct field_table *table, struct unpack *unpack,
                           struct arena *arena, unsigned depth, void *target)
{
    uint8_t count = unpack_u8(unpack);
    if (unpack->failed || depth > DEPTH_MAX || count > table->count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!unpack_member(unpack, &table->fields[i], arena, depth, target))
            return false;
    return true;
}

bool message_unpack(const struct field_table *table, struct unpack *unpack,
                    struct arena *arena, void *ret_target)
{
    memset(ret_target, 0, table->struct_size);
    return unpack_members(table, unpack, arena, 0, ret_target);
}
