#include "core/event_log.h"

#include "base/ensure.h"
#include "message/pack.h"

#include <string.h>

enum {
    ROW_VERSION = 1,
    FLAG_CUT = 1,
    BASE_VERSION = 1,
    LINK_BYTES = DIGEST_BYTES + 8, /* what a digest begins with: the last one, a number */
};

static const uint64_t BASE_KEY = 2; /* of TABLE_PLACE */

/* How much of each text is tried in turn until all fits into one row. */
static const uint32_t TEXT_BYTES[] = { 1024, 256, 64, 0 };

struct event_row {
    struct buffer buffer;
    char bytes[LINK_BYTES + TRANSACTION_VALUE_BYTES_MAX];
};

void event_base_load(struct step *step, struct event_base *ret_base)
{
    struct number_key key;
    struct slice value;
    *ret_base = (struct event_base){ 0 };
    if (!step_get(step, TABLE_PLACE, key_one(&key, BASE_KEY), &value))
        return;
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    ret_base->sequence = unpack_u64(&row);
    ret_base->epoch = unpack_u64(&row);
    ret_base->sweep_due_ms = unpack_i64(&row);
    struct slice hash = unpack_bytes(&row, DIGEST_BYTES);
    if (version != BASE_VERSION || !unpack_done(&row))
        step_fail(step, ERR_CORRUPT);
    else
        memcpy(ret_base->hash, hash.data, DIGEST_BYTES);
}

void event_base_save(struct step *step, const struct event_base *base)
{
    struct number_key key;
    struct packed packed;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, BASE_VERSION);
    pack_u64(row, base->sequence);
    pack_u64(row, base->epoch);
    pack_i64(row, base->sweep_due_ms);
    buffer_append(row, base->hash, DIGEST_BYTES);
    step_put(step, TABLE_PLACE, key_one(&key, BASE_KEY), packed_slice(step, row));
}

bool event_row_split(struct slice value, uint8_t ret_hash[DIGEST_BYTES],
                     struct slice *ret_record)
{
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    struct slice hash = unpack_bytes(&row, DIGEST_BYTES);
    if (row.failed || version != ROW_VERSION)
        return false;
    memcpy(ret_hash, hash.data, DIGEST_BYTES);
    *ret_record = row.rest;
    return true;
}

void event_hash(event_digest *digest, const uint8_t before[DIGEST_BYTES],
                uint64_t sequence, struct slice record, uint8_t ret_hash[DIGEST_BYTES])
{
    uint8_t bytes[LINK_BYTES + TRANSACTION_VALUE_BYTES_MAX];
    ENSURE(record.size <= TRANSACTION_VALUE_BYTES_MAX);
    memcpy(bytes, before, DIGEST_BYTES);
    put_u64(bytes + DIGEST_BYTES, sequence);
    memcpy(bytes + LINK_BYTES, record.data, record.size);
    digest(slice_make(bytes, LINK_BYTES + record.size), ret_hash);
}

/* The end of the log, read once in each step that adds to it. */
static void tail_load(struct step *step)
{
    struct event_tail *tail = &step->event_tail;
    struct slice key;
    struct slice value;
    struct slice record;
    if (tail->known || step_failed(step))
        return;

    struct core_place place;
    enum err err = core_place_read(step->transaction, &place);
    if (err != ERR_OK)
        step_fail(step, err);
    *tail = (struct event_tail){ .known = true, .epoch = place.epoch };
    if (step_last_before(step, TABLE_EVENT, (struct slice){ NULL, 0 }, &key, &value)) {
        tail->last = key_number(step, key, 0);
        if (!event_row_split(value, tail->hash, &record))
            step_fail(step, ERR_CORRUPT);
        return;
    }
    struct event_base base;
    event_base_load(step, &base);
    tail->last = base.sequence;
    memcpy(tail->hash, base.hash, DIGEST_BYTES);
}

static void record_pack(const struct step *step, const struct message *event,
                        uint32_t text_bytes_max, struct buffer *row)
{
    const struct command *command = step->command;
    const struct message_row *of = &MESSAGE_ROWS[event->type];
    bool cut;
    size_t flags_at = row->size;
    pack_u8(row, 0);
    pack_u64(row, step->event_tail.epoch);
    pack_i64(row, command->wall_ms);
    pack_u32(row, command->role);
    pack_slice(row, command->actor);
    pack_slice(row, command->address);
    pack_slice(row, of->name);
    message_pack(of->table, &event->as, text_bytes_max, row, &cut);
    if (cut && !buffer_failed(row))
        row->data[flags_at] = FLAG_CUT;
}

/* The row up to its record, with the digest's input in front of that: both share it. */
static void row_pack(struct step *step, const struct message *event,
                     struct event_row *row)
{
    for (size_t i = 0; i < sizeof TEXT_BYTES / sizeof TEXT_BYTES[0]; i++) {
        row->buffer = (struct buffer){
            .data = row->bytes,
            .room = sizeof row->bytes - 1, /* the version stands before the hash */
            .bytes_max = sizeof row->bytes - 1,
        };
        buffer_append(&row->buffer, step->event_tail.hash, DIGEST_BYTES);
        pack_u64(&row->buffer, step->event_tail.last + 1);
        record_pack(step, event, TEXT_BYTES[i], &row->buffer);
        if (!buffer_failed(&row->buffer) &&
            row->buffer.size <=
                LINK_BYTES + TRANSACTION_VALUE_BYTES_MAX - DIGEST_BYTES - 1)
            return;
    }
    step_fail(step, ERR_LIMIT);
}

static bool class_is_kept(const struct step *step, enum event_class class)
{
    return class == EVENT_CLASS_AUDIT ||
           (step->settings->event_classes & (1u << (unsigned)class)) != 0;
}

void event_add(struct step *step, const struct message *event)
{
    const struct message_row *of = &MESSAGE_ROWS[event->type];
    struct event_tail *tail = &step->event_tail;
    struct event_row row;
    ENSURE(of->direction == DIRECTION_EVENT);
    if (!class_is_kept(step, of->event_class))
        return;
    tail_load(step);
    if (!step_failed(step))
        row_pack(step, event, &row);
    if (step_failed(step))
        return;

    /* The record stays where it is: the hash goes over the number before it, the version
     * before the hash. */
    struct number_key key;
    step->settings->digest(slice_make(row.bytes, row.buffer.size), tail->hash);
    char *start = row.bytes + LINK_BYTES - DIGEST_BYTES - 1;
    start[0] = ROW_VERSION;
    memcpy(start + 1, tail->hash, DIGEST_BYTES);
    tail->last++;
    tail->audits += of->event_class == EVENT_CLASS_AUDIT;
    step_put(step, TABLE_EVENT, key_one(&key, tail->last),
             slice_make(start, row.buffer.size - (size_t)(start - row.bytes)));
    step->effects->event_last = tail->last;
    event_crowd(step);
}

static bool record_unpack(struct step *step, struct slice record, struct event *event)
{
    struct unpack unpack = unpack_start(record);
    uint8_t flags = unpack_u8(&unpack);
    event->cut = flags == FLAG_CUT;
    event->epoch = unpack_u64(&unpack);
    event->wall_ms = unpack_i64(&unpack);
    event->role = unpack_u32(&unpack);
    event->actor = unpack_slice(&unpack);
    event->address = unpack_slice(&unpack);
    const struct message_row *of =
        message_row_find(DIRECTION_EVENT, unpack_slice(&unpack));
    if (unpack.failed || of == NULL || flags > FLAG_CUT)
        return false;
    event->message.type = (enum message_type)(of - MESSAGE_ROWS);
    return message_unpack(of->table, &unpack, step->effects->arena, &event->message.as) &&
           unpack_done(&unpack);
}

bool event_unpack(struct step *step, uint64_t sequence, struct slice value,
                  struct event *ret_event)
{
    struct slice record;
    struct event event = { .sequence = sequence };
    struct slice copy = step_copy(step, value);
    if (step_failed(step))
        return false;
    if (!event_row_split(copy, event.hash, &record) ||
        !record_unpack(step, record, &event)) {
        step_fail(step, arena_failed(step->effects->arena) ? ERR_MEMORY : ERR_CORRUPT);
        return false;
    }
    *ret_event = event;
    return true;
}

bool event_load(struct step *step, uint64_t sequence, struct event *ret_event)
{
    struct number_key key;
    struct slice value;
    return step_get(step, TABLE_EVENT, key_one(&key, sequence), &value) &&
           event_unpack(step, sequence, value, ret_event);
}

bool event_head_load(struct step *step, uint64_t sequence, struct event_head *ret_head)
{
    struct number_key key;
    struct slice value;
    struct slice record = SLICE_OF("");
    if (!step_get(step, TABLE_EVENT, key_one(&key, sequence), &value))
        return false;
    bool whole = event_row_split(value, ret_head->hash, &record);
    struct unpack unpack = unpack_start(record);
    unpack_u8(&unpack);
    ret_head->epoch = unpack_u64(&unpack);
    ret_head->wall_ms = unpack_i64(&unpack);
    if (!whole || unpack.failed)
        step_fail(step, ERR_CORRUPT);
    return !step_failed(step);
}

void event_span_load(struct step *step, struct event_span *ret_span)
{
    struct event_base base;
    *ret_span = (struct event_span){ 0 };
    event_base_load(step, &base);
    tail_load(step);
    if (step_failed(step))
        return;
    *ret_span = (struct event_span){
        .before = base.sequence,
        .before_epoch = base.epoch,
        .last = step->event_tail.last,
        .epoch = step->event_tail.epoch,
    };
}
