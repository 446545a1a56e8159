#include "store/changes.h"

#include "base/buffer.h"
#include "base/ensure.h"
#include "os/entropy.h"
#include "store/transaction.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    TABLE_BYTES = 2,
    ENTRY_BYTES_MAX = TABLE_BYTES + TRANSACTION_KEY_BYTES_MAX,
    BATCH_BYTES_MAX = 64 * 1024 * 1024,
};

struct changes {
    struct buffer batch; /* of the one under way: size of the entry (2), entry */
    pthread_mutex_t lock;
    struct map *kept;
    enum err err; /* sticky: a row was lost */
};

static struct map *kept_create(void)
{
    struct siphash_key key;
    entropy_fill(&key, sizeof key);
    return map_create(key, CHANGES_MAX);
}

struct changes *changes_create(void)
{
    struct changes *changes = calloc(1, sizeof *changes);
    if (changes == NULL)
        return NULL;
    changes->kept = kept_create();
    if (changes->kept == NULL || pthread_mutex_init(&changes->lock, NULL) != 0) {
        map_destroy(changes->kept);
        free(changes);
        return NULL;
    }
    buffer_init(&changes->batch, BATCH_BYTES_MAX);
    return changes;
}

void changes_destroy(struct changes *changes)
{
    if (changes == NULL)
        return;
    map_destroy(changes->kept);
    buffer_finish(&changes->batch);
    (void)pthread_mutex_destroy(&changes->lock);
    free(changes);
}

void changes_note(struct changes *changes, unsigned table, struct slice key)
{
    size_t size = TABLE_BYTES + key.size;
    ENSURE(table <= UINT16_MAX && size <= ENTRY_BYTES_MAX);
    buffer_append_byte(&changes->batch, (char)(size >> 8));
    buffer_append_byte(&changes->batch, (char)size);
    buffer_append_byte(&changes->batch, (char)(table >> 8));
    buffer_append_byte(&changes->batch, (char)table);
    buffer_append_slice(&changes->batch, key);
}

static unsigned number_at(const char *bytes)
{
    return (unsigned)(uint8_t)bytes[0] << 8 | (uint8_t)bytes[1];
}

static void batch_keep(struct changes *changes, struct slice rest)
{
    static char there; /* the value of every entry */
    while (rest.size > 0 && changes->err == ERR_OK) {
        size_t size = number_at(rest.data);
        struct slice entry = slice_make(rest.data + 2, size);
        changes->err = map_put(changes->kept, entry, &there, NULL);
        rest = slice_skip(rest, size + 2);
    }
}

void changes_keep(struct changes *changes)
{
    ENSURE(pthread_mutex_lock(&changes->lock) == 0);
    if (buffer_failed(&changes->batch))
        changes->err = ERR_MEMORY;
    else
        batch_keep(changes, buffer_slice(&changes->batch));
    ENSURE(pthread_mutex_unlock(&changes->lock) == 0);
    buffer_clear(&changes->batch);
}

void changes_drop(struct changes *changes)
{
    buffer_clear(&changes->batch);
}

enum err changes_take(struct changes *changes, struct map **ret_kept)
{
    struct map *fresh = kept_create();
    if (fresh == NULL)
        return ERR_MEMORY;
    ENSURE(pthread_mutex_lock(&changes->lock) == 0);
    enum err err = changes->err;
    struct map *kept = changes->kept;
    if (err == ERR_OK)
        changes->kept = fresh;
    ENSURE(pthread_mutex_unlock(&changes->lock) == 0);
    if (err != ERR_OK) {
        map_destroy(fresh);
        return err;
    }
    *ret_kept = kept;
    return ERR_OK;
}

void changes_key(struct slice entry, unsigned *ret_table, struct slice *ret_key)
{
    ENSURE(entry.size > TABLE_BYTES);
    *ret_table = number_at(entry.data);
    *ret_key = slice_skip(entry, TABLE_BYTES);
}
