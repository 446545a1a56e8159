#include "core/reset.h"

#include "core/blob.h"
#include "core/deadline.h"
#include "core/stats.h"

#include <string.h>

enum {
    RESET_VERSION = 1,
    RESET_OWNER = 1,
    ROWS_PER_STEP = 256,
    CHANGES_PER_STEP = 1024,
    PAUSE_MS = 1, /* others have their turn */
};

typedef void (*row_handler)(struct step *, struct reset *, struct slice key,
                            struct slice value);

/* Heads before indexes: an index that lacks a row of a head gets it first. Stale holdings
 * go before the agents, whose count they are. */
static const struct phase {
    enum table table;
    row_handler row; /* NULL: an index, of which what no head stands for goes */
} PHASES[] = {
    { TABLE_TOKEN, reset_token }, { TABLE_TASK, reset_task }, { TABLE_HOLDING, NULL },
    { TABLE_AGENT, reset_agent }, { TABLE_TASK_STATE, NULL }, { TABLE_TASK_AGENT, NULL },
    { TABLE_TASK_KIND, NULL },    { TABLE_READY, NULL },      { TABLE_READY_PIN, NULL },
    { TABLE_WAITER, NULL },       { TABLE_AGENT_ID, NULL },   { TABLE_CONNECTED, NULL },
    { TABLE_LINK, NULL },         { TABLE_IDLE, NULL },       { TABLE_TOKEN_AGENT, NULL },
    { TABLE_DEADLINE, NULL },     { TABLE_FINISHED, NULL },
};

enum { PHASE_COUNT = sizeof PHASES / sizeof PHASES[0] };

bool reset_load(struct step *step, struct reset *ret_reset)
{
    struct slice value = blob_get(step, RESET_OWNER, BLOB_RESET);
    if (!slice_is_present(value))
        return false;
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    struct reset reset = { .phase = unpack_u32(&row) };
    reset.differences = unpack_u64(&row);
    reset.due_ms = unpack_i64(&row);
    reset.started_ms = unpack_i64(&row);
    reset.after = unpack_slice(&row);
    if (version != RESET_VERSION || !unpack_done(&row) || reset.phase >= PHASE_COUNT ||
        reset.after.size > TRANSACTION_KEY_BYTES_MAX) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_reset = reset;
    return true;
}

/* With the deadline at which it goes on. */
static void reset_save(struct step *step, struct reset *reset)
{
    struct packed packed;
    reset->due_ms = step->command->now_ms + PAUSE_MS;
    deadline_add_number(step, CLOCK_FLEET, reset->due_ms, DEADLINE_RESET, 0);
    struct buffer *row = packed_start(&packed);
    pack_u8(row, RESET_VERSION);
    pack_u32(row, reset->phase);
    pack_u64(row, reset->differences);
    pack_i64(row, reset->due_ms);
    pack_i64(row, reset->started_ms);
    pack_slice(row, reset->after);
    blob_put(step, RESET_OWNER, BLOB_RESET, packed_slice(step, row));
}

static void tell_doors(struct step *step, enum effect_kind kind, uint64_t number)
{
    struct effect *effect = effects_add(step->effects, kind);
    if (effect == NULL)
        step_fail(step, ERR_MEMORY);
    else
        effect->request = number;
}

void reset_start(struct step *step)
{
    struct reset running;
    struct reset reset = { .started_ms = step->command->wall_ms };
    if (reset_load(step, &running))
        deadline_remove_number(step, CLOCK_FLEET, running.due_ms, DEADLINE_RESET, 0);
    tell_doors(step, EFFECT_RESET, 0);
    stats_recount_start(step);
    reset_save(step, &reset);
}

void reset_ensure(struct step *step, struct reset *reset, enum table table,
                  struct slice key)
{
    if (step_has(step, table, key) || step_failed(step))
        return;
    step_put_mark(step, table, key);
    reset->differences++;
}

void reset_drop(struct step *step, struct reset *reset, enum table table,
                struct slice key)
{
    step_remove(step, table, key);
    reset->differences++;
}

static void row_look(struct step *step, struct reset *reset, struct slice key,
                     struct slice value)
{
    const struct phase *phase = &PHASES[reset->phase];
    if (phase->row != NULL)
        phase->row(step, reset, key, value);
    else if (!reset_stands(step, phase->table, key))
        reset_drop(step, reset, phase->table, key);
}

/* The first row after the last one that was looked at, copied. */
static bool row_next(struct step *step, const struct reset *reset, struct slice *ret_key,
                     struct slice *ret_value)
{
    char start[TRANSACTION_KEY_BYTES_MAX + 1] = { 0 };
    struct slice key;
    struct slice value;
    size_t size = 1; /* one NUL: before every key */
    if (reset->after.size > 0) {
        memcpy(start, reset->after.data, reset->after.size);
        size = reset->after.size + 1;
    }
    if (!step_first_from(step, PHASES[reset->phase].table, slice_make(start, size), &key,
                         &value))
        return false;
    *ret_value = step_copy(step, value);
    *ret_key = step_copy(step, key);
    return !step_failed(step);
}

static void phase_end(struct step *step, struct reset *reset)
{
    if (PHASES[reset->phase].table == TABLE_TOKEN)
        tell_doors(step, EFFECT_KEYS_TOLD, 0);
    if (PHASES[reset->phase].table == TABLE_TASK && stats_recount_end(step))
        reset->differences++;
    reset->phase++;
    reset->after = (struct slice){ NULL, 0 };
}

void reset_go_on(struct step *step)
{
    struct reset reset;
    struct slice key;
    struct slice value;
    if (!reset_load(step, &reset)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    uint32_t changes = step->changes;
    for (int i = 0; i < ROWS_PER_STEP && reset.phase < PHASE_COUNT &&
                    step->changes - changes < CHANGES_PER_STEP && !step_failed(step);
         i++) {
        if (row_next(step, &reset, &key, &value)) {
            row_look(step, &reset, key, value);
            reset.after = key;
        } else {
            phase_end(step, &reset);
        }
    }
    if (reset.phase < PHASE_COUNT) {
        reset_save(step, &reset);
        return;
    }
    reset_counts(step, &reset);
    blob_remove(step, RESET_OWNER, BLOB_RESET);
    tell_doors(step, EFFECT_RESET_DONE, reset.differences);
}
