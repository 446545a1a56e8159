#include "core/verify.h"

#include "core/agent.h"
#include "core/box.h"
#include "core/deadline.h"
#include "core/fanout.h"

static void check_entry(struct verify *verify, enum letter_index index, uint64_t subject,
                        uint64_t number)
{
    struct number_key key;
    verify->letter_entries++;
    verify_holds(verify,
                 step_has(&verify->step, TABLE_LETTER_INDEX,
                          key_three(&key, index, subject, number)),
                 "a letter is in no index");
}

static void check_history(struct verify *verify, const struct letter *letter)
{
    struct number_key key;
    uint64_t number = 0;
    verify->letters++;
    verify_holds(verify,
                 step_get_number(&verify->step, TABLE_LETTER_ID,
                                 key_one(&key, letter->id), &number) &&
                     number == letter->number,
                 "a letter's id leads elsewhere");
    check_entry(verify, LETTER_OF_SENDER, letter_hash(letter->from), letter->number);
    if (slice_is_present(letter->to))
        check_entry(verify, LETTER_TO, letter_hash(letter->to), letter->number);
    if (letter->channel != 0)
        check_entry(verify, LETTER_IN_CHANNEL, letter->channel, letter->number);
    if (letter->parent != 0)
        check_entry(verify, LETTER_REPLY, letter->parent, letter->number);
}

static void letter_row(struct verify *verify, struct slice key, struct slice value)
{
    struct letter letter;
    struct step *step = &verify->step;
    if (!verify_key(verify, key, 1) ||
        !letter_unpack(step, key_number(step, key, 0), value, &letter))
        return;
    if (!letter_load(step, letter.number, &letter)) {
        verify_broken(verify, "a letter has no text");
        return;
    }
    bool kept = letter.number >= letter_first(step);
    uintptr_t users = (uintptr_t)map_get(verify->letter_users, key) + (kept ? 1 : 0);
    verify_holds(verify, users == letter.users, "a letter has another number of users");
    verify_holds(verify, letter.number <= letter_last(step),
                 "a letter's number was never given out");
    if (kept)
        check_history(verify, &letter);
}

static void letter_id_row(struct verify *verify, struct slice key, struct slice value)
{
    struct letter letter;
    uint64_t number = 0;
    (void)value;
    if (verify_key(verify, key, 1))
        verify_holds(verify,
                     step_get_number(&verify->step, TABLE_LETTER_ID, key, &number) &&
                         letter_head(&verify->step, number, &letter) &&
                         letter.id == key_number(&verify->step, key, 0),
                     "an id names another letter");
}

static void index_row(struct verify *verify, struct slice key, struct slice value)
{
    verify_mark(verify, value);
    verify_key(verify, key, 3);
}

static void check_due(struct verify *verify, const struct box *box)
{
    struct packed_key packed;
    verify_holds(verify, (box->due_ms != 0) == (box->count != 0),
                 "a mailbox keeps letters without end");
    if (box->due_ms == 0)
        return;
    struct buffer *key = packed_key_start(&packed);
    pack_u8(key, CLOCK_WALL);
    pack_i64(key, box->due_ms);
    pack_u8(key, DEADLINE_MAIL);
    pack_u64(key, box->number);
    verify_holds(verify, step_has(&verify->step, TABLE_DEADLINE, buffer_slice(key)),
                 "a mailbox has no deadline");
    verify->mail_deadlines++;
}

static void box_row(struct verify *verify, struct slice key, struct slice value)
{
    struct box box;
    struct step *step = &verify->step;
    uint64_t number = 0;
    if (!verify_key(verify, key, 1) ||
        !box_unpack(step, key_number(step, key, 0), value, &box))
        return;
    verify_holds(verify,
                 box.id.size <= AGENT_ID_BYTES_MAX &&
                     step_get_number(step, TABLE_BOX_ID, box.id, &number) &&
                     number == box.number,
                 "a mailbox's name leads elsewhere");
    verify_holds(verify, box.number <= step_counter(step, COUNTER_BOX_LAST),
                 "a mailbox's number was never given out");
    struct box_item item = { .sequence = 0 };
    uint32_t count = 0;
    while (count <= box.count && box_next(step, box.number, item.sequence + 1, &item))
        count++;
    verify_holds(verify, count == box.count && item.sequence <= box.last,
                 "a mailbox has another number of letters");
    verify->mails += box.count;
    check_due(verify, &box);
}

static void box_id_row(struct verify *verify, struct slice key, struct slice value)
{
    struct box box;
    (void)value;
    verify_holds(verify, box_find(&verify->step, key, &box) && slice_equal(box.id, key),
                 "a name leads to the mailbox of another");
}

static void mail_row(struct verify *verify, struct slice key, struct slice value)
{
    struct box_item item;
    struct step *step = &verify->step;
    (void)value;
    if (verify_key(verify, key, 2) &&
        box_next(step, key_number(step, key, 0), key_number(step, key, 1), &item))
        verify_letter_used(verify, item.letter);
}

static void fanout_row(struct verify *verify, struct slice key, struct slice value)
{
    uint64_t box;
    struct slice after;
    if (verify_key(verify, key, 1) && fanout_unpack(&verify->step, value, &box, &after))
        verify_letter_used(verify, key_number(&verify->step, key, 0));
}

void verify_letters(struct verify *verify)
{
    struct step *step = &verify->step;
    uint64_t mails = verify_walk(verify, TABLE_MAIL, mail_row);
    verify->fanout_deadlines = verify_walk(verify, TABLE_FANOUT, fanout_row) > 0 ? 1 : 0;
    uint64_t boxes = verify_walk(verify, TABLE_BOX, box_row);
    uint64_t names = verify_walk(verify, TABLE_BOX_ID, box_id_row);
    if (verify->text == NULL)
        verify_holds(verify,
                     mails == verify->mails && boxes == names &&
                         boxes == step_counter(step, COUNTER_BOX_LAST),
                     "the count of mailboxes or of their letters is wrong");
    verify_walk(verify, TABLE_LETTER, letter_row);
    uint64_t ids = verify_walk(verify, TABLE_LETTER_ID, letter_id_row);
    uint64_t entries = verify_walk(verify, TABLE_LETTER_INDEX, index_row);
    if (verify->text != NULL)
        return;
    uint64_t last = letter_last(step);
    uint64_t first = letter_first(step);
    verify_holds(verify,
                 ids == verify->letters && entries == verify->letter_entries &&
                     verify->letters == (first > last ? 0 : last - first + 1),
                 "the history of messages has a gap, or an index more than it");
    verify_holds(verify, (last == 0) == (step_counter(step, COUNTER_LETTER_FIRST) == 0),
                 "the history of messages has no beginning");
    verify_holds(verify, step_counter(step, COUNTER_MAIL_TTL_MS) <= INT64_MAX,
                 "mail is kept for less than no time");
}
