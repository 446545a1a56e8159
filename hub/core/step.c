#include "core/step.h"

#include "base/hash.h"

#include <string.h>

enum {
    ROW_VERSION = 1,
    ID_BYTES = 8,
};

void step_fail(struct step *step, enum err err)
{
    if (step->err == ERR_OK)
        step->err = err;
}

/* True when the row is there. */
static bool step_found(struct step *step, enum err err)
{
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        step_fail(step, err);
    return err == ERR_OK;
}

bool step_get(struct step *step, enum table table, struct slice key,
              struct slice *ret_value)
{
    return !step_failed(step) &&
           step_found(step, transaction_get(step->transaction, table, key, ret_value));
}

bool step_has(struct step *step, enum table table, struct slice key)
{
    struct slice unused;
    return step_get(step, table, key, &unused);
}

void step_put(struct step *step, enum table table, struct slice key, struct slice value)
{
    if (step_failed(step))
        return;
    if (key.size == 0 || key.size > TRANSACTION_KEY_BYTES_MAX ||
        value.size > TRANSACTION_VALUE_BYTES_MAX) {
        step_fail(step, ERR_LIMIT);
        return;
    }
    step->changes++;
    enum err err = transaction_put(step->transaction, table, key, value);
    if (err != ERR_OK)
        step_fail(step, err);
}

void step_remove(struct step *step, enum table table, struct slice key)
{
    if (step_failed(step))
        return;
    step->changes++;
    enum err err = transaction_remove(step->transaction, table, key);
    if (err != ERR_OK)
        step_fail(step, err == ERR_NOT_FOUND ? ERR_CORRUPT : err);
}

bool step_first_from(struct step *step, enum table table, struct slice key,
                     struct slice *ret_key, struct slice *ret_value)
{
    return !step_failed(step) &&
           step_found(step, transaction_first_from(step->transaction, table, key, ret_key,
                                                   ret_value));
}

bool step_last_before(struct step *step, enum table table, struct slice key,
                      struct slice *ret_key, struct slice *ret_value)
{
    return !step_failed(step) &&
           step_found(step, transaction_last_before(step->transaction, table, key,
                                                    ret_key, ret_value));
}

void step_put_mark(struct step *step, enum table table, struct slice key)
{
    step_put(step, table, key, SLICE_OF("\x01"));
}

void step_put_number(struct step *step, enum table table, struct slice key,
                     uint64_t number)
{
    struct packed packed;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, ROW_VERSION);
    pack_u64(row, number);
    step_put(step, table, key, packed_slice(step, row));
}

bool step_get_number(struct step *step, enum table table, struct slice key,
                     uint64_t *ret_number)
{
    struct slice value;
    if (!step_get(step, table, key, &value))
        return false;
    struct unpack unpack = unpack_start(value);
    uint8_t version = unpack_u8(&unpack);
    uint64_t number = unpack_u64(&unpack);
    if (version != ROW_VERSION || !unpack_done(&unpack)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_number = number;
    return true;
}

uint64_t step_counter(struct step *step, enum counter counter)
{
    struct number_key key;
    uint64_t number = 0;
    step_get_number(step, TABLE_COUNTER, key_one(&key, counter), &number);
    return number;
}

void step_counter_put(struct step *step, enum counter counter, uint64_t number)
{
    struct number_key key;
    step_put_number(step, TABLE_COUNTER, key_one(&key, counter), number);
}

void step_counter_move(struct step *step, enum counter counter, int by)
{
    uint64_t number = step_counter(step, counter);
    if (by < 0 && number < (uint64_t)-by) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    step_counter_put(step, counter, number + (uint64_t)by);
}

void *step_take(struct step *step, size_t bytes)
{
    return step_take_many(step, 1, bytes);
}

void *step_take_many(struct step *step, size_t count, size_t bytes)
{
    /* Never of no size: NULL is kept for failure. */
    void *taken = arena_take_many(step->effects->arena, count == 0 ? 1 : count, bytes);
    if (taken == NULL)
        step_fail(step, ERR_MEMORY);
    return taken;
}

struct slice step_copy(struct step *step, struct slice slice)
{
    struct slice copy = arena_copy(step->effects->arena, slice);
    if (slice_is_present(slice) && !slice_is_present(copy))
        step_fail(step, ERR_MEMORY);
    return copy;
}

struct buffer *packed_start(struct packed *packed)
{
    packed->buffer = (struct buffer){ .data = packed->bytes,
                                      .room = sizeof packed->bytes,
                                      .bytes_max = sizeof packed->bytes };
    return &packed->buffer;
}

struct buffer *packed_key_start(struct packed_key *packed)
{
    packed->buffer = (struct buffer){ .data = packed->bytes,
                                      .room = sizeof packed->bytes,
                                      .bytes_max = sizeof packed->bytes };
    return &packed->buffer;
}

struct slice packed_slice(struct step *step, const struct buffer *buffer)
{
    if (buffer_failed(buffer))
        step_fail(step, ERR_LIMIT);
    return buffer_slice(buffer);
}

struct slice key_one(struct number_key *key, uint64_t first)
{
    put_u64(key->bytes, first);
    return slice_make(key->bytes, 8);
}

struct slice key_two(struct number_key *key, uint64_t first, uint64_t second)
{
    key_one(key, first);
    put_u64(key->bytes + 8, second);
    return slice_make(key->bytes, 16);
}

struct slice key_three(struct number_key *key, uint64_t first, uint64_t second,
                       uint64_t third)
{
    key_two(key, first, second);
    put_u64(key->bytes + 16, third);
    return slice_make(key->bytes, 24);
}

uint64_t key_number(struct step *step, struct slice key, unsigned index)
{
    if (key.size < 8 * ((size_t)index + 1)) {
        step_fail(step, ERR_CORRUPT);
        return 0;
    }
    return get_u64((const uint8_t *)key.data + 8 * (size_t)index);
}

static struct effect *step_effect(struct step *step, enum effect_kind kind)
{
    if (step_failed(step))
        return NULL;
    struct effect *effect = effects_add(step->effects, kind);
    if (effect == NULL)
        step_fail(step, ERR_MEMORY);
    return effect;
}

void step_send(struct step *step, uint64_t link, const struct message *message)
{
    struct effect *effect = link == 0 ? NULL : step_effect(step, EFFECT_SEND);
    if (effect == NULL)
        return;
    effect->link = link;
    effect->message = *message;
}

void step_broadcast(struct step *step, uint64_t except, const struct message *message)
{
    struct effect *effect = step_effect(step, EFFECT_BROADCAST);
    if (effect == NULL)
        return;
    effect->link = except;
    effect->message = *message;
}

void step_answer_to(struct step *step, uint64_t link, uint64_t request,
                    const struct message *message, uint16_t status)
{
    struct effect *effect = link == 0 ? NULL : step_effect(step, EFFECT_ANSWER);
    if (effect == NULL)
        return;
    effect->link = link;
    effect->request = request;
    effect->status = status;
    effect->message = *message;
}

void step_answer(struct step *step, const struct message *message, uint16_t status)
{
    if (!step_is_http(step)) {
        step_send(step, step->command->origin.link, message);
        return;
    }
    const struct origin *origin = &step->command->origin;
    step_answer_to(step, origin->link, origin->request, message, status);
}

void step_answer_tag(struct step *step, uint64_t tag)
{
    struct effect *last = step->effects->last;
    if (last != NULL && last->kind == EFFECT_ANSWER)
        last->tag = tag;
}

void step_publish(struct step *step, const struct message *message)
{
    struct effect *effect = step_effect(step, EFFECT_PUBLISH);
    if (effect != NULL)
        effect->message = *message;
}

void step_subscribe(struct step *step, uint64_t link, bool on)
{
    struct effect *effect = step_effect(step, on ? EFFECT_SUBSCRIBE : EFFECT_UNSUBSCRIBE);
    if (effect != NULL)
        effect->link = link;
}

uint64_t step_epoch(struct step *step)
{
    struct core_place place = { 0 };
    enum err err = core_place_read(step->transaction, &place);
    if (err != ERR_OK)
        step_fail(step, err);
    return place.epoch;
}

void step_give_events(struct step *step, const struct message *message, struct slice name,
                      uint64_t epoch, uint64_t last, bool more)
{
    struct effect *effect = step_effect(step, EFFECT_EVENTS);
    if (effect == NULL)
        return;
    effect->link = step->command->origin.link;
    effect->request = step->command->origin.request;
    effect->reason = name;
    effect->event_epoch = epoch;
    effect->event_last = last;
    effect->more = more;
    if (message != NULL)
        effect->message = *message;
}

void step_bind(struct step *step, uint64_t link)
{
    struct effect *effect = step_effect(step, EFFECT_BIND);
    if (effect == NULL)
        return;
    effect->link = link;
    effect->actor = step->command->actor;
    effect->role = step->command->role;
}

void step_close(struct step *step, uint64_t link, enum close_reason reason)
{
    struct effect *effect = link == 0 ? NULL : step_effect(step, EFFECT_CLOSE);
    if (effect == NULL)
        return;
    effect->link = link;
    effect->code = CLOSE_ROWS[reason].code;
    effect->reason = CLOSE_ROWS[reason].name;
}

struct slice step_message_id(struct step *step)
{
    const uint8_t *entropy = step->command->entropy;
    struct siphash_key key = { { get_u64(entropy), get_u64(entropy + ID_BYTES) } };
    uint8_t count[ID_BYTES];
    put_u64(count, step->message_id++);
    uint8_t id[ID_BYTES];
    put_u64(id, siphash(key, slice_make(count, sizeof count)));

    char *text = step_take(step, (size_t)2 * ID_BYTES + 1);
    if (text == NULL)
        return SLICE_OF("");
    hex_encode(text, id, sizeof id);
    return slice_make(text, (size_t)2 * ID_BYTES);
}

struct slice step_actor(const struct step *step)
{
    struct slice actor = step->command->actor;
    return slice_is_present(actor) ? actor : SLICE_OF("unknown");
}
