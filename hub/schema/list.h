/*
 * list.h - items of one size that grow at the end, up to a bound.
 *
 * Failure  list_push returns NULL past the bound and without memory; `full` tells the two
 *          apart.
 */
#ifndef SCHEMA_LIST_H
#define SCHEMA_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct list {
    void *items;
    uint32_t count;
    uint32_t room;
    uint32_t count_max;
    size_t item_bytes;
    bool full;
};

void list_init(struct list *list, size_t item_bytes, uint32_t count_max);
void list_finish(struct list *list);

/* Room for one more item, zeroed; pointers to earlier items may move. */
void *list_push(struct list *list);

/* Hands the items over to the caller, who frees them with free(). */
void *list_release(struct list *list, uint32_t *ret_count);

#endif
