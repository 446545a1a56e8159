#include "core/box.h"

#include "core/agent.h"
#include "core/deadline.h"
#include "core/letter.h"

enum {
    BOX_VERSION = 1,
    MAIL_VERSION = 1,
    SWEPT_PER_COMMAND = 64,
    TAKEN_PER_COMMAND = 1000,
};

int64_t box_ttl_ms(struct step *step)
{
    uint64_t set_ms = step_counter(step, COUNTER_MAIL_TTL_MS);
    return set_ms != 0 ? (int64_t)set_ms : step->settings->mailbox_ttl_ms;
}

bool box_unpack(struct step *step, uint64_t number, struct slice value,
                struct box *ret_box)
{
    struct box box = { .number = number };
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    box.last = unpack_u64(&row);
    box.count = unpack_u32(&row);
    box.due_ms = unpack_i64(&row);
    box.id = step_copy(step, unpack_slice(&row));
    if (version != BOX_VERSION || !unpack_done(&row) || box.count > box.last ||
        box.id.size == 0) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_box = box;
    return !step_failed(step);
}

static void box_save(struct step *step, const struct box *box)
{
    struct packed packed;
    struct number_key key;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, BOX_VERSION);
    pack_u64(row, box->last);
    pack_u32(row, box->count);
    pack_i64(row, box->due_ms);
    pack_slice(row, box->id);
    step_put(step, TABLE_BOX, key_one(&key, box->number), packed_slice(step, row));
}

bool box_load(struct step *step, uint64_t number, struct box *ret_box)
{
    struct number_key key;
    struct slice value;
    return step_get(step, TABLE_BOX, key_one(&key, number), &value) &&
           box_unpack(step, number, value, ret_box);
}

bool box_find(struct step *step, struct slice id, struct box *ret_box)
{
    uint64_t number;
    if (id.size == 0 || id.size > AGENT_ID_BYTES_MAX ||
        !step_get_number(step, TABLE_BOX_ID, id, &number))
        return false;
    if (!box_load(step, number, ret_box)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return true;
}

bool box_open(struct step *step, struct slice id, struct box *ret_box)
{
    if (box_find(step, id, ret_box))
        return true;
    uint64_t last = step_counter(step, COUNTER_BOX_LAST);
    if (step_failed(step) || id.size == 0 || id.size > AGENT_ID_BYTES_MAX ||
        last >= step->settings->mailboxes_max)
        return false;
    step_counter_put(step, COUNTER_BOX_LAST, last + 1);
    step_put_number(step, TABLE_BOX_ID, id, last + 1);
    *ret_box = (struct box){ .number = last + 1, .id = id };
    box_save(step, ret_box);
    return !step_failed(step);
}

bool box_go_on_from(struct step *step, struct box *box, uint64_t sequence)
{
    if (sequence <= box->last)
        return false;
    box->last = sequence;
    box_save(step, box);
    return true;
}

bool box_next(struct step *step, uint64_t box, uint64_t from, struct box_item *ret_item)
{
    struct number_key start;
    struct slice key;
    struct slice value;
    if (!step_first_from(step, TABLE_MAIL, key_two(&start, box, from), &key, &value) ||
        key_number(step, key, 0) != box)
        return false;
    struct box_item item = { .sequence = key_number(step, key, 1) };
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    item.letter = unpack_u64(&row);
    item.stored_ms = unpack_i64(&row);
    if (version != MAIL_VERSION || !unpack_done(&row))
        step_fail(step, ERR_CORRUPT);
    *ret_item = item;
    return !step_failed(step);
}

static void take_out(struct step *step, struct box *box, const struct box_item *item)
{
    struct number_key key;
    if (box->count == 0) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    step_remove(step, TABLE_MAIL, key_two(&key, box->number, item->sequence));
    letter_let_go(step, item->letter);
    box->count--;
}

static void due_set(struct step *step, struct box *box, int64_t due_ms)
{
    if (box->due_ms == due_ms)
        return;
    if (box->due_ms != 0)
        deadline_remove_number(step, CLOCK_WALL, box->due_ms, DEADLINE_MAIL, box->number);
    box->due_ms = due_ms;
    if (due_ms != 0)
        deadline_add_number(step, CLOCK_WALL, due_ms, DEADLINE_MAIL, box->number);
}

/* A letter stays for its time to the millisecond. */
static int64_t gone_ms(struct step *step, const struct box_item *item)
{
    int64_t due_ms;
    if (__builtin_add_overflow(item->stored_ms, box_ttl_ms(step), &due_ms))
        return INT64_MAX;
    return due_ms == 0 ? 1 : due_ms;
}

/* The deadline moves only when the box runs empty or it fires: never per letter. */
void box_add(struct step *step, struct box *box, uint64_t letter)
{
    struct packed packed;
    struct number_key key;
    struct box_item item;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, MAIL_VERSION);
    pack_u64(row, letter);
    pack_i64(row, step->command->wall_ms);
    step_put(step, TABLE_MAIL, key_two(&key, box->number, box->last + 1),
             packed_slice(step, row));
    box->last++;
    box->count++;
    while (box->count > step->settings->mailbox_max &&
           box_next(step, box->number, 0, &item))
        take_out(step, box, &item);
    if (box->due_ms == 0 && box_next(step, box->number, 0, &item))
        due_set(step, box, gone_ms(step, &item));
    box_save(step, box);
}

void box_acknowledge(struct step *step, struct box *box, uint64_t sequence)
{
    struct box_item item;
    for (int i = 0; i < TAKEN_PER_COMMAND && box_next(step, box->number, 0, &item) &&
                    item.sequence <= sequence;
         i++)
        take_out(step, box, &item);
    if (box->count == 0)
        due_set(step, box, 0);
    box_save(step, box);
}

void box_evict(struct step *step, struct box *box)
{
    struct box_item item;
    int64_t next_ms = 0;
    for (int i = 0;
         i <= TAKEN_PER_COMMAND && next_ms == 0 && box_next(step, box->number, 0, &item);
         i++) {
        if (gone_ms(step, &item) > step->command->wall_ms || i == TAKEN_PER_COMMAND)
            next_ms = gone_ms(step, &item);
        else
            take_out(step, box, &item);
    }
    due_set(step, box, next_ms);
    box_save(step, box);
}

bool box_is_spent(const struct step *step)
{
    return step->boxes_swept >= SWEPT_PER_COMMAND;
}

void box_due(struct step *step, uint64_t number, int64_t due_ms)
{
    struct box box;
    if (!box_load(step, number, &box) || box.due_ms != due_ms) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    box.due_ms = 0;
    step->boxes_swept++;
    box_evict(step, &box);
}

void box_sweep(struct step *step, uint64_t number)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    struct box box;
    while (!box_is_spent(step)) {
        if (!step_first_from(step, TABLE_BOX, key_one(&start, number), &key, &unused))
            return;
        number = key_number(step, key, 0);
        if (!box_load(step, number, &box)) {
            step_fail(step, ERR_CORRUPT);
            return;
        }
        box_evict(step, &box);
        step->boxes_swept++;
        number++;
    }
    deadline_add_number(step, CLOCK_FLEET, step->command->now_ms, DEADLINE_MAIL_SWEEP,
                        number);
}

void box_read(struct step *step, uint64_t box, uint64_t since, size_t limit,
              size_t bytes_max, struct box_page *ret_page)
{
    struct box_page page = { .last = since };
    struct message_stored_message *views = step_take_many(step, limit, sizeof *views);
    struct box_item item;
    struct letter letter;
    size_t bytes = 0;
    while (views != NULL && page.last < UINT64_MAX &&
           box_next(step, box, page.last + 1, &item)) {
        if (page.messages.count == limit) {
            page.more = true;
            break;
        }
        if (!letter_load(step, item.letter, &letter)) {
            step_fail(step, ERR_CORRUPT);
            break;
        }
        bytes += letter_bytes(&letter);
        if (bytes > bytes_max && page.messages.count > 0) {
            page.more = true;
            break;
        }
        struct message_stored_message *view = &views[page.messages.count++];
        letter_view(step, &letter, view);
        view->has_seq = true;
        view->seq = (int64_t)item.sequence;
        page.last = item.sequence;
    }
    page.messages.items = views;
    *ret_page = page;
}
