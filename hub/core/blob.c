#include "core/blob.h"

#include <string.h>

enum {
    PIECE_VERSION = 1,
    HEAD_BYTES = 1 + 4, /* version, size of the whole payload */
};

/* The whole size stands in every piece, so that a lost piece shows. */
static void piece_put(struct step *step, struct slice key, struct slice payload,
                      size_t from)
{
    struct packed packed;
    struct buffer *row = packed_start(&packed);
    size_t left = payload.size - from;
    pack_u8(row, PIECE_VERSION);
    pack_u32(row, (uint32_t)payload.size);
    buffer_append(row, payload.data + from,
                  left < BLOB_PIECE_BYTES ? left : (size_t)BLOB_PIECE_BYTES);
    step_put(step, TABLE_BLOB, key, packed_slice(step, row));
}

static bool piece_get(struct step *step, struct slice key, uint32_t *ret_size,
                      struct slice *ret_bytes)
{
    struct slice value;
    if (!step_get(step, TABLE_BLOB, key, &value))
        return false;
    struct unpack unpack = unpack_start(value);
    uint8_t version = unpack_u8(&unpack);
    *ret_size = unpack_u32(&unpack);
    *ret_bytes = unpack.rest;
    if (unpack.failed || version != PIECE_VERSION || ret_bytes->size > BLOB_PIECE_BYTES) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    return true;
}

static uint64_t piece_count(size_t size)
{
    return size == 0 ? 1 : (size + BLOB_PIECE_BYTES - 1) / BLOB_PIECE_BYTES;
}

void blob_put(struct step *step, uint64_t owner, enum blob_kind kind,
              struct slice payload)
{
    struct number_key key;
    if (!slice_is_present(payload)) {
        blob_remove(step, owner, kind);
        return;
    }
    if (payload.size >= UINT32_MAX) {
        step_fail(step, ERR_LIMIT);
        return;
    }

    uint32_t old_size = 0;
    struct slice unused;
    uint64_t old_count = 0;
    if (piece_get(step, key_three(&key, owner, kind, 0), &old_size, &unused))
        old_count = piece_count(old_size);
    uint64_t count = piece_count(payload.size);
    for (uint64_t i = 0; i < count && !step_failed(step); i++)
        piece_put(step, key_three(&key, owner, kind, i), payload, i * BLOB_PIECE_BYTES);
    for (uint64_t i = count; i < old_count && !step_failed(step); i++)
        step_remove(step, TABLE_BLOB, key_three(&key, owner, kind, i));
}

void blob_remove(struct step *step, uint64_t owner, enum blob_kind kind)
{
    struct number_key key;
    uint32_t size;
    struct slice unused;
    if (!piece_get(step, key_three(&key, owner, kind, 0), &size, &unused))
        return;
    for (uint64_t i = 0; i < piece_count(size) && !step_failed(step); i++)
        step_remove(step, TABLE_BLOB, key_three(&key, owner, kind, i));
}

/* Appends one piece to the bytes put together so far. */
static bool piece_join(struct step *step, struct slice key, uint32_t size, char *bytes,
                       size_t *filled)
{
    uint32_t whole;
    struct slice piece;
    if (!piece_get(step, key, &whole, &piece) || whole != size) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    size_t wanted = size - *filled;
    if (wanted > BLOB_PIECE_BYTES)
        wanted = BLOB_PIECE_BYTES;
    if (piece.size != wanted) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    if (wanted > 0)
        memcpy(bytes + *filled, piece.data, wanted);
    *filled += wanted;
    return true;
}

struct slice blob_get(struct step *step, uint64_t owner, enum blob_kind kind)
{
    struct slice absent = { NULL, 0 };
    struct number_key key;
    uint32_t size;
    struct slice piece;
    if (!piece_get(step, key_three(&key, owner, kind, 0), &size, &piece))
        return absent;
    if (piece.size == size)
        return step_copy(step, piece);

    /* A size that is wrong is not to be believed for long. */
    if (!step_has(step, TABLE_BLOB,
                  key_three(&key, owner, kind, piece_count(size) - 1))) {
        step_fail(step, ERR_CORRUPT);
        return absent;
    }
    char *bytes = step_take(step, (size_t)size + 1);
    size_t filled = 0;
    for (uint64_t i = 0; bytes != NULL && i < piece_count(size); i++) {
        if (!piece_join(step, key_three(&key, owner, kind, i), size, bytes, &filled))
            return absent;
    }
    return bytes == NULL ? absent : slice_make(bytes, size);
}

struct slice blob_peek_start(struct step *step, uint64_t owner, enum blob_kind kind)
{
    struct number_key key;
    uint32_t size;
    struct slice piece;
    if (!piece_get(step, key_three(&key, owner, kind, 0), &size, &piece))
        return (struct slice){ NULL, 0 };
    return piece;
}

struct slice blob_peek(struct step *step, uint64_t owner, enum blob_kind kind)
{
    struct number_key key;
    uint32_t size;
    struct slice piece;
    if (!piece_get(step, key_three(&key, owner, kind, 0), &size, &piece))
        return (struct slice){ NULL, 0 };
    return piece.size == size ? piece : blob_get(step, owner, kind);
}
