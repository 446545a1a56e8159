#include "core/memory_transaction.h"

#include "base/ensure.h"

#include <stdlib.h>
#include <string.h>

enum {
    POISON = 0xA5,
};

struct memory_row {
    struct slice key;
    struct slice value;
};

struct memory_table {
    struct memory_row *rows; /* sorted by key */
    size_t count;
    size_t room;
};

/* How a row stood before a write. */
struct memory_undo {
    unsigned table;
    struct slice key;
    bool was_there;
    struct slice value;
};

struct memory_store {
    struct transaction transaction;
    struct memory_table *tables;
    unsigned table_count;
    struct memory_undo *undo;
    size_t undo_count;
    size_t undo_room;
    struct slice *handed; /* slices handed out since the last write */
    size_t handed_count;
    size_t handed_room;
    uint64_t calls;
    uint64_t fail_call; /* 0: never */
    enum err fail_err;
    enum err err; /* sticky */
    bool read_only;
};

static void *must(void *memory)
{
    ENSURE(memory != NULL);
    return memory;
}

static struct slice bytes_copy(struct slice slice)
{
    char *bytes = must(malloc(slice.size + 1));
    if (slice.size > 0)
        memcpy(bytes, slice.data, slice.size);
    return slice_make(bytes, slice.size);
}

static void bytes_free(struct slice slice)
{
    memset((char *)(uintptr_t)slice.data, POISON, slice.size);
    free((void *)(uintptr_t)slice.data);
}

static void *room_for_one(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    *room = *room == 0 ? 16 : *room * 2;
    return must(realloc(items, *room * size));
}

static struct slice hand_out(struct memory_store *store, struct slice slice)
{
    store->handed = room_for_one(store->handed, store->handed_count, &store->handed_room,
                                 sizeof *store->handed);
    struct slice copy = bytes_copy(slice);
    store->handed[store->handed_count++] = copy;
    return copy;
}

static void handed_poison(struct memory_store *store)
{
    for (size_t i = 0; i < store->handed_count; i++)
        bytes_free(store->handed[i]);
    store->handed_count = 0;
}

/* The position of the first row whose key is not less than `key`. */
static size_t table_find(const struct memory_table *table, struct slice key)
{
    size_t low = 0;
    size_t high = table->count;
    /* Keys mostly rise: look at the end first. */
    if (high > 0 && slice_compare(table->rows[high - 1].key, key) < 0)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slice_compare(table->rows[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool table_has(const struct memory_table *table, size_t position, struct slice key)
{
    return position < table->count && slice_equal(table->rows[position].key, key);
}

static void table_set(struct memory_table *table, struct slice key, struct slice value)
{
    size_t position = table_find(table, key);
    if (table_has(table, position, key)) {
        bytes_free(table->rows[position].value);
        table->rows[position].value = bytes_copy(value);
        return;
    }
    table->rows =
        room_for_one(table->rows, table->count, &table->room, sizeof *table->rows);
    memmove(&table->rows[position + 1], &table->rows[position],
            (table->count - position) * sizeof *table->rows);
    table->rows[position] = (struct memory_row){ bytes_copy(key), bytes_copy(value) };
    table->count++;
}

static void table_drop(struct memory_table *table, struct slice key)
{
    size_t position = table_find(table, key);
    ENSURE(table_has(table, position, key));
    bytes_free(table->rows[position].key);
    bytes_free(table->rows[position].value);
    table->count--;
    memmove(&table->rows[position], &table->rows[position + 1],
            (table->count - position) * sizeof *table->rows);
}

static void undo_note(struct memory_store *store, unsigned table, struct slice key)
{
    store->undo = room_for_one(store->undo, store->undo_count, &store->undo_room,
                               sizeof *store->undo);
    struct memory_table *rows = &store->tables[table];
    size_t position = table_find(rows, key);
    struct memory_undo *undo = &store->undo[store->undo_count++];
    *undo = (struct memory_undo){ .table = table, .key = bytes_copy(key) };
    undo->was_there = table_has(rows, position, key);
    if (undo->was_there)
        undo->value = bytes_copy(rows->rows[position].value);
}

static void undo_free(struct memory_undo *undo)
{
    bytes_free(undo->key);
    if (undo->was_there)
        bytes_free(undo->value);
}

static struct memory_store *enter(struct transaction *transaction, unsigned table,
                                  struct slice key)
{
    struct memory_store *store = (struct memory_store *)transaction;
    ENSURE(table < store->table_count);
    ENSURE(key.size <= TRANSACTION_KEY_BYTES_MAX);
    store->calls++;
    if (store->err == ERR_OK && store->calls == store->fail_call)
        store->err = store->fail_err;
    return store;
}

static enum err memory_get(struct transaction *transaction, unsigned table,
                           struct slice key, struct slice *ret_value)
{
    struct memory_store *store = enter(transaction, table, key);
    if (store->err != ERR_OK)
        return store->err;
    struct memory_table *rows = &store->tables[table];
    size_t position = table_find(rows, key);
    if (!table_has(rows, position, key))
        return ERR_NOT_FOUND;
    *ret_value = hand_out(store, rows->rows[position].value);
    return ERR_OK;
}

static enum err memory_put(struct transaction *transaction, unsigned table,
                           struct slice key, struct slice value)
{
    struct memory_store *store = enter(transaction, table, key);
    ENSURE(!store->read_only);
    ENSURE(key.size > 0);
    ENSURE(value.size <= TRANSACTION_VALUE_BYTES_MAX);
    if (store->err != ERR_OK)
        return store->err;
    undo_note(store, table, key);
    table_set(&store->tables[table], key, value);
    handed_poison(store);
    return ERR_OK;
}

static enum err memory_remove(struct transaction *transaction, unsigned table,
                              struct slice key)
{
    struct memory_store *store = enter(transaction, table, key);
    ENSURE(!store->read_only);
    if (store->err != ERR_OK)
        return store->err;
    struct memory_table *rows = &store->tables[table];
    if (!table_has(rows, table_find(rows, key), key))
        return ERR_NOT_FOUND;
    undo_note(store, table, key);
    table_drop(rows, key);
    handed_poison(store);
    return ERR_OK;
}

static enum err memory_first_from(struct transaction *transaction, unsigned table,
                                  struct slice key, struct slice *ret_key,
                                  struct slice *ret_value)
{
    struct memory_store *store = enter(transaction, table, key);
    if (store->err != ERR_OK)
        return store->err;
    struct memory_table *rows = &store->tables[table];
    size_t position = table_find(rows, key);
    if (position == rows->count)
        return ERR_NOT_FOUND;
    *ret_key = hand_out(store, rows->rows[position].key);
    *ret_value = hand_out(store, rows->rows[position].value);
    return ERR_OK;
}

static enum err memory_last_before(struct transaction *transaction, unsigned table,
                                   struct slice key, struct slice *ret_key,
                                   struct slice *ret_value)
{
    struct memory_store *store = enter(transaction, table, key);
    if (store->err != ERR_OK)
        return store->err;
    struct memory_table *rows = &store->tables[table];
    size_t position = slice_is_present(key) ? table_find(rows, key) : rows->count;
    if (position == 0)
        return ERR_NOT_FOUND;
    *ret_key = hand_out(store, rows->rows[position - 1].key);
    *ret_value = hand_out(store, rows->rows[position - 1].value);
    return ERR_OK;
}

static const struct transaction_methods METHODS = {
    .get = memory_get,
    .put = memory_put,
    .remove = memory_remove,
    .first_from = memory_first_from,
    .last_before = memory_last_before,
};

struct memory_store *memory_store_create(unsigned table_count)
{
    struct memory_store *store = must(calloc(1, sizeof *store));
    store->transaction.methods = &METHODS;
    store->tables = must(calloc(table_count, sizeof *store->tables));
    store->table_count = table_count;
    return store;
}

void memory_store_destroy(struct memory_store *store)
{
    if (store == NULL)
        return;
    store->err = ERR_OK;
    memory_commit(store);
    for (unsigned i = 0; i < store->table_count; i++) {
        for (size_t row = 0; row < store->tables[i].count; row++) {
            bytes_free(store->tables[i].rows[row].key);
            bytes_free(store->tables[i].rows[row].value);
        }
        free(store->tables[i].rows);
    }
    free(store->tables);
    free(store->undo);
    free(store->handed);
    free(store);
}

struct memory_store *memory_store_copy(const struct memory_store *store)
{
    struct memory_store *copy = memory_store_create(store->table_count);
    for (unsigned i = 0; i < store->table_count; i++) {
        const struct memory_table *table = &store->tables[i];
        for (size_t row = 0; row < table->count; row++)
            table_set(&copy->tables[i], table->rows[row].key, table->rows[row].value);
    }
    return copy;
}

struct transaction *memory_transaction(struct memory_store *store)
{
    return &store->transaction;
}

void memory_commit(struct memory_store *store)
{
    ENSURE(store->err == ERR_OK);
    handed_poison(store);
    for (size_t i = 0; i < store->undo_count; i++)
        undo_free(&store->undo[i]);
    store->undo_count = 0;
}

void memory_rollback(struct memory_store *store)
{
    handed_poison(store);
    while (store->undo_count > 0) {
        struct memory_undo *undo = &store->undo[--store->undo_count];
        struct memory_table *table = &store->tables[undo->table];
        if (undo->was_there)
            table_set(table, undo->key, undo->value);
        else if (table_has(table, table_find(table, undo->key), undo->key))
            table_drop(table, undo->key);
        undo_free(undo);
    }
    store->err = ERR_OK;
    store->fail_call = 0;
}

void memory_fail_at(struct memory_store *store, uint64_t call, enum err err)
{
    store->fail_call = call == 0 ? 0 : store->calls + call;
    store->fail_err = err;
}

void memory_set_read_only(struct memory_store *store, bool read_only)
{
    store->read_only = read_only;
}

uint64_t memory_calls(const struct memory_store *store)
{
    return store->calls;
}

uint64_t memory_writes(const struct memory_store *store)
{
    return store->undo_count;
}

uint64_t memory_rows(const struct memory_store *store, unsigned table)
{
    ENSURE(table < store->table_count);
    return store->tables[table].count;
}

static bool table_equal(const struct memory_table *one, const struct memory_table *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++) {
        if (!slice_equal(one->rows[i].key, other->rows[i].key) ||
            !slice_equal(one->rows[i].value, other->rows[i].value))
            return false;
    }
    return true;
}

int memory_store_difference(const struct memory_store *one,
                            const struct memory_store *other)
{
    ENSURE(one->table_count == other->table_count);
    for (unsigned i = 0; i < one->table_count; i++) {
        if (!table_equal(&one->tables[i], &other->tables[i]))
            return (int)i;
    }
    return -1;
}

bool memory_store_equal(const struct memory_store *one, const struct memory_store *other)
{
    return memory_store_difference(one, other) < 0;
}
