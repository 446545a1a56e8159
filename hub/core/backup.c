#include "core/backup.h"

#include "base/hash.h"
#include "core/deadline.h"
#include "core/event.h"
#include "core/handlers.h"
#include "core/upkeep.h"

enum {
    BACKUP_VERSION = 2, /* 1 had no event_last */
    INSTANCE_BYTES = 8,
};

static void backup_put(struct step *step, const struct message_backup_seen *seen)
{
    struct packed packed;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, BACKUP_VERSION);
    pack_i64(row, seen->created_at);
    pack_u64(row, (uint64_t)seen->bytes);
    pack_u64(row, (uint64_t)seen->sequence);
    pack_u64(row, (uint64_t)seen->epoch);
    pack_u64(row, (uint64_t)seen->records);
    pack_u64(row, (uint64_t)seen->task_last);
    pack_u64(row, (uint64_t)seen->instance);
    pack_slice(row, seen->sha256);
    pack_slice(row, seen->hub_version);
    pack_u64(row, (uint64_t)seen->event_last);

    struct slice value = packed_slice(step, row);
    struct slice was;
    if (!step_get(step, TABLE_BACKUP, seen->name, &was) || !slice_equal(was, value))
        step_put(step, TABLE_BACKUP, seen->name, value);
}

static bool backup_unpack(struct step *step, struct slice name, struct slice value,
                          struct backup *ret_backup)
{
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    struct backup backup = { .name = step_copy(step, name) };
    backup.created_ms = unpack_i64(&row);
    backup.bytes = unpack_u64(&row);
    backup.sequence = unpack_u64(&row);
    backup.epoch = unpack_u64(&row);
    backup.records = unpack_u64(&row);
    backup.task_last = unpack_u64(&row);
    backup.instance = unpack_u64(&row);
    backup.sha256 = step_copy(step, unpack_slice(&row));
    backup.hub_version = step_copy(step, unpack_slice(&row));
    if (version > 1)
        backup.event_last = unpack_u64(&row);
    if (version == 0 || version > BACKUP_VERSION || !unpack_done(&row)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_backup = backup;
    return !step_failed(step);
}

bool backup_load(struct step *step, struct slice name, struct backup *ret_backup)
{
    struct slice value;
    return name.size > 0 && name.size <= BACKUP_NAME_BYTES_MAX &&
           step_get(step, TABLE_BACKUP, name, &value) &&
           backup_unpack(step, name, value, ret_backup);
}

bool backup_next(struct step *step, struct slice after, struct backup *ret_backup)
{
    struct packed_key packed;
    struct buffer *from = packed_key_start(&packed);
    struct slice key;
    struct slice value;
    buffer_append_slice(from, after);
    buffer_append_byte(from, '\0'); /* the least key that comes after */
    return step_first_from(step, TABLE_BACKUP, packed_slice(step, from), &key, &value) &&
           backup_unpack(step, key, value, ret_backup);
}

static bool is_seen(const struct message_list *list, struct slice name)
{
    const struct message_backup_seen *seen = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (slice_equal(seen[i].name, name))
            return true;
    return false;
}

/* Whether it was this one's turn to go: there are enough younger ones of this store. */
static bool is_due_to_go(const struct message_backups_seen *message,
                         const struct backup *backup)
{
    const struct message_backup_seen *seen = message->backups.items;
    int64_t younger = 0;
    for (size_t i = 0; i < message->backups.count; i++)
        younger += (uint64_t)seen[i].instance == backup->instance &&
                   slice_compare(seen[i].name, backup->name) > 0;
    /* Of a list that is full nobody knows what was left out. */
    return younger >= message->kept ||
           message->backups.count + message->spoilt.count >= BACKUPS_SEEN_MAX;
}

static void tell_lost(struct step *step, const struct message_backups_seen *message,
                      const struct backup *backup)
{
    const struct message_backup_spoilt *spoilt = message->spoilt.items;
    struct message event = { .type = MESSAGE_EVENT_BACKUP_LOST };
    struct slice reason = SLICE_OF("it is not in the directory any more");
    bool there = false;
    for (size_t i = 0; i < message->spoilt.count && !there; i++) {
        there = slice_equal(spoilt[i].name, backup->name);
        if (there)
            reason = spoilt[i].reason;
    }
    if (backup->instance != step_counter(step, COUNTER_INSTANCE) ||
        (!there && is_due_to_go(message, backup)))
        return;
    event.as.event_backup_lost = (struct message_event_backup_lost){
        .backup = backup->name,
        .created_at = backup->created_ms,
        .reason = reason,
    };
    event_add(step, &event);
}

void on_backups_seen(struct step *step, const struct message_backups_seen *message)
{
    const struct message_backup_seen *seen = message->backups.items;
    struct backup backup;
    struct slice after = { 0 };
    while (backup_next(step, after, &backup)) {
        after = backup.name;
        if (is_seen(&message->backups, backup.name))
            continue;
        step_remove(step, TABLE_BACKUP, backup.name);
        tell_lost(step, message, &backup);
    }
    size_t count = message->backups.count;
    if (count > BACKUPS_SEEN_MAX)
        count = BACKUPS_SEEN_MAX;
    for (size_t i = 0; i < count; i++)
        backup_put(step, &seen[i]);
    if (step_counter(step, COUNTER_BACKUPS) != count)
        step_counter_put(step, COUNTER_BACKUPS, count);
}

uint64_t instance_ensure(struct step *step)
{
    uint64_t instance = step_counter(step, COUNTER_INSTANCE);
    if (instance != 0 || step_failed(step))
        return instance;
    /* Numbers on the wire are no larger than what every reader of JSON can hold. */
    instance = (get_u64(step->command->entropy) >> 11) | 1;
    step_counter_put(step, COUNTER_INSTANCE, instance);
    return instance;
}

struct slice instance_text(struct step *step, uint64_t instance)
{
    uint8_t bytes[INSTANCE_BYTES];
    char *text = step_take(step, 2 * sizeof bytes);
    if (text == NULL)
        return SLICE_OF("");
    put_u64(bytes, instance);
    hex_encode(text, bytes, sizeof bytes);
    return slice_make(text, 2 * sizeof bytes);
}

/* What the schedule wants and did not get is tried again before a day has gone by. */
void backup_job_ended(struct step *step, const struct job *job)
{
    if (job->scheduled && job->state == JOB_FAILED)
        upkeep_hurry(step, JOB_BACKUP, step->command->wall_ms + BACKUP_RETRY_MS);
}
