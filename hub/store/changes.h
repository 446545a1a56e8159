/*
 * changes.h - which rows have changed since somebody began to look: their places alone.
 *
 * A batch's changes count once it is committed, so that whoever takes them and then looks
 * at a snapshot sees all of them in it.
 *
 * Memory     At most CHANGES_MAX rows; past that changes_take() says ERR_LIMIT.
 * Threads    note, keep and drop: the writer's. take: one other.
 */
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include "base/err.h"
#include "base/map.h"

enum { CHANGES_MAX = 1 << 20 };

struct changes;

/* NULL without memory. */
struct changes *changes_create(void);
void changes_destroy(struct changes *changes); /* accepts NULL */

/* A row of the batch under way was put or removed. */
void changes_note(struct changes *changes, unsigned table, struct slice key);

/* The batch is committed, or never happened. */
void changes_keep(struct changes *changes);
void changes_drop(struct changes *changes);

/* All that was kept, each row once, which is the caller's to destroy: keys are read with
 * changes_key(). ERR_LIMIT, ERR_MEMORY: something was lost, now or before. */
enum err changes_take(struct changes *changes, struct map **ret_kept);

/* Table and key of an entry of what was taken. */
void changes_key(struct slice entry, unsigned *ret_table, struct slice *ret_key);

#endif
