#include "base/hash.h"
#include "ops/inside.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/log.h"
#include "store/scrub.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    RECORDS_AT_ONCE = 512, /* a snapshot lives no longer than these take */
    RECORDS_NAMED_MAX = 32,
    US_PER_S = 1000 * 1000,
    KEY_DIGITS_MAX = 2 * 100, /* of a key in a file's name */
};

/* Its bytes, as they are, for whoever wants to know what is left of it. */
static void rot_keep(const struct ops *ops, const struct store_rot *rot,
                     const char *digits)
{
    char path[VAULT_PATH_BYTES];
    char name[KEY_DIGITS_MAX + 128];
    (void)snprintf(name, sizeof name, "%s-%.*s.record", rot->table, KEY_DIGITS_MAX,
                   digits);
    if (directory_make(ops->options.quarantine_directory) != ERR_OK ||
        !path_join(path, sizeof path, ops->options.quarantine_directory, name) ||
        file_write(path, rot->bytes) != ERR_OK)
        LOG_WARNING("record_not_kept", LOG_WORD("table", rot->table));
}

static void rot_tell(struct ops *ops, const struct store_rot *rot)
{
    char digits[2 * TRANSACTION_KEY_BYTES_MAX + 1];
    hex_encode(digits, rot->key.data, rot->key.size);
    digits[2 * rot->key.size] = '\0';
    LOG_ERROR("record_corrupt", LOG_WORD("table", rot->table), LOG_WORD("key", digits));
    rot_keep(ops, rot, digits);

    struct envelope *envelope = ops_envelope(MESSAGE_RECORD_ROTTED);
    if (envelope == NULL)
        return;
    envelope->message.as.record_rotted = (struct message_record_rotted){
        .table = arena_copy(&envelope->arena, slice_from_text(rot->table)),
        .key = arena_copy(&envelope->arena, slice_from_text(digits)),
    };
    ops_tell(ops, envelope);
}

/* Waits until what was read is no more than the time so far allows. */
static bool pace(struct ops *ops, const struct store_scrub *scrub, int64_t start_us)
{
    uint64_t rate = ops->options.scrub_bytes_per_second;
    int64_t due_us = start_us + (int64_t)((double)scrub->bytes * US_PER_S / (double)rate);
    int64_t early_us = due_us - clock_monotonic_us();
    while (early_us > 0) {
        int64_t wait_ms = early_us / 1000 + 1;
        if (!ops_attend(ops, -1, wait_ms > 100 ? 100 : (int)wait_ms))
            return false;
        early_us = due_us - clock_monotonic_us();
    }
    return ops_attend(ops, -1, 0);
}

void scrub_run(struct ops *ops, const struct ops_job *job, struct ops_outcome *outcome)
{
    struct store_scrub scrub = { 0 };
    struct store_rot *rot = malloc(sizeof *rot);
    struct store_usage usage;
    int64_t start_us = clock_monotonic_us();
    unsigned rotted = 0;
    enum err err = rot == NULL ? ERR_MEMORY : store_measure(ops->options.store, &usage);
    while (err == ERR_OK) {
        err = store_scrub(ops->options.store, &scrub, RECORDS_AT_ONCE, rot);
        if (err == ERR_CORRUPT) {
            if (rotted++ < RECORDS_NAMED_MAX)
                rot_tell(ops, rot);
            err = ERR_OK;
        }
        ops_tell_progress(ops, job, scrub.bytes, usage.used_bytes);
        if (err == ERR_OK && !pace(ops, &scrub, start_us))
            err = ERR_CLOSED;
    }
    free(rot);
    outcome->bytes = scrub.bytes;
    outcome->tables_total = ops->options.table_count;
    outcome->tables_success = scrub.table;
    if (err == ERR_CLOSED)
        ops_fail(outcome, "unavailable", "the hub ends");
    else if (err != ERR_NOT_FOUND)
        ops_fail(outcome, "storage_error", "the store cannot be read: %s", err_name(err));
    else if (rotted > 0)
        ops_fail(outcome, "storage_error",
                 "%u records are not what was written: restore a backup", rotted);
    else
        outcome->complete = true;
}
