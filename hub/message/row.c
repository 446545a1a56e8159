#include "message/row.h"

const struct message_row *message_row_find(enum message_direction direction,
                                           struct slice name)
{
    for (int i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++) {
        const struct message_row *row = &MESSAGE_ROWS[i];
        if (row->direction == direction && slice_equal(row->name, name))
            return row;
    }
    return NULL;
}
