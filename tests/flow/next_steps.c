/*
 * The steps of a hub that there is not yet: linked into drover-hub in the place of those that
 * ship (ops/shape_steps.c), they make the hub of the next version but one, which meets the
 * stores of this one as a real one will.
 *
 * NEXT_FAULT=kill ends the program in the middle of a step, NEXT_FAULT=fail has one fail.
 */
#include "core/table.h"
#include "ops/shape.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_PER_BATCH = 5 };

static bool is_faulty(const char *fault)
{
    const char *wanted = getenv("NEXT_FAULT");
    return wanted != NULL && strcmp(wanted, fault) == 0;
}

/* Every task is written anew, as it is. */
static enum err tasks_rewrite(struct transaction *batch,
                              struct store_migration_place *place, bool *ret_done)
{
    char value[4096];
    struct slice key;
    struct slice found;
    for (int i = 0; i < ROWS_PER_BATCH; i++) {
        enum err err = transaction_first_from(
            batch, TABLE_TASK, slice_make(place->bytes, place->size), &key, &found);
        *ret_done = err == ERR_NOT_FOUND;
        if (*ret_done)
            return ERR_OK;
        if (err != ERR_OK || found.size > sizeof value)
            return err == ERR_OK ? ERR_LIMIT : err;
        memcpy(place->bytes, key.data, key.size);
        memcpy(value, found.data, found.size);
        place->size = key.size;
        err = transaction_put(batch, TABLE_TASK, slice_make(place->bytes, place->size),
                              slice_make(value, found.size));
        if (err != ERR_OK)
            return err;
        place->bytes[place->size++] = '\0';
    }
    if (is_faulty("kill"))
        (void)raise(SIGKILL);
    return is_faulty("fail") ? ERR_CORRUPT : ERR_OK;
}

static enum err nothing_do(struct transaction *batch, struct store_migration_place *place,
                           bool *ret_done)
{
    (void)batch;
    (void)place;
    *ret_done = true;
    return ERR_OK;
}

static const struct store_migration STEPS[] = { { tasks_rewrite }, { nothing_do } };

const struct store_migration *const SHAPE_STEPS = STEPS;
const unsigned SHAPE_STEP_COUNT = sizeof STEPS / sizeof STEPS[0];
