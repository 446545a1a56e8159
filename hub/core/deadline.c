#include "core/deadline.h"

enum {
    DEADLINE_SUBJECT_BYTES_MAX = 64,
};

static struct slice deadline_key(struct step *step, struct packed_key *packed,
                                 enum deadline_clock clock, int64_t due_ms,
                                 enum deadline_kind kind, struct slice subject)
{
    if (subject.size > DEADLINE_SUBJECT_BYTES_MAX)
        step_fail(step, ERR_LIMIT);
    struct buffer *key = packed_key_start(packed);
    pack_u8(key, (uint8_t)clock);
    pack_i64(key, due_ms);
    pack_u8(key, (uint8_t)kind);
    buffer_append_slice(key, subject);
    return packed_slice(step, key);
}

void deadline_add(struct step *step, enum deadline_clock clock, int64_t due_ms,
                  enum deadline_kind kind, struct slice subject)
{
    struct packed_key key;
    step_put_mark(step, TABLE_DEADLINE,
                  deadline_key(step, &key, clock, due_ms, kind, subject));
}

void deadline_remove(struct step *step, enum deadline_clock clock, int64_t due_ms,
                     enum deadline_kind kind, struct slice subject)
{
    struct packed_key key;
    step_remove(step, TABLE_DEADLINE,
                deadline_key(step, &key, clock, due_ms, kind, subject));
}

void deadline_add_number(struct step *step, enum deadline_clock clock, int64_t due_ms,
                         enum deadline_kind kind, uint64_t number)
{
    struct number_key subject;
    deadline_add(step, clock, due_ms, kind, key_one(&subject, number));
}

void deadline_remove_number(struct step *step, enum deadline_clock clock, int64_t due_ms,
                            enum deadline_kind kind, uint64_t number)
{
    struct number_key subject;
    deadline_remove(step, clock, due_ms, kind, key_one(&subject, number));
}

bool deadline_has(struct step *step, enum deadline_clock clock, int64_t due_ms,
                  enum deadline_kind kind, struct slice subject)
{
    struct packed_key key;
    return step_has(step, TABLE_DEADLINE,
                    deadline_key(step, &key, clock, due_ms, kind, subject));
}

bool deadline_first(struct step *step, enum deadline_clock clock,
                    struct deadline *ret_deadline)
{
    struct slice key;
    struct slice unused;
    uint8_t start = (uint8_t)clock;
    if (!step_first_from(step, TABLE_DEADLINE, slice_make(&start, 1), &key, &unused))
        return false;

    struct unpack unpack = unpack_start(key);
    if (unpack_u8(&unpack) != start)
        return false;
    ret_deadline->clock = clock;
    ret_deadline->due_ms = unpack_i64(&unpack);
    ret_deadline->kind = (enum deadline_kind)unpack_u8(&unpack);
    if (unpack.failed || unpack.rest.size > DEADLINE_SUBJECT_BYTES_MAX) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    ret_deadline->subject = step_copy(step, unpack.rest);
    return !step_failed(step);
}
