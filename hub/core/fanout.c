#include "core/fanout.h"

#include "core/activity.h"
#include "core/box.h"
#include "core/channel.h"
#include "core/deadline.h"
#include "core/token.h"

enum {
    FANOUT_VERSION = 1,
    FANOUT_BYTES_MAX = 1 << 20, /* put on sockets by one command */
    FANOUT_SUBJECT = 0,
};

struct fanout {
    struct letter letter;
    struct slice after;     /* a broadcast: the last name given to */
    uint64_t box;           /* a channel: the last mailbox given to */
    bool inside;            /* in the command that said it */
    uint32_t boxes;         /* mailboxes it was put into */
    struct message message; /* of a channel, as it goes to sockets */
};

bool fanout_is_spent(const struct step *step)
{
    return step->fanouts >= step->settings->fanout_max ||
           step->fanout_bytes >= FANOUT_BYTES_MAX;
}

static void fanout_save(struct step *step, const struct fanout *fanout)
{
    struct packed packed;
    struct number_key key;
    struct buffer *row = packed_start(&packed);
    pack_u8(row, FANOUT_VERSION);
    pack_u64(row, fanout->box);
    pack_slice(row, fanout->after);
    step_put(step, TABLE_FANOUT, key_one(&key, fanout->letter.number),
             packed_slice(step, row));
}

bool fanout_unpack(struct step *step, struct slice value, uint64_t *ret_box,
                   struct slice *ret_after)
{
    struct unpack row = unpack_start(value);
    uint8_t version = unpack_u8(&row);
    *ret_box = unpack_u64(&row);
    *ret_after = unpack_slice(&row);
    if (version != FANOUT_VERSION || !unpack_done(&row) ||
        ret_after->size > AGENT_ID_BYTES_MAX) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return true;
}

/* The oldest that waits; false when none does. */
static bool fanout_load(struct step *step, struct fanout *ret_fanout)
{
    struct number_key start;
    struct slice key;
    struct slice value;
    if (!step_first_from(step, TABLE_FANOUT, key_one(&start, 0), &key, &value))
        return false;
    struct fanout fanout = { .inside = false };
    uint64_t number = key_number(step, key, 0);
    if (!fanout_unpack(step, value, &fanout.box, &fanout.after))
        return false;
    fanout.after = step_copy(step, fanout.after);
    if (!letter_load(step, number, &fanout.letter)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    *ret_fanout = fanout;
    return true;
}

static void put_into_box(struct step *step, struct fanout *fanout, struct box *box)
{
    box_add(step, box, fanout->letter.number);
    activity_received(step, box->id);
    fanout->boxes++;
}

/* Whoever was connected when it was said has heard it. When in doubt it is kept. */
static bool has_heard(struct step *step, const struct fanout *fanout, struct slice id)
{
    struct agent agent;
    if (!agent_load_id(step, id, &agent))
        return false;
    if (fanout->inside)
        return agent.link != 0;
    return agent.connected_ms < fanout->letter.wall_ms &&
           (agent.link != 0 || agent.changed_ms > fanout->letter.wall_ms);
}

static bool broadcast_next(struct step *step, struct fanout *fanout)
{
    struct box box;
    struct slice id;
    if (!token_next_owner(step, fanout->after, &id))
        return false;
    fanout->after = id;
    step->fanouts++;
    /* Past mailboxes_max there is no place for those who never had one. */
    if (!slice_equal(id, fanout->letter.from) && !has_heard(step, fanout, id) &&
        box_open(step, id, &box))
        put_into_box(step, fanout, &box);
    return true;
}

static bool channel_next(struct step *step, struct fanout *fanout)
{
    struct agent agent;
    struct channel_member member;
    if (!channel_member_next(step, fanout->letter.channel, fanout->box, &member))
        return false;
    fanout->box = member.box.number;
    step->fanouts++;
    if (member.since >= fanout->letter.channel_sequence ||
        slice_equal(member.box.id, fanout->letter.from))
        return true;
    if (agent_load_id(step, member.box.id, &agent) && agent.link != 0) {
        step->fanout_bytes += letter_bytes(&fanout->letter);
        step_send(step, agent.link, &fanout->message);
        activity_received(step, member.box.id);
    } else {
        put_into_box(step, fanout, &member.box);
    }
    return true;
}

/* Gives the letter to as many as may be; true when that was all. */
static bool fanout_run(struct step *step, struct fanout *fanout)
{
    bool more = true;
    if (fanout->letter.channel != 0)
        channel_message(step, &fanout->letter, &fanout->message);
    while (more && !step_failed(step) && !fanout_is_spent(step))
        more = fanout->letter.channel != 0 ? channel_next(step, fanout)
                                           : broadcast_next(step, fanout);
    letter_use(step, fanout->letter.number, fanout->boxes);
    return !more;
}

static void fanout_wake(struct step *step)
{
    deadline_add_number(step, CLOCK_FLEET, step->command->now_ms, DEADLINE_FANOUT,
                        FANOUT_SUBJECT);
}

void fanout_start(struct step *step, const struct letter *letter)
{
    struct number_key start;
    struct slice key;
    struct slice unused;
    struct fanout fanout = { .letter = *letter, .inside = true };
    bool others_wait =
        step_first_from(step, TABLE_FANOUT, key_one(&start, 0), &key, &unused);
    if (!others_wait && fanout_run(step, &fanout))
        return;
    letter_use(step, letter->number, 1);
    fanout_save(step, &fanout);
    if (!others_wait)
        fanout_wake(step);
}

void fanout_go_on(struct step *step)
{
    struct number_key key;
    struct slice found;
    struct slice unused;
    struct fanout fanout;
    if (!fanout_load(step, &fanout)) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    if (fanout_run(step, &fanout)) {
        step_remove(step, TABLE_FANOUT, key_one(&key, fanout.letter.number));
        letter_let_go(step, fanout.letter.number);
    } else {
        fanout_save(step, &fanout);
    }
    if (step_first_from(step, TABLE_FANOUT, key_one(&key, 0), &found, &unused))
        fanout_wake(step);
}
