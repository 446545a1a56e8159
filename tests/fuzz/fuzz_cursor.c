/*
 * Any bytes as a cursor, of every question that has one: refused, or a page whose own
 * cursor goes on behind it and comes to an end.
 */
#include "fuzz/support.h"

#include "message/row.h"

#include <string.h>

enum { PAGES_MAX = 64 };

static const struct field *cursor_of(const struct field_table *table)
{
    for (size_t i = 0; table != NULL && i < table->count; i++)
        if (table->fields[i].kind == FIELD_TEXT &&
            slice_equal_text(table->fields[i].name, "cursor"))
            return &table->fields[i];
    return NULL;
}

static struct slice *member(struct message *message, const struct field *field)
{
    return (struct slice *)(void *)((char *)&message->as + field->offset);
}

/* The cursor of the page, or the absent slice. */
static struct slice next_cursor(const struct fleet *fleet)
{
    const struct effect *answer = fleet_answer(fleet);
    if (answer == NULL)
        return (struct slice){ 0 };
    struct message message = answer->message;
    const struct field *field = cursor_of(MESSAGE_ROWS[message.type].table);
    return field == NULL ? (struct slice){ 0 } : *member(&message, field);
}

static void pages_read(struct fleet *fleet, enum message_type type, struct slice cursor)
{
    static char kept[4096];
    struct message message = { .type = type };
    const struct field *field = cursor_of(MESSAGE_ROWS[type].table);
    for (int i = 0; i < PAGES_MAX && slice_is_present(cursor); i++) {
        *member(&message, field) = cursor;
        ENSURE(fleet_try(fleet, &message) == ERR_OK);
        struct slice next = next_cursor(fleet);
        if (!slice_is_present(next))
            return;
        ENSURE(next.size <= sizeof kept && !slice_equal(next, cursor));
        memcpy(kept, next.data, next.size);
        cursor = slice_make(kept, next.size);
    }
    ENSURE(!slice_is_present(cursor));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fleet fleet;
    if (fleet.store == NULL) {
        fleet_of_story(&fleet);
        fleet_as_client(&fleet, "root", ROLE_ADMIN);
    }
    for (size_t i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        const struct message_row *row = &MESSAGE_ROWS[i];
        if (row->kind == KIND_QUERY && row->direction == DIRECTION_HTTP_REQUEST &&
            cursor_of(row->table) != NULL)
            pages_read(&fleet, (enum message_type)i, slice_make(data, size));
    }
    return 0;
}
