#include "core/set.h"

#include "base/hash.h"
#include "core/blob.h"

enum {
    SET_VERSION = 1,
    KEPT_FOR_AGENTS = 4, /* one set in so many */
};

/* Rows need the same hash on every machine; a set made to collide only costs one more
 * comparison, since sets are compared exactly. */
static const struct siphash_key SET_HASH_KEY = { { 0x64726f7665720001,
                                                   0x7365740000000001 } };

/* Sifts items[root] down: heap sort has no bad case and needs no memory. */
static void sift(struct slice *items, size_t root, size_t count)
{
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= count)
            return;
        if (child + 1 < count && slice_compare(items[child], items[child + 1]) < 0)
            child++;
        if (slice_compare(items[root], items[child]) >= 0)
            return;
        struct slice moved = items[root];
        items[root] = items[child];
        items[child] = moved;
        root = child;
    }
}

static void slices_sort(struct slice *items, size_t count)
{
    for (size_t i = count / 2; i > 0; i--)
        sift(items, i - 1, count);
    for (size_t end = count; end > 1; end--) {
        struct slice moved = items[0];
        items[0] = items[end - 1];
        items[end - 1] = moved;
        sift(items, 0, end - 1);
    }
}

void set_make(struct step *step, struct slice_list list, struct set *ret_set)
{
    *ret_set = (struct set){ 0 };
    struct slice *items = step_take_many(step, list.count, sizeof *items);
    if (items == NULL)
        return;
    for (size_t i = 0; i < list.count; i++)
        items[i] = list.items[i];
    slices_sort(items, list.count);

    size_t count = 0;
    for (size_t i = 0; i < list.count; i++) {
        if (count == 0 || !slice_equal(items[count - 1], items[i]))
            items[count++] = items[i];
    }
    ret_set->items = (struct slice_list){ items, count };
}

static size_t set_bytes(const struct set *set)
{
    size_t size = 1 + 4;
    for (size_t i = 0; i < set->items.count; i++)
        size += 4 + set->items.items[i].size;
    return size;
}

bool set_fits(const struct set *set)
{
    return set_bytes(set) <= BLOB_PIECE_BYTES;
}

/* The canonical bytes of a set, in the arena. */
static struct slice set_pack(struct step *step, const struct set *set)
{
    size_t size = set_bytes(set);
    char *bytes = step_take(step, size);
    if (bytes == NULL)
        return SLICE_OF("");

    struct buffer buffer = { .data = bytes, .room = size, .bytes_max = size };
    pack_u8(&buffer, SET_VERSION);
    pack_u32(&buffer, (uint32_t)set->items.count);
    for (size_t i = 0; i < set->items.count; i++)
        pack_slice(&buffer, set->items.items[i]);
    return packed_slice(step, &buffer);
}

/* The number of the set with these canonical bytes; 0 when there is none. */
static uint64_t set_find(struct step *step, uint64_t hash, struct slice canonical)
{
    struct number_key key;
    struct slice found;
    struct slice unused;
    uint64_t number = 0;
    while (step_first_from(step, TABLE_SET_HASH, key_two(&key, hash, number + 1), &found,
                           &unused) &&
           key_number(step, found, 0) == hash) {
        number = key_number(step, found, 1);
        if (slice_equal(blob_get(step, number, BLOB_SET), canonical))
            return number;
    }
    return 0;
}

static void set_put_users(struct step *step, uint64_t number, uint64_t users)
{
    struct number_key key;
    step_put_number(step, TABLE_SET, key_one(&key, number), users);
}

static bool set_intern_within(struct step *step, const struct set *set, uint32_t sets_max,
                              uint64_t *ret_number)
{
    struct number_key key;
    struct slice canonical = set_pack(step, set);
    uint64_t hash = siphash(SET_HASH_KEY, canonical);
    uint64_t number = set_find(step, hash, canonical);
    uint64_t users = 0;
    if (number != 0) {
        if (!step_get_number(step, TABLE_SET, key_one(&key, number), &users))
            step_fail(step, ERR_CORRUPT);
    } else {
        if (step_counter(step, COUNTER_SETS) >= sets_max)
            return false;
        number = step_counter(step, COUNTER_SET_LAST) + 1;
        step_counter_put(step, COUNTER_SET_LAST, number);
        step_counter_move(step, COUNTER_SETS, 1);
        step_put_mark(step, TABLE_SET_HASH, key_two(&key, hash, number));
        blob_put(step, number, BLOB_SET, canonical);
    }
    set_put_users(step, number, users + 1);
    *ret_number = number;
    return !step_failed(step);
}

bool set_intern(struct step *step, const struct set *set, uint64_t *ret_number)
{
    return set_intern_within(step, set, step->settings->capability_sets_max, ret_number);
}

bool set_intern_needed(struct step *step, const struct set *set, uint64_t *ret_number)
{
    uint32_t sets_max = step->settings->capability_sets_max;
    return set_intern_within(step, set, sets_max - sets_max / KEPT_FOR_AGENTS,
                             ret_number);
}

void set_release(struct step *step, uint64_t number)
{
    struct number_key key;
    uint64_t users = 0;
    if (number == 0)
        return;
    if (!step_get_number(step, TABLE_SET, key_one(&key, number), &users) || users == 0) {
        step_fail(step, ERR_CORRUPT);
        return;
    }
    if (users > 1) {
        set_put_users(step, number, users - 1);
        return;
    }
    uint64_t hash = siphash(SET_HASH_KEY, blob_get(step, number, BLOB_SET));
    step_remove(step, TABLE_SET_HASH, key_two(&key, hash, number));
    step_remove(step, TABLE_SET, key_one(&key, number));
    blob_remove(step, number, BLOB_SET);
    step_counter_move(step, COUNTER_SETS, -1);
}

bool set_load(struct step *step, uint64_t number, struct set *ret_set)
{
    struct slice canonical = blob_get(step, number, BLOB_SET);
    if (!slice_is_present(canonical)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    struct unpack unpack = unpack_start(canonical);
    uint8_t version = unpack_u8(&unpack);
    uint32_t count = unpack_u32(&unpack);
    if (version != SET_VERSION || count > unpack.rest.size) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    struct slice *items = step_take_many(step, count, sizeof *items);
    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        items[i] = unpack_slice(&unpack);
    if (!unpack_done(&unpack)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    ret_set->items = (struct slice_list){ items, count };
    return true;
}

struct slice set_first_missing(const struct set *offered, const struct set *needed)
{
    size_t have = 0;
    for (size_t i = 0; i < needed->items.count; i++) {
        struct slice item = needed->items.items[i];
        while (have < offered->items.count &&
               slice_compare(offered->items.items[have], item) < 0)
            have++;
        if (have == offered->items.count ||
            !slice_equal(offered->items.items[have], item))
            return item;
    }
    return (struct slice){ NULL, 0 };
}

bool set_covers(const struct set *offered, const struct set *needed)
{
    return !slice_is_present(set_first_missing(offered, needed));
}

struct slice set_packed(struct step *step, uint64_t number)
{
    struct slice canonical = blob_get(step, number, BLOB_SET);
    if (!slice_is_present(canonical))
        step_fail(step, ERR_CORRUPT);
    return canonical;
}

/* Over the version; returns how many items follow. */
static uint32_t packed_enter(struct unpack *unpack)
{
    if (unpack_u8(unpack) != SET_VERSION)
        unpack->failed = true;
    return unpack_u32(unpack);
}

/* Walks `have` to the first item not less than `item`; true when they are the same. */
static bool packed_walk_to(struct unpack *have, uint32_t *left, struct slice item)
{
    while (*left > 0 && !have->failed) {
        --*left;
        int order = slice_compare(unpack_slice(have), item);
        if (order >= 0)
            return order == 0;
    }
    return false;
}

bool set_packed_covers(struct step *step, struct slice offered, struct slice needed)
{
    struct unpack have = unpack_start(offered);
    struct unpack want = unpack_start(needed);
    uint32_t have_left = packed_enter(&have);
    uint32_t want_left = packed_enter(&want);
    bool covers = want_left <= have_left;
    while (covers && want_left > 0 && !want.failed) {
        want_left--;
        covers = packed_walk_to(&have, &have_left, unpack_slice(&want));
    }
    if (have.failed || want.failed)
        step_fail(step, ERR_CORRUPT);
    return covers && !step_failed(step);
}
