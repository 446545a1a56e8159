#include "core/precondition.h"

#include "base/hash.h"
#include "base/pack.h"

enum { TAG_DIGITS = 16 };

/* A quoted tag; a weak one never stands for the bytes themselves. */
static bool is_tag(struct slice item, uint64_t tag, bool weak_too)
{
    char digits[TAG_DIGITS];
    uint8_t bytes[sizeof tag];
    if (weak_too && slice_starts_with(item, SLICE_OF("W/")))
        item = slice_skip(item, 2);
    put_u64(bytes, tag);
    hex_encode(digits, bytes, sizeof bytes);
    return item.size == TAG_DIGITS + 2 && item.data[0] == '"' &&
           item.data[item.size - 1] == '"' &&
           slice_equal(slice_make(item.data + 1, TAG_DIGITS),
                       slice_make(digits, TAG_DIGITS));
}

/* Whether one of the list is what is there; * is whatever is there. */
static bool names_it(struct slice list, uint64_t tag, bool weak_too)
{
    while (tag != 0 && list.size > 0) {
        size_t end = slice_find(list, ',');
        struct slice item = slice_trim(slice_make(list.data, end));
        if (slice_equal_text(item, "*") || is_tag(item, tag, weak_too))
            return true;
        list = slice_skip(list, end + 1);
    }
    return false;
}

bool precondition_holds(struct step *step, struct slice if_match,
                        struct slice if_none_match, uint64_t tag)
{
    bool holds =
        (!slice_is_present(if_match) || names_it(if_match, tag, false)) &&
        (!slice_is_present(if_none_match) || !names_it(if_none_match, tag, true));
    if (!holds)
        step_refuse(step, ERROR_PRECONDITION_FAILED);
    return holds;
}
