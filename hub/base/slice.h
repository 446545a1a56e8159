/*
 * slice.h - bytes that belong to somebody else.
 *
 * A slice borrows: it never owns or frees. `data` may be NULL only for the absent
 * slice, which every function treats as empty; an empty text that is present has a
 * non-NULL `data`.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *data;
    size_t size;
};

struct slice_list {
    struct slice *items;
    size_t count;
};

/* A slice of a string literal, usable in static initialisers. */
/* clang-format off */
#define SLICE(literal) { (literal), sizeof(literal) - 1 }
/* clang-format on */
#define SLICE_OF(literal) ((struct slice)SLICE(literal))

static inline struct slice slice_make(const void *data, size_t size)
{
    return (struct slice){ data, size };
}

/* NULL gives the absent slice. */
struct slice slice_from_text(const char *text);

static inline bool slice_is_present(struct slice slice)
{
    return slice.data != NULL;
}

bool slice_equal(struct slice one, struct slice other);
bool slice_equal_text(struct slice slice, const char *text);
bool slice_starts_with(struct slice slice, struct slice prefix);

/* Order of memcmp, the shorter first where one is a prefix of the other. */
int slice_compare(struct slice one, struct slice other);

/* Position of the first `byte`, or slice.size when there is none. */
size_t slice_find(struct slice slice, char byte);

/* Everything from `from` on; empty when `from` is past the end. */
struct slice slice_skip(struct slice slice, size_t from);

/* UTF-8 of at most so many bytes: cut before the character that does not fit whole. */
struct slice slice_cut(struct slice slice, size_t bytes_max);

/* Without the blanks and tabs at both ends. */
struct slice slice_trim(struct slice slice);

/*
 * The whole slice as a decimal number: digits only (and one leading '-' for the signed
 * form), no white space, no overflow. False leaves *ret alone.
 */
bool slice_parse_u64(struct slice slice, uint64_t *ret_number);
bool slice_parse_i64(struct slice slice, int64_t *ret_number);

#endif
