#include "schema/list.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ITEMS ((uint32_t)16)

void list_init(struct list *list, size_t item_bytes, uint32_t count_max)
{
    *list = (struct list){ .item_bytes = item_bytes, .count_max = count_max };
}

void list_finish(struct list *list)
{
    free(list->items);
    list_init(list, list->item_bytes, list->count_max);
}

void *list_push(struct list *list)
{
    if (list->count >= list->count_max) {
        list->full = true;
        return NULL;
    }
    if (list->count == list->room) {
        uint32_t room = list->room == 0 ? FIRST_ITEMS : list->room * 2;
        void *items = realloc(list->items, room * list->item_bytes);
        if (items == NULL)
            return NULL;
        list->items = items;
        list->room = room;
    }
    char *item = (char *)list->items + list->count * list->item_bytes;
    list->count++;
    memset(item, 0, list->item_bytes);
    return item;
}

void *list_release(struct list *list, uint32_t *ret_count)
{
    void *items = list->items;
    *ret_count = list->count;
    list_init(list, list->item_bytes, list->count_max);
    return items;
}
