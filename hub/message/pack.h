/*
 * pack.h - any message as bytes and back, by walking its table.
 *
 * The bytes are for the store. A shape may grow at its end: what was packed before a
 * member was added is read with that member absent.
 */
#ifndef MESSAGE_PACK_H
#define MESSAGE_PACK_H

#include "base/arena.h"
#include "base/pack.h"
#include "message/field.h"

enum {
    MESSAGE_TEXT_WHOLE = UINT32_MAX, /* as text_bytes_max: nothing is cut */
};

/* Appends the members of `source`, a struct of that table, wherever they came from. A
 * text of more bytes than `text_bytes_max` is cut between two characters, opaque JSON of
 * more is left out; *ret_cut tells. Members of FIELD_MESSAGE are left out. */
void message_pack(const struct field_table *table, const void *source,
                  uint32_t text_bytes_max, struct buffer *buffer, bool *ret_cut);

/* Reads them into `ret_target`, zeroed. Texts borrow from the walked slice; lists and
 * nested structs are taken from the arena. False: not what message_pack() wrote, or the
 * arena is spent. */
bool message_unpack(const struct field_table *table, struct unpack *unpack,
                    struct arena *arena, void *ret_target);

#endif
