#include "core/letter.h"

#include "base/hash.h"
#include "core/blob.h"

enum {
    LETTER_VERSION = 1,
    TEXT_VERSION = 1,
    ID_BYTES = 8,
    FORGOTTEN_PER_COMMAND = 16, /* a history made smaller shrinks letter by letter */
    VIEW_BYTES = 200,           /* names, numbers and punctuation */
};

/* Fixed: the same row on every machine. The text is compared as well. */
static const struct siphash_key HASH = { { 0x64726f7665722d6c, 0x6574746572000001 } };

uint64_t letter_hash(struct slice id)
{
    return siphash(HASH, id);
}

uint64_t letter_first(struct step *step)
{
    uint64_t first = step_counter(step, COUNTER_LETTER_FIRST);
    return first == 0 ? 1 : first;
}

uint64_t letter_last(struct step *step)
{
    return step_counter(step, COUNTER_LETTER_LAST);
}

static void head_put(struct step *step, const struct letter *letter)
{
    struct packed packed;
    struct number_key key;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, LETTER_VERSION);
    pack_u64(row, letter->id);
    pack_i64(row, letter->wall_ms);
    pack_i64(row, letter->ordered_ms);
    pack_u32(row, letter->users);
    pack_u64(row, letter->parent);
    pack_u64(row, letter->channel);
    pack_u64(row, letter->channel_sequence);
    step_put(step, TABLE_LETTER, key_one(&key, letter->number), packed_slice(step, row));
}

bool letter_unpack(struct step *step, uint64_t number, struct slice value,
                   struct letter *ret_letter)
{
    struct letter letter = { .number = number };
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    letter.id = unpack_u64(&row);
    letter.wall_ms = unpack_i64(&row);
    letter.ordered_ms = unpack_i64(&row);
    letter.users = unpack_u32(&row);
    letter.parent = unpack_u64(&row);
    letter.channel = unpack_u64(&row);
    letter.channel_sequence = unpack_u64(&row);
    if (version != LETTER_VERSION || !unpack_done(&row) || letter.users == 0 ||
        letter.parent >= number) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_letter = letter;
    return true;
}

bool letter_head(struct step *step, uint64_t number, struct letter *ret_letter)
{
    struct number_key key;
    struct slice value;
    return step_get(step, TABLE_LETTER, key_one(&key, number), &value) &&
           letter_unpack(step, number, value, ret_letter);
}

static void text_put(struct step *step, const struct letter *letter)
{
    const struct slice texts[] = {
        letter->from,     letter->to,           letter->type,
        letter->reply_to, letter->channel_name, letter->payload
    };
    const size_t count = sizeof texts / sizeof texts[0];
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += sizeof(uint32_t) + texts[i].size;
    char *bytes = step_take(step, size);
    if (bytes == NULL)
        return;
    struct buffer row = { .data = bytes, .room = size, .bytes_max = size };
    pack_u8(&row, TEXT_VERSION);
    for (size_t i = 0; i < count; i++)
        pack_slice(&row, texts[i]);
    blob_put(step, letter->number, BLOB_LETTER, packed_slice(step, &row));
}

bool letter_load(struct step *step, uint64_t number, struct letter *ret_letter)
{
    struct letter letter;
    if (!letter_head(step, number, &letter))
        return false;
    struct unpack row = unpack_start(blob_get(step, number, BLOB_LETTER));
    uint8_t version = unpack_u8(&row);
    letter.from = unpack_slice(&row);
    letter.to = unpack_slice(&row);
    letter.type = unpack_slice(&row);
    letter.reply_to = unpack_slice(&row);
    letter.channel_name = unpack_slice(&row);
    letter.payload = unpack_slice(&row);
    if (version != TEXT_VERSION || !unpack_done(&row)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_letter = letter;
    return !step_failed(step);
}

void letter_use(struct step *step, uint64_t number, uint32_t users)
{
    struct letter letter;
    if (users == 0)
        return;
    if (!letter_head(step, number, &letter)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    letter.users += users;
    head_put(step, &letter);
}

void letter_let_go(struct step *step, uint64_t number)
{
    struct letter letter;
    struct number_key key;
    if (!letter_head(step, number, &letter)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    letter.users--;
    if (letter.users > 0) {
        head_put(step, &letter);
        return;
    }
    step_remove(step, TABLE_LETTER, key_one(&key, number));
    blob_remove(step, number, BLOB_LETTER);
}

/* Puts the letter's entries of the history there, or takes them away. */
static void index_set(struct step *step, enum letter_index index, uint64_t subject,
                      uint64_t number, bool there)
{
    struct number_key key;
    struct slice entry = key_three(&key, index, subject, number);
    if (there)
        step_put_mark(step, TABLE_LETTER_INDEX, entry);
    else
        step_remove(step, TABLE_LETTER_INDEX, entry);
}

static void indexes_set(struct step *step, const struct letter *letter, bool there)
{
    struct number_key key;
    struct slice id = key_one(&key, letter->id);
    if (there)
        step_put_number(step, TABLE_LETTER_ID, id, letter->number);
    else
        step_remove(step, TABLE_LETTER_ID, id);
    index_set(step, LETTER_OF_SENDER, letter_hash(letter->from), letter->number, there);
    if (slice_is_present(letter->to))
        index_set(step, LETTER_TO, letter_hash(letter->to), letter->number, there);
    if (letter->channel != 0)
        index_set(step, LETTER_IN_CHANNEL, letter->channel, letter->number, there);
    if (letter->parent != 0)
        index_set(step, LETTER_REPLY, letter->parent, letter->number, there);
}

static void history_trim(struct step *step)
{
    struct letter letter;
    uint64_t first = letter_first(step);
    uint64_t last = letter_last(step);
    for (int i = 0; i < FORGOTTEN_PER_COMMAND && first <= last &&
                    last - first + 1 > step->settings->messages_max;
         i++) {
        if (!letter_load(step, first, &letter)) {
            step_fail(step, ERR_CORRUPT);
            return;
        }
        indexes_set(step, &letter, false);
        letter_let_go(step, first);
        first++;
    }
    step_counter_put(step, COUNTER_LETTER_FIRST, first);
}

/* An id nobody has; it is drawn, so twice the same is all but impossible. */
static uint64_t id_draw(struct step *step)
{
    struct number_key key;
    uint64_t id = 0;
    do {
        struct slice text = step_message_id(step);
        uint8_t bytes[ID_BYTES];
        if (step_failed(step) || !hex_decode(bytes, sizeof bytes, text))
            return 0;
        id = get_u64(bytes);
    } while (step_has(step, TABLE_LETTER_ID, key_one(&key, id)));
    return id;
}

void letter_store(struct step *step, struct letter *letter)
{
    struct letter before;
    uint64_t last = letter_last(step);
    struct number_key key;
    if (letter->id == 0 || step_has(step, TABLE_LETTER_ID, key_one(&key, letter->id)))
        letter->id = id_draw(step);
    letter->wall_ms = step->command->wall_ms;
    letter->ordered_ms = letter->wall_ms;
    if (letter_head(step, last, &before) && before.ordered_ms > letter->ordered_ms)
        letter->ordered_ms = before.ordered_ms;
    letter->number = last + 1;
    letter->users = 1;
    letter->parent = 0;
    if (slice_is_present(letter->reply_to))
        letter_find(step, letter->reply_to, &letter->parent);
    step_counter_put(step, COUNTER_LETTER_LAST, letter->number);
    head_put(step, letter);
    text_put(step, letter);
    indexes_set(step, letter, true);
    history_trim(step);
}

bool letter_find(struct step *step, struct slice id, uint64_t *ret_number)
{
    uint8_t bytes[ID_BYTES];
    return hex_decode(bytes, sizeof bytes, id) &&
           step_get_number(step, TABLE_LETTER_ID, slice_make(bytes, sizeof bytes),
                           ret_number);
}

struct slice letter_id(struct step *step, const struct letter *letter)
{
    uint8_t bytes[ID_BYTES];
    put_u64(bytes, letter->id);
    char *text = step_take(step, (size_t)2 * ID_BYTES + 1);
    if (text == NULL)
        return SLICE_OF("");
    hex_encode(text, bytes, sizeof bytes);
    return slice_make(text, (size_t)2 * ID_BYTES);
}

bool letter_indexed(struct step *step, enum letter_index index, uint64_t subject,
                    uint64_t from, uint64_t *ret_number)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    if (!step_first_from(step, TABLE_LETTER_INDEX,
                         key_three(&start, index, subject, from), &key, &unused) ||
        key_number(step, key, 0) != index || key_number(step, key, 1) != subject)
        return false;
    *ret_number = key_number(step, key, 2);
    return !step_failed(step);
}

void letter_view(struct step *step, const struct letter *letter,
                 struct message_stored_message *ret_view)
{
    *ret_view = (struct message_stored_message){
        .id = letter_id(step, letter),
        .from = letter->from,
        .to = letter->to,
        .type = letter->type,
        .payload = letter->payload,
        .reply_to = letter->reply_to,
        .timestamp = letter->wall_ms,
        .channel = letter->channel_name,
    };
}

size_t letter_bytes(const struct letter *letter)
{
    return VIEW_BYTES + letter->from.size + letter->to.size + letter->type.size +
           letter->reply_to.size + letter->channel_name.size + letter->payload.size;
}
